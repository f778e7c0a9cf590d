"""The body of a legacy client's POST as typed messages. Pure.

2025-11-25 basic/transports, "Sending Messages to the Server"; batches as 2025-03-26 had them.
"""

from __future__ import annotations

import msgspec

from mcp_endpoint.admission.limits import BATCH_MESSAGES
from mcp_endpoint.wire import headers as h
from mcp_endpoint.wire import jsonrpc as j
from mcp_endpoint.wire.meta import put_meta, trace_of
from mcp_endpoint.wire.rejection import checked, refuse
from mcp_endpoint.wire.revisions import ASSUMED, BATCHES, LEGACY, is_legacy


class Call(msgspec.Struct, gc=False):
    """A legacy client's request. `params` is as sent, but for the progress token."""

    id: bytes
    method: str
    params: bytes = b""
    progress_token: bytes = b""
    trace: str = ""


class Note(msgspec.Struct, gc=False):
    """A client's notification."""

    method: str
    params: bytes = b""


class Reply(msgspec.Struct, gc=False):
    """A legacy client's response to a request of the server. One of `result` and `error` is set."""

    key: str
    result: bytes = b""
    error: bytes = b""


LegacyMessage = Call | Note | Reply


class LegacyPost(msgspec.Struct, gc=False):
    """One legacy message, or a batch of them. `version` is the header's, or the one assumed without it."""

    messages: list[LegacyMessage]
    version: str
    is_batch: bool = False


def read(fields: h.Fields, envelope: j.Envelope) -> LegacyPost:
    """Raises RefusedError."""
    version = _version(fields, envelope)
    return LegacyPost([_message(fields, envelope)], version)


def _version(fields: h.Fields, envelope: j.Envelope) -> str:
    version = h.text(fields.get(h.VERSION))
    if version is None:
        return ASSUMED
    if not is_legacy(version):
        refuse(
            j.INVALID_REQUEST,
            f"Unsupported protocol version in the MCP-Protocol-Version header; supported: {', '.join(LEGACY)}",
            j.identifier(envelope.id) or b"",
        )
    return version


def _message(fields: h.Fields, envelope: j.Envelope) -> LegacyMessage:
    request_id, params = checked(envelope)
    method = envelope.method
    if not method:
        return _reply(envelope, request_id)
    if not request_id:
        return Note(method, params)
    call = Call(request_id, method, params, trace=h.trace(fields.get(h.TRACEPARENT)))
    if b"progressToken" in params or b"traceparent" in params:
        _take_meta(call)
    return call


def _take_meta(call: Call) -> None:
    """Move the progress token and the trace out of `_meta`; the rest of `params` keeps its meaning."""
    members = j.decode_members(call.params)
    meta = j.decode_members(members["_meta"]) if members is not None and "_meta" in members else None
    if members is None or meta is None:
        return
    call.trace = trace_of(meta) or call.trace
    token = meta.pop("progressToken", None)
    if token is not None:
        call.progress_token = j.identifier(token) or b""
        put_meta(members, meta)
        call.params = j.encode(members)


def _reply(envelope: j.Envelope, request_id: bytes) -> Reply:
    result, error = bytes(envelope.result), bytes(envelope.error)
    if bool(result) == bool(error) or not request_id:
        refuse(j.INVALID_REQUEST, "Neither a request, a notification nor a response", request_id)
    key = j.text_of(request_id) or request_id.decode()
    if (result or error)[:1] != b"{":
        refuse(j.INVALID_REQUEST, "A response's result or error must be an object", request_id)
    return Reply(key, result, error)


def read_batch(fields: h.Fields, body: bytes) -> LegacyPost:
    """Raises RefusedError and MalformedError."""
    version = h.text(fields.get(h.VERSION)) or ASSUMED
    if version not in BATCHES:
        refuse(j.INVALID_REQUEST, "JSON-RPC batches exist in protocol version 2025-03-26 only")
    raws = j.decode_batch(body)
    if not raws or len(raws) > BATCH_MESSAGES:
        refuse(j.INVALID_REQUEST, f"A batch must have between 1 and {BATCH_MESSAGES} messages")
    messages = [_message(fields, j.decode_envelope(raw)) for raw in raws]
    ids = [message.id for message in messages if isinstance(message, Call)]
    if len(set(ids)) != len(ids):
        refuse(j.INVALID_REQUEST, "Two requests of the batch have the same id")
    if any(isinstance(message, Call) and message.method == "initialize" for message in messages):
        refuse(j.INVALID_REQUEST, "initialize must not be part of a batch")
    return LegacyPost(messages, version, is_batch=True)
