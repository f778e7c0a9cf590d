"""The conversation with a hosted server as lines for its owner: method, id and size of each message. Pure.

Bodies are part of it only where the owner switched that on, which callers are told before they consent.
"""

from __future__ import annotations

import msgspec

from hosting.runner.upstream import messages as m

BODY_BYTES = 64 * 1024


def sent(line: bytes, *, with_body: bool) -> bytes:
    """A line on its way to the server."""
    try:
        message = m.decode_message(line)
    except msgspec.DecodeError:
        return b"\xe2\x86\x92 %d bytes" % len(line)
    return b"\xe2\x86\x92 " + _words(message, with_body)


def received(message: m.Message, *, with_body: bool) -> bytes:
    return b"\xe2\x86\x90 " + _words(message, with_body)


def _words(message: m.Message, with_body: bool) -> bytes:
    name, body = _what(message)
    number = b"" if message.id is msgspec.UNSET else b" " + m.encode(message.id)
    words = b"%b%b, %d bytes" % (name.encode("utf-8", "replace")[:200], number[:100], len(body))
    return words + b": " + body if with_body and body else words


def _what(message: m.Message) -> tuple[str, bytes]:
    if message.method is not msgspec.UNSET:
        return message.method, _raw(message.params)
    if message.error is not msgspec.UNSET:
        return "error", _raw(message.error)
    return "result", _raw(message.result)


def _raw(value: msgspec.Raw | msgspec.UnsetType) -> bytes:
    return b"" if value is msgspec.UNSET else bytes(value)
