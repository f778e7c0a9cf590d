"""The ids of a legacy client's server-sent events: `<stream>:<seq>`. Pure.

They name the stream and what is needed to go on with it in any web process: for a request's stream its JSON-RPC id and
progress token, from which the exchange's id follows (2025-11-25 basic/transports, "Resumability and Redelivery").
"""

from __future__ import annotations

import base64
import binascii

import msgspec

from hosting.runner.frames import UNDELIVERED
from mcp_endpoint.admission.limits import EVENT_ID_BYTES
from mcp_endpoint.wire import jsonrpc as j
from mcp_endpoint.wire import sse

CHANNEL = "c"
CHANNEL_START = "c:start"  # of a channel stream on which nothing has come yet


class Position(msgspec.Struct, frozen=True):
    """Where a stream is resumed: after `seq`. No `request_id` means the session's channel."""

    request_id: bytes
    progress_token: bytes
    seq: int


def stream_name(request_id: bytes, progress_token: bytes) -> str:
    return f"r{_encode(request_id)}.{_encode(progress_token)}"


def parse(value: str) -> Position | None:
    """None for what is no event id of ours."""
    if value == CHANNEL_START:
        return Position(b"", b"", UNDELIVERED)
    found = sse.parse_event_id(value) if len(value) <= EVENT_ID_BYTES else None
    if found is None:
        return None
    stream, seq = found
    if stream == CHANNEL:
        return Position(b"", b"", seq)
    request_part, dot, token_part = stream[1:].partition(".")
    try:
        request_id, token = _decode(request_part), _decode(token_part)
    except (binascii.Error, ValueError):
        return None
    if stream[:1] != "r" or not dot or _identifier(request_id) is None or (token and _identifier(token) is None):
        return None
    return Position(request_id, token, seq)


def _identifier(raw: bytes) -> bytes | None:
    return j.identifier(raw) if j.decode_any(raw) is not None else None


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def _decode(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
