"""What a client may send and hold, and the reading of a body within it."""

from __future__ import annotations

from typing import Final

from mcp_endpoint.wire.asgi import Receive

BODY_BYTES: Final = 4 * 1024 * 1024
HEADER_BYTES: Final = 32 * 1024  # the values of all headers together
HEADERS: Final = 100
TOKEN_BYTES: Final = 8 * 1024
SESSION_BYTES: Final = 2 * 1024
EVENT_ID_BYTES: Final = 2 * 1024
STATE_BYTES: Final = 256 * 1024
BATCH_MESSAGES: Final = 50
STREAMS_PER_PRINCIPAL: Final = 200
CALLS_PER_PRINCIPAL: Final = 256
CALLS_PER_DEPLOYMENT: Final = 2048
STREAM_SECONDS: Final = 300.0
ANONYMOUS_CALLS_PER_ADDRESS: Final = 32
ANONYMOUS_CALLS_PER_MINUTE: Final = 120

JSON_SECONDS: Final = 0.25  # a result within this time is plain JSON, later ones are streamed
START_SECONDS: Final = 5.0  # the same while the instance is only being started and nobody asked to be told
HOLD_SECONDS: Final = 30.0  # a call that waits for its user's credentials, where its client waits 60 s for an answer
KEEP_ALIVE_SECONDS: Final = 15.0
SWEEP_SECONDS: Final = 0.5
RETRY_MILLISECONDS: Final = 1000


class TooLargeError(Exception):
    """The body is larger than allowed; nothing more of it was read."""


class HeadersTooLargeError(Exception):
    """More headers, or longer ones, than any client has a reason to send."""


class GoneError(Exception):
    """The client went away before its request was complete."""


async def read_body(receive: Receive, declared: bytes | None, limit: int = BODY_BYTES) -> bytes:
    """The whole body. Raises TooLargeError or GoneError."""
    if declared is not None and declared.isdigit() and (len(declared) > 12 or int(declared) > limit):
        raise TooLargeError
    message = await receive()
    if message["type"] == "http.disconnect":
        raise GoneError
    body: bytes = message.get("body", b"")
    if not message.get("more_body", False):
        if len(body) > limit:
            raise TooLargeError
        return body
    parts = [body]
    total = len(body)
    while message.get("more_body", False):
        if total > limit:
            raise TooLargeError
        message = await receive()
        if message["type"] == "http.disconnect":
            raise GoneError
        parts.append(message.get("body", b""))
        total += len(parts[-1])
    if total > limit:
        raise TooLargeError
    return b"".join(parts)
