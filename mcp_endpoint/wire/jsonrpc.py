"""JSON-RPC envelopes: read with their bodies left raw, written by splicing raw bodies. Pure.

Nothing here looks into `params`, `result` or `error`; ids travel as canonical JSON bytes, so that one id has one
spelling and comes back as it was sent.
"""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

PARSE_ERROR: Final = -32700
INVALID_REQUEST: Final = -32600
METHOD_NOT_FOUND: Final = -32601
INVALID_PARAMS: Final = -32602
INTERNAL_ERROR: Final = -32603
HEADER_MISMATCH: Final = -32020
MISSING_CAPABILITY: Final = -32021
UNSUPPORTED_VERSION: Final = -32022

MAX_ID_BYTES: Final = 512
PLAIN_DIGITS: Final = 15  # an integer of no more than these needs no further look

_INTEGER = re.compile(rb"-?(?:0|[1-9][0-9]{0,30})\Z")


class Envelope(msgspec.Struct, gc=False):
    """Any JSON-RPC message; which one it is follows from what is set. What is absent is empty."""

    jsonrpc: str = ""
    id: msgspec.Raw = msgspec.Raw(b"")
    method: str = ""
    params: msgspec.Raw = msgspec.Raw(b"")
    result: msgspec.Raw = msgspec.Raw(b"")
    error: msgspec.Raw = msgspec.Raw(b"")


class MalformedError(ValueError):
    """The bytes are no JSON-RPC message. `code` is PARSE_ERROR or INVALID_REQUEST."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


Members = dict[str, msgspec.Raw]

encode = msgspec.json.Encoder().encode
_encode_sorted = msgspec.json.Encoder(order="deterministic").encode
_decode_envelope = msgspec.json.Decoder(Envelope).decode
_decode_batch = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode_members = msgspec.json.Decoder(Members).decode
_decode_any = msgspec.json.Decoder().decode


def check_text(body: bytes) -> None:
    """JSON-RPC messages must be UTF-8 (2026-07-28 basic/transports); msgspec does not check what it leaves raw."""
    if not body.isascii():
        try:
            body.decode("utf-8")
        except UnicodeDecodeError as error:
            raise MalformedError(PARSE_ERROR, f"the body is not UTF-8 at byte {error.start}") from None


def decode_envelope(body: bytes | msgspec.Raw) -> Envelope:
    """One message. Raises MalformedError."""
    try:
        return _decode_envelope(body)
    except msgspec.ValidationError as error:
        raise MalformedError(INVALID_REQUEST, f"not a JSON-RPC message: {error}") from None
    except msgspec.DecodeError as error:
        raise MalformedError(PARSE_ERROR, f"not valid JSON: {error}") from None
    except RecursionError:
        raise MalformedError(PARSE_ERROR, "the JSON is nested too deeply") from None


def decode_batch(body: bytes) -> list[msgspec.Raw]:
    """The members of a JSON array, raw. Raises MalformedError."""
    try:
        return _decode_batch(body)
    except msgspec.DecodeError as error:
        raise MalformedError(PARSE_ERROR, f"not valid JSON: {error}") from None
    except RecursionError:
        raise MalformedError(PARSE_ERROR, "the JSON is nested too deeply") from None


def decode_members(raw: bytes | msgspec.Raw) -> Members | None:
    """The members of a raw object; None when it is no object."""
    try:
        return _decode_members(raw)
    except (msgspec.DecodeError, RecursionError):
        return None


def decode_any(raw: bytes | msgspec.Raw) -> Any:
    """A small raw value as Python; None where it can't be one."""
    try:
        return _decode_any(raw)
    except (msgspec.DecodeError, RecursionError):
        return None


def text_of(raw: bytes | msgspec.Raw | None) -> str | None:
    """The raw value as text, when it is a JSON string."""
    value = decode_any(raw) if raw is not None else None
    return value if isinstance(value, str) else None


def canonical(raw: bytes) -> bytes:
    """The same JSON value in one spelling: no blanks, members sorted."""
    return _encode_sorted(_decode_any(raw))


def identifier(raw: bytes | msgspec.Raw) -> bytes | None:
    """An id (or progress token) as canonical JSON, None when it is neither a string nor an integer."""
    value = bytes(raw)
    if value.isdigit() and len(value) <= PLAIN_DIGITS and (value[0] != 48 or value == b"0"):
        return value
    if len(value) > MAX_ID_BYTES:
        return None
    if value[:1] == b'"':
        return value if b"\\" not in value else encode(_decode_any(value))
    return value if _INTEGER.match(value) else None


def error_object(code: int, message: str, data: Any = None) -> bytes:
    if data is None:
        return b'{"code":%d,"message":%s}' % (code, encode(message))
    return b'{"code":%d,"message":%s,"data":%s}' % (code, encode(message), encode(data))


def result(request_id: bytes, raw: bytes) -> bytes:
    return b'{"jsonrpc":"2.0","id":%b,"result":%b}' % (request_id, raw)


def error(request_id: bytes, raw: bytes) -> bytes:
    """An error response; without an id where none could be read, since the schemas know no null."""
    if not request_id:
        return b'{"jsonrpc":"2.0","error":%b}' % raw
    return b'{"jsonrpc":"2.0","id":%b,"error":%b}' % (request_id, raw)


def failure(request_id: bytes, code: int, message: str, data: Any = None) -> bytes:
    """A whole error response."""
    return error(request_id, error_object(code, message, data))


def notification(method: str, params: bytes) -> bytes:
    if params:
        return b'{"jsonrpc":"2.0","method":%b,"params":%b}' % (encode(method), params)
    return b'{"jsonrpc":"2.0","method":%b}' % encode(method)


def request(request_id: bytes, question: bytes) -> bytes:
    """A request of the server's; `question` is the raw object {"method", "params"}."""
    return b'{"jsonrpc":"2.0","id":%b,%b' % (request_id, question.lstrip()[1:])


def with_first(raw: bytes, members: bytes) -> bytes:
    """The raw object `raw` with the raw `members` (`"a":1,"b":2`) set in front of its own; b"" counts as {}."""
    body = raw.lstrip()[1:].lstrip() or b"}"
    return b"{" + members + (b"" if body.startswith(b"}") else b",") + body
