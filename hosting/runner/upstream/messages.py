"""JSON-RPC lines of a hosted server: read with their bodies left raw, written by splicing raw bodies. Pure.

Bodies pass byte for byte: the relay never rebuilds a result it does not have to change.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

import msgspec

Members = dict[str, msgspec.Raw]

META = "io.modelcontextprotocol/"
GUESSED = "slipway/asked-by"  # in a question's `_meta`: how many calls it may belong to
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603


class Message(msgspec.Struct, gc=False):
    """Any JSON-RPC message; which one it is follows from what is set."""

    id: int | str | float | None | msgspec.UnsetType = msgspec.UNSET
    method: str | msgspec.UnsetType = msgspec.UNSET
    params: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    result: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    error: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class ErrorBody(msgspec.Struct, omit_defaults=True):
    code: int
    message: str
    data: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


decode_message = msgspec.json.Decoder(Message).decode
decode_members = msgspec.json.Decoder(Members).decode
decode_error = msgspec.json.Decoder(ErrorBody).decode
encode = msgspec.json.Encoder().encode


def request(number: int, method: bytes, params: bytes) -> bytes:
    """One line, whatever `params` looks like: a raw object or b"". `method` is already JSON."""
    if params:
        return b'{"jsonrpc":"2.0","id":%d,"method":%s,"params":%s}\n' % (number, method, one_line(params))
    return b'{"jsonrpc":"2.0","id":%d,"method":%s}\n' % (number, method)


def notification(method: str, params: bytes = b"") -> bytes:
    if params:
        return b'{"jsonrpc":"2.0","method":%s,"params":%s}\n' % (encode(method), one_line(params))
    return b'{"jsonrpc":"2.0","method":%s}\n' % encode(method)


def response(request_id: Any, *, result: bytes = b"", error: bytes = b"") -> bytes:
    if error:
        return b'{"jsonrpc":"2.0","id":%s,"error":%s}\n' % (encode(request_id), one_line(error))
    return b'{"jsonrpc":"2.0","id":%s,"result":%s}\n' % (encode(request_id), one_line(result) or b"{}")


def error_body(code: int, message: str, data: Any = None) -> bytes:
    return encode(ErrorBody(code, message, msgspec.Raw(encode(data)) if data is not None else msgspec.UNSET))


def one_line(raw: bytes) -> bytes:
    """Raw JSON without line breaks, which can only stand between its tokens (RFC 8259 section 2). What a client wrote
    over several lines would be several messages to a server."""
    if b"\n" in raw or b"\r" in raw:
        return raw.replace(b"\r", b" ").replace(b"\n", b" ")
    return raw


def with_meta(params: bytes, additions: dict[str, Any]) -> bytes:
    """`params` with `additions` put into its `_meta`; everything else stays as it was sent."""
    members: Members = decode_members(params) if params else {}
    meta: dict[str, Any] = dict(decode_members(members["_meta"])) if "_meta" in members else {}
    meta.update(additions)
    members["_meta"] = msgspec.Raw(encode(meta))
    return encode(members)


def with_meta_members(params: bytes, members: bytes) -> bytes:
    """`with_meta` for raw members (`"a":1,"b":2`); nothing is parsed where `params` can't have a `_meta` of its own."""
    if b'"_meta"' in params or b"\\u" in params:
        return with_meta(params, dict(decode_members(b"{%b}" % members)))
    return with_first(params or b"{}", b'"_meta":{%b}' % members)


def with_first(result: bytes, members: bytes) -> bytes:
    """The raw object `result` with the raw `members` (`"a":1,"b":2`) set in front of its own."""
    body = result.lstrip()[1:].lstrip()
    return b"{" + members + (b"" if body.startswith(b"}") else b",") + body


_ID = re.compile(rb'"id"\s*:\s*(\d{1,15})\s*[,}]')


def guess_id(head: bytes) -> int:
    """The request a thrown-away answer was for, from its first bytes; 0 when they don't tell."""
    found = _ID.search(head[:256])
    return int(found.group(1)) if found else 0


class Refusable(Protocol):
    def refuse(self, message: str, *, code: int = ..., data: object = None) -> None: ...


R = TypeVar("R", bound=Refusable)


def refuse_oversized(calls: dict[int, R], head: bytes, limit: int, settled: Callable[[R], None]) -> None:
    """End the call whose answer was thrown away for its size; all of them where the line does not tell which."""
    number = guess_id(head)
    for key in [number] if number in calls else list(calls):
        call = calls.pop(key)
        call.refuse(
            f"The hosted server sent a message larger than the limit of {limit // 2**20} MB",
            data={"limit": "message_bytes", "bytes": limit},
        )
        settled(call)
