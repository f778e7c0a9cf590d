"""Request headers: picked out in one pass, and the value codec of the mirrored ones. Pure.

Codec: 2026-07-28 basic/transports/streamable-http, "Value Encoding".
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Collection
from functools import lru_cache
from typing import Final

from hosting.runner.mirrored import PARAM, SAFE, SENTINEL
from hosting.runner.mirrored import encode_value as encode_value
from mcp_endpoint.admission.limits import HEADER_BYTES, HEADERS, HeadersTooLargeError

AUTHORIZATION: Final = b"authorization"
ORIGIN: Final = b"origin"
HOST: Final = b"host"
ACCEPT: Final = b"accept"
CONTENT_TYPE: Final = b"content-type"
CONTENT_LENGTH: Final = b"content-length"
SESSION: Final = b"mcp-session-id"
VERSION: Final = b"mcp-protocol-version"
METHOD: Final = b"mcp-method"
NAME: Final = b"mcp-name"
LAST_EVENT_ID: Final = b"last-event-id"
TRACEPARENT: Final = b"traceparent"
ASKS_METHOD: Final = b"access-control-request-method"
ASKS_HEADERS: Final = b"access-control-request-headers"

_WANTED: Final = frozenset(
    {
        AUTHORIZATION, ORIGIN, HOST, ACCEPT, CONTENT_TYPE, CONTENT_LENGTH, SESSION, VERSION, METHOD, NAME,
        LAST_EVENT_ID, TRACEPARENT, ASKS_METHOD, ASKS_HEADERS,
    }
)  # fmt: skip
# Two copies of these would let two readers (a proxy and us) see different things.
_SINGLE: Final = _WANTED - {ACCEPT, TRACEPARENT}

_TRACEPARENT = re.compile(rb"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(?:-[\x21-\x7e]{0,64})?\Z")

Fields = dict[bytes, bytes]
_BLANKS: Final = b" \t"
_NEVER: Final = b"\x00"


def pick(raw: Collection[tuple[bytes, bytes]]) -> tuple[Fields, str]:
    """The headers this endpoint reads, by lower-case name, and the name of one that came twice ("" for none).

    Raises HeadersTooLargeError.
    """
    found: Fields = {}
    twice = ""
    size = 0
    for name, value in raw:
        size += len(value) + 1
        if name in _WANTED:
            if name in found and name in _SINGLE:
                twice = name.decode("ascii")
            found[name] = value
        elif name.startswith(PARAM):
            # A second copy is only wrong where a tool has that header, so it becomes a value that nothing matches.
            found[name] = value if name not in found else _NEVER
    if size > HEADER_BYTES or len(raw) > HEADERS:
        raise HeadersTooLargeError
    return found, twice


def text(value: bytes | None) -> str | None:
    """A header's value without the blanks around it; None when it is absent."""
    return value.strip(_BLANKS).decode("latin-1") if value is not None else None


def decode_value(value: str | None) -> str | None:
    """The inverse. None for what is absent or broken, so that it never equals a body's value by accident.

    Only the canonical base64 spelling is taken, since two spellings of one value would be two truths.
    """
    if value is None:
        return None
    found = SENTINEL.match(value)
    if found is None:
        return value if SAFE.match(value) else None
    payload = found.group(1)
    try:
        decoded = base64.b64decode(payload, validate=True)
        if base64.b64encode(decoded).decode("ascii") != payload:
            return None
        return decoded.decode("utf-8")
    except (binascii.Error, ValueError):
        return None


def trace(value: bytes | None) -> str:
    """A W3C traceparent, or "" when there is none worth passing on."""
    if value is None:
        return ""
    return value.decode("ascii") if _TRACEPARENT.match(value) else ""


@lru_cache(maxsize=256)
def accepts(value: bytes) -> tuple[bool, bool]:
    """Whether an Accept header takes JSON, and whether it takes an event stream."""
    takes_json = takes_stream = False
    for part in value.decode("latin-1").lower().split(","):
        kind, *parameters = (piece.strip() for piece in part.split(";"))
        if any(parameter.replace(" ", "") in ("q=0", "q=0.0") for parameter in parameters):
            continue
        takes_json |= kind in ("application/json", "application/*", "*/*")
        takes_stream |= kind in ("text/event-stream", "text/*", "*/*")
    return takes_json, takes_stream


@lru_cache(maxsize=64)
def is_json(content_type: bytes) -> bool:
    return content_type.decode("latin-1").split(";")[0].strip().lower() == "application/json"
