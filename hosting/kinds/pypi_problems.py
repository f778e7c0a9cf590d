"""Turns what uv printed when it failed into one sentence for the person who wants the server hosted. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable

from hosting.kinds.failure import BuildFailed
from hosting.kinds.reference import Reference, pypi_name

_NOT_FOUND = re.compile(r"Because (\S+) was not found in the package registry")
_NO_VERSION = re.compile(r"there is no version of ([A-Za-z0-9._-]+)(==\S+)?")
_NO_WHEELS = re.compile(r"(?:all versions of )?([A-Za-z0-9._-]+)\S* (?:has|have) no (?:usable )?wheels")
# uv says it in two ways, depending on whether the package or the index told it.
_PYTHON = (
    re.compile(r"does not satisfy Python(?P<bound>\S+) and (?:all versions of )?(?P<name>[A-Za-z0-9._-]+)"),
    re.compile(r"(?:all versions of )?(?P<name>[A-Za-z0-9._-]+)\S* requires? Python (?P<bound>[<>=!~]\S+)"),
)
_UNREACHABLE = re.compile(
    r"Failed to fetch|error sending request|Connection refused|dns error|timed out", re.IGNORECASE
)
_REFUSED = re.compile(r"HTTP status client error \((40[13]|407) ")
_CAUSE = re.compile(r"cause: (.*?)(?:\n\nhint:|\Z)", re.DOTALL)
_CAUSE_CHARACTERS = 600


def explain(
    reference: Reference, python: str, output: str, log: str, newest: Callable[[], str | None] = lambda: None
) -> BuildFailed:
    """The error for a failed `uv pip compile` or `uv pip sync`; `python` is the interpreter as people call it.

    `newest` asks the index for the newest version, and is only called where that helps.
    """
    own = reference.name
    if found := _NOT_FOUND.search(output):
        missing = pypi_name(found[1])
        if missing == own:
            return BuildFailed(f"There is no package {own} on PyPI. Check the spelling of its name.", log)
        return BuildFailed(f"{own} needs the package {missing}, and there is none of that name on PyPI.", log)
    if found := next(filter(None, (form.search(output) for form in _PYTHON)), None):
        return BuildFailed(
            f"{_who(found['name'], own)} needs Python{found['bound']}, and this site runs {python}. "
            "Choose a version of the package that supports it, or run Slipway with a newer Python.",
            log,
        )
    if found := _NO_WHEELS.search(output):
        return BuildFailed(
            f"{_who(found[1], own)} has no wheel for {python} on this platform: it can only be built from source, "
            "which runs its code during installation. "
            "Allow install code in the settings of this server, or choose another version or package.",
            log,
        )
    if (found := _NO_VERSION.search(output)) and pypi_name(found[1]) == own:
        version = newest()
        hint = f" The newest one is {version}." if version else ""
        return BuildFailed(f"There is no version {reference.version} of {own} on PyPI.{hint}", log)
    if found := _REFUSED.search(output):
        return BuildFailed(
            f"The package index refused the request (HTTP {found[1]}). An operator has to look at its settings.", log
        )
    if "invalid peer certificate" in output:
        return BuildFailed(
            "The certificate of the package index isn't trusted here. "
            "An operator has to name the right ones, in SSL_CERT_FILE or with UV_SYSTEM_CERTS=1.",
            log,
        )
    if _UNREACHABLE.search(output):
        return BuildFailed("The package index didn't answer. Try again later.", log, is_transient=True)
    cause = _CAUSE.search(output)
    text = re.sub(r"\s+", " ", cause[1] if cause else output).strip()[:_CAUSE_CHARACTERS]
    return BuildFailed(f"The packages that {own} needs couldn't be installed together: {text}", log)


def _who(package: str, own: str) -> str:
    name = pypi_name(package)
    return own if name == own else f"{own} needs {name}, which"
