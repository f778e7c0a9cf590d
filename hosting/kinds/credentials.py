"""What the package tools need to sign in at an operator's own indexes, for runs that meet no code of a package.

Found where the tools themselves look: their variables, netrc, npmrc. A sandbox has no home, so that what files say is
written into files for it alone.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

_UV_VARIABLE = re.compile(r"UV_INDEX_\w+_(?:USERNAME|PASSWORD)")
_NPM_VARIABLE = re.compile(r"npm_config_(?://.*|_auth\w*|_password|username|email|always_auth)", re.IGNORECASE)
_NPM_LINE = re.compile(r"\s*(?://[^=]*|_auth|_authtoken|_password|username|email|always-auth)\s*=", re.IGNORECASE)
_NPM_NAMED = re.compile(r"\$\{([^}$]+)\}")
MAX_FILE_BYTES = 256 * 1024


@dataclass(frozen=True)
class Credentials:
    """`env` as it is; `files`: the variable that is to name a file, and what stands in it."""

    env: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)


def of_uv(environment: Mapping[str, str]) -> Credentials:
    found = {name: value for name, value in environment.items() if _UV_VARIABLE.fullmatch(name)}
    netrc = _text(Path(environment["NETRC"]) if "NETRC" in environment else Path.home() / ".netrc")
    return Credentials(found, {"NETRC": netrc} if netrc else {})


def of_npm(environment: Mapping[str, str], settings: Mapping[str, object]) -> Credentials:
    """`settings` are what npm says of itself: where its files are."""
    found = {name: value for name, value in environment.items() if _NPM_VARIABLE.fullmatch(name)}
    names = [settings.get(name) for name in ("globalconfig", "userconfig")]
    lines = [line for name in names if isinstance(name, str) for line in _npm_lines(_text(Path(name)))]
    return Credentials(found, {"npm_config_userconfig": "\n".join([*lines, ""])} if lines else {})


def _npm_lines(text: str) -> Iterator[str]:
    """Lines of an npmrc that sign in. npm puts variables in; those are ours, and stay here otherwise."""

    def known(found: re.Match[str]) -> str:
        return os.environ.get(found[1], found[0])

    for line in text.splitlines():
        if _NPM_LINE.match(line):
            yield _NPM_NAMED.sub(known, line)


def _text(path: Path) -> str:
    try:
        with path.open("rb") as opened:
            return opened.read(MAX_FILE_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""
