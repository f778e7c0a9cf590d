"""Server-sent event frames (WHATWG HTML, section 9.2). Pure."""

from __future__ import annotations

from typing import Final

COMMENT: Final = b":\n\n"
HEADERS: Final = (
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-cache, no-store, no-transform"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-accel-buffering", b"no"),
)


def event(message: bytes, event_id: str = "") -> bytes:
    """One JSON-RPC message. A carriage return ends an SSE line, and in JSON it can only be a blank."""
    if b"\r" in message or b"\n" in message:
        message = message.replace(b"\r", b" ").replace(b"\n", b" ")
    if event_id:
        return b"event: message\nid: %b\ndata: %b\n\n" % (event_id.encode("ascii"), message)
    return b"event: message\ndata: %b\n\n" % message


def priming(event_id: str, retry_milliseconds: int) -> bytes:
    """2025-11-25 basic/transports: an id and empty data, so that the client can come back before anything happened."""
    return b"retry: %d\nid: %b\ndata: \n\n" % (retry_milliseconds, event_id.encode("ascii"))


def parse_event_id(value: str) -> tuple[str, int] | None:
    """An id of ours, `<log>:<seq>`, or None."""
    log, colon, seq = value.rpartition(":")
    if not colon or not log or not log.isascii() or not seq.isascii() or not seq.isdigit() or len(seq) > 15:
        return None
    return log, int(seq)
