"""Which operation a path names. Pure.

A server's name stands in a path as `namespace%2Fname` or with a plain slash, so the raw path is read, not the decoded
one. Names and versions are decoded twice, as the official registry does: once by its router, once by its handlers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

PREFIX = re.compile(r"/v0(?:\.1)?(?=/|$)")
_ESCAPE_BAD = re.compile(r"%(?![0-9A-Fa-f]{2})")
_VERSIONS = re.compile(
    r"servers/(?P<name>[^/]*%2[Ff][^/]*|[^/]+/[^/]+|[^/]+)/versions(?:/(?P<version>[^/]+)(?P<status>/status)?)?"
)
_STATUS = re.compile(r"servers/(?P<name>[^/]*%2[Ff][^/]*|[^/]+/[^/]+|[^/]+)/status")
_PLAIN = {
    ("GET", "servers"): "list",
    ("POST", "publish"): "publish",
    ("POST", "validate"): "validate",
    ("GET", "health"): "health",
    ("GET", "ping"): "ping",
    ("GET", "version"): "version",
    ("POST", "auth/github-at"): "auth",
    ("POST", "auth/github-oidc"): "auth",
    ("POST", "auth/oidc"): "auth",
    ("POST", "auth/dns"): "auth",
    ("POST", "auth/http"): "auth",
    ("POST", "auth/none"): "auth",
}


class BadEscape(ValueError):
    """Its text says which parameter can't be decoded."""


@dataclass(frozen=True)
class Route:
    """`operation` is one of list, versions, entry, edit, status, statuses, publish, validate, auth, health, ping,
    version. `proof` is the last part of an `auth` path."""

    operation: str
    name: str = ""
    version: str = ""
    proof: str = ""


def route(method: str, path: str) -> Route | None:
    """`path` as it was sent, without the query. None when nothing is there. Raises BadEscape."""
    found = PREFIX.match(path)
    if found is None:
        return None
    method = "GET" if method == "HEAD" else method
    rest = path[found.end() + 1 :]
    if (operation := _PLAIN.get((method, rest))) is not None:
        return Route(operation, proof=rest.partition("/")[2])
    return _of_server(method, rest)


def _of_server(method: str, rest: str) -> Route | None:
    if (match := _STATUS.fullmatch(rest)) and method == "PATCH":
        return Route("statuses", _decoded(match["name"], "server name"))
    match = _VERSIONS.fullmatch(rest)
    if match is None:
        return None
    operation = {
        ("GET", False, False): "versions",
        ("GET", True, False): "entry",
        ("PUT", True, False): "edit",
        ("PATCH", True, True): "status",
    }.get((method, match["version"] is not None, match["status"] is not None))
    if operation is None:
        return None
    return Route(operation, _decoded(match["name"], "server name"), _decoded(match["version"] or "", "version"))


def _decoded(text: str, what: str) -> str:
    for _ in range(2):
        if _ESCAPE_BAD.search(text):
            raise BadEscape(f"Invalid {what} encoding")
        text = unquote(text, errors="replace")
    return text
