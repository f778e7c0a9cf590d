"""What a person writes to say what should be hosted, and its strict grammar. Pure.

    pypi:NAME[==VERSION]          names after PEP 508, versions after PEP 440
    npm:[@scope/]NAME[@VERSION]   VERSION is an exact semantic version or a dist-tag such as `latest`
    source:DIGEST                 SHA-256 of what was uploaded, 64 hexadecimal digits
    remote:https://HOST/PATH      a server that runs elsewhere (hosting.kinds.remote)
    registry:NAME[@VERSION]       an entry of this site's registry, which names one of the others

Ranges, extras and addresses are refused: a deployment names one package, and what it resolved to is locked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from common.errors import BadInput
from hosting.kinds.remote import UrlInvalid, url_parse

MAX_REFERENCE = 400

_PYPI_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
# PEP 440, appendix B, without the leading "v" and with a local part.
_PYPI_VERSION = re.compile(
    r"(?:\d{1,9}!)?\d{1,9}(?:\.\d{1,9})*"
    r"(?:[-_.]?(?:a|b|c|rc|alpha|beta|pre|preview)[-_.]?\d{0,9})?"
    r"(?:-\d{1,9}|[-_.]?(?:post|rev|r)[-_.]?\d{0,9})?"
    r"(?:[-_.]?dev[-_.]?\d{0,9})?"
    r"(?:\+[a-z0-9]+(?:[-_.][a-z0-9]+)*)?",
    re.IGNORECASE,
)
# Without a leading "-", so that a name never looks like an option.
_NPM_NAME = re.compile(r"(?:@[A-Za-z0-9~][A-Za-z0-9._~-]*/)?[A-Za-z0-9~][A-Za-z0-9._~-]*")
_NPM_VERSION = re.compile(r"\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_REGISTRY_NAME = re.compile(r"[A-Za-z0-9.-]+/[A-Za-z0-9._/-]+")
_NPM_TAG = re.compile(r"[A-Za-z][A-Za-z0-9._-]*")

_EXAMPLES = "write pypi:mcp-server-time or npm:@modelcontextprotocol/server-everything, for example"


@dataclass(frozen=True)
class Reference:
    """One package of one index, one upload, or one address. `version` is None when the newest is wanted."""

    kind: str
    name: str
    version: str | None = None

    def __str__(self) -> str:
        separator = "==" if self.kind == "pypi" else "@"
        return f"{self.kind}:{self.name}" + (f"{separator}{self.version}" if self.version else "")


def parse(text: str) -> Reference:
    """Reads a reference. Raises BadInput, whose message says what to write instead."""
    text = text.strip()
    if len(text) > MAX_REFERENCE:
        raise _bad(f"This reference is longer than {MAX_REFERENCE} characters: {_EXAMPLES}.")
    if not text.isprintable():
        raise _bad(f"A reference is one line without control characters: {_EXAMPLES}.")
    kind, colon, rest = text.partition(":")
    if not colon:
        raise _bad(f"A reference says first where the server comes from: {_EXAMPLES}.")
    if kind == "pypi":
        return _parse_pypi(rest)
    if kind == "npm":
        return _parse_npm(rest)
    if kind == "source":
        return _parse_source(rest)
    if kind == "remote":
        return _parse_remote(rest)
    if kind == "registry":
        return _parse_registry(rest)
    raise _bad(f"“{kind}:” isn't a kind of server that Slipway knows: {_EXAMPLES}.")


def pypi_name(name: str) -> str:
    """The one spelling of a PyPI name (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _parse_pypi(rest: str) -> Reference:
    name, pinned, version = rest.partition("==")
    if not pinned and re.search(r"[<>=~!@;\[]", rest):
        raise _bad("A PyPI package is written pypi:NAME or pypi:NAME==VERSION, without ranges, extras or addresses.")
    if not _PYPI_NAME.fullmatch(name):
        raise _bad(
            f"“{name}” can't be the name of a PyPI package: "
            "letters, digits, “-”, “_” and “.”, beginning and ending with a letter or digit."
        )
    if pinned and not _PYPI_VERSION.fullmatch(version):
        raise _bad(f"“{version}” isn't one exact version: write pypi:{name}==1.2.3, or pypi:{name} for the newest.")
    return Reference("pypi", pypi_name(name), version.lower() if pinned else None)


def _parse_npm(rest: str) -> Reference:
    # The first character may be the @ of a scope, so a version is what follows a later one.
    at = rest.find("@", 1)
    name, version = (rest, None) if at < 0 else (rest[:at], rest[at + 1 :])
    if not _NPM_NAME.fullmatch(name) or len(name) > 214 or name in ("node_modules", "favicon.ico"):
        raise _bad(
            f"“{name}” can't be the name of an npm package: write npm:NAME or npm:@scope/NAME, "
            "each of letters, digits, “-”, “_”, “.” and “~”, beginning with a letter or digit."
        )
    if version is not None and not (_NPM_VERSION.fullmatch(version) or _NPM_TAG.fullmatch(version)):
        raise _bad(
            f"“{version}” isn't one exact version or a tag: "
            f"write npm:{name}@1.2.3 or npm:{name}@next, or npm:{name} for the newest."
        )
    return Reference("npm", name, version)


def _parse_source(rest: str) -> Reference:
    if not _DIGEST.fullmatch(rest):
        raise _bad(
            "Source is uploaded on the page, or hosted from a shell with ./manage.py host source:PATH, "
            "where PATH is a Python file, a zip or a folder. As a reference it is source: and the upload's SHA-256."
        )
    return Reference("source", rest)


def _parse_remote(rest: str) -> Reference:
    try:
        return Reference("remote", url_parse(rest))
    except UrlInvalid as error:
        raise _bad(str(error)) from None


def _parse_registry(rest: str) -> Reference:
    name, at, version = rest.partition("@")
    if not _REGISTRY_NAME.fullmatch(name) or len(name) > 200:
        raise _bad(f"“{name}” can't be the name of a server in the registry: write registry:io.github.owner/name.")
    if at and (not version or len(version) > 255 or " " in version):
        raise _bad(f"“{version}” can't be a version: write registry:{name}@1.2.3, or registry:{name} for the latest.")
    return Reference("registry", name, version if at and version != "latest" else None)


def _bad(message: str) -> BadInput:
    return BadInput("bad_reference", message)
