"""Turns what npm printed when it failed into one sentence for the person who wants the server hosted. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable

from hosting.kinds.failure import BuildFailed
from hosting.kinds.reference import Reference

_ERROR_CODE = re.compile(r"^npm (?:error|ERR!) code (\S+)", re.MULTILINE)
_NOT_FOUND = re.compile(r"'((?:@[^/'\s]+/)?[^@'\s]+)@[^']*'")
_NO_TARGET = re.compile(r"No matching version found for ((?:@[^/\s]+/)?[^@\s]+)@(\S+?)\.?$", re.MULTILINE)
_ERROR_LINE = re.compile(r"^npm (?:error|ERR!) (?!code|A complete log)(.+)$", re.MULTILINE)
_NETWORK = {"ECONNREFUSED", "ECONNRESET", "ENOTFOUND", "ETIMEDOUT", "EAI_AGAIN", "ERR_SOCKET_TIMEOUT", "FETCH_ERROR"}


def explain(reference: Reference, output: str, log: str, newest: Callable[[], list[str]] = lambda: []) -> BuildFailed:
    """The error for a failed npm. `newest` asks the registry for the newest versions, the newest one first."""
    own = reference.name
    code = found[1] if (found := _ERROR_CODE.search(output)) else ""
    if code == "E404" and (found := _NOT_FOUND.search(output)):
        if found[1] == own:
            return BuildFailed(f"There is no package {own} on npm. Check the spelling of its name.", log)
        return BuildFailed(f"{own} needs the package {found[1]}, and there is none of that name on npm.", log)
    if code == "ETARGET" and (found := _NO_TARGET.search(output)):
        if found[1] == own:
            known = newest()
            hint = f" The newest ones are {', '.join(known)}." if known else ""
            return BuildFailed(f"There is no version {reference.version} of {own} on npm.{hint}", log)
        return BuildFailed(f"{own} needs {found[1]} {found[2]}, and npm has no such version.", log)
    if code in ("E401", "E403"):
        return BuildFailed(
            f"The npm registry refused the request ({code[1:]}). An operator has to look at its settings.", log
        )
    if "CERT" in code:
        return BuildFailed(
            f"The certificate of the npm registry isn't trusted here ({code}). "
            "An operator has to name the right ones, in NODE_EXTRA_CA_CERTS.",
            log,
        )
    if code in _NETWORK or code.startswith("E5"):
        return BuildFailed("The npm registry didn't answer. Try again later.", log, is_transient=True)
    if code == "EALLOWGIT" or "git --no-replace-objects" in output:
        return BuildFailed(f"{own} needs a package from a git repository. Slipway installs from npm only.", log)
    lines = " ".join(_ERROR_LINE.findall(output)[:6])[:600]
    return BuildFailed(f"npm couldn't install {own}: {lines or 'it gave no reason.'}", log)
