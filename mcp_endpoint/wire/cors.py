"""Browser clients on other origins: what a preflight is told, and the headers of every answer (Fetch, section 3.3).

Which origins come in at all the Gate decides. Tokens travel in a header that a page sets itself, so there are never
credentials (cookies) in this, and an origin that was let in gains nothing it could not do with the token elsewhere.
"""

from __future__ import annotations

from typing import Final

from mcp_endpoint.wire.answer import Header

METHODS: Final = b"GET, POST, DELETE"
_PLAIN: Final = frozenset({b"authorization", b"content-type", b"accept", b"last-event-id", b"traceparent"})
_OURS: Final = b"mcp-"
_EXPOSED: Final = b"Mcp-Session-Id, WWW-Authenticate, MCP-Protocol-Version, Retry-After"
_VARY: Final[Header] = (b"vary", b"Origin")
_NAMES: Final = 64
_KEPT_SECONDS: Final = b"7200"


def answered(origin: bytes) -> list[Header]:
    """For any answer to a request from `origin`."""
    return [(b"access-control-allow-origin", origin), (b"access-control-expose-headers", _EXPOSED), _VARY]


def preflight(origin: bytes, wanted: bytes) -> list[Header]:
    """For the answer to a preflight. `wanted` is its Access-Control-Request-Headers.

    Only named headers are allowed, since `*` does not cover Authorization and Mcp-Param-* has no end.
    """
    names = [name for part in wanted.split(b",")[:_NAMES] if _is_allowed(name := part.strip().lower())]
    return [
        (b"access-control-allow-origin", origin),
        (b"access-control-allow-methods", METHODS),
        (b"access-control-allow-headers", b", ".join(names)),
        (b"access-control-max-age", _KEPT_SECONDS),
        (b"vary", b"Origin, Access-Control-Request-Headers"),
    ]


def open_preflight() -> list[Header]:
    """For a document that anybody may read."""
    return [
        (b"access-control-allow-origin", b"*"),
        (b"access-control-allow-methods", b"GET"),
        (b"access-control-allow-headers", b"*"),
        (b"access-control-max-age", _KEPT_SECONDS),
    ]


def _is_allowed(name: bytes) -> bool:
    is_token = name.replace(b"-", b"").replace(b"_", b"").replace(b".", b"").isalnum()
    return is_token and (name in _PLAIN or name.startswith(_OURS))
