"""What Python source asks for: a script's inline metadata (PEP 723, "# /// script"), a project's [project] table.

Pure. Tables for tools ([tool.uv] and others) are not followed: they could name other indexes.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from hosting.kinds.failure import BuildFailed

# The reference implementation's expression, from the specification.
_BLOCK = re.compile(r"(?m)^# /// (?P<type>[a-zA-Z0-9-]+)$\s(?P<content>(^#(| .*)$\s)+)^# ///$")
MAX_REQUIREMENTS = 200


@dataclass(frozen=True)
class Needs:
    """What a script or a project asks for. `requirements` are normalized lines of names, extras and versions."""

    requirements: tuple[str, ...] = ()
    requires_python: str = ""


def script_needs(text: str, filename: str) -> Needs | None:
    """What the block says; None without one. Raises BuildFailed."""
    blocks = [found for found in _BLOCK.finditer(text.replace("\r\n", "\n") + "\n") if found["type"] == "script"]
    if not blocks:
        return None
    if len(blocks) > 1:
        raise BuildFailed(f"{filename} has more than one “# /// script” block.")
    lines = blocks[0]["content"].splitlines()
    try:
        table = tomllib.loads("\n".join(line[2:] if line.startswith("# ") else line[1:] for line in lines))
    except tomllib.TOMLDecodeError as error:
        raise BuildFailed(f"The “# /// script” block of {filename} isn't TOML: {error}.") from error
    return needs(table.get("dependencies", []), table.get("requires-python", ""), filename)


def needs(dependencies: Any, requires_python: Any, label: str) -> Needs:
    """Checks both values of a TOML table. Raises BuildFailed."""
    if not isinstance(requires_python, str):
        raise BuildFailed(f'{label}: requires-python must be a text such as ">=3.11".')
    if not isinstance(dependencies, list) or not all(isinstance(one, str) for one in dependencies):
        raise BuildFailed(f'{label}: dependencies must be a list of texts such as "httpx>=0.28".')
    if len(dependencies) > MAX_REQUIREMENTS:
        raise BuildFailed(f"{label} names more than {MAX_REQUIREMENTS} dependencies.")
    return Needs(tuple(_requirement(one, label) for one in dependencies), requires_python)


def check_python(wanted: Needs, version: str, label: str, what: str) -> None:
    """`version` is the interpreter's ("3.11.7"), `label` its name for people. Raises BuildFailed."""
    try:
        allowed = SpecifierSet(wanted.requires_python)
    except InvalidSpecifier as error:
        raise BuildFailed(
            f"{what}: requires-python is no version specifier: {wanted.requires_python[:100]}."
        ) from error
    if not allowed.contains(version, prereleases=True):
        raise BuildFailed(f"{what} needs Python {wanted.requires_python}, and this site runs {label}.")


def names(requirements: Iterable[str]) -> Sequence[str]:
    return [Requirement(one).name for one in requirements]


def _requirement(text: str, label: str) -> str:
    try:
        requirement = Requirement(text)
    except InvalidRequirement as error:
        raise BuildFailed(f"{label}: “{text[:100]}” isn't a dependency as PEP 508 writes it.") from error
    if requirement.url:
        raise BuildFailed(
            f"{label} needs {requirement.name} from an address. Slipway installs from the package index only."
        )
    return str(requirement)
