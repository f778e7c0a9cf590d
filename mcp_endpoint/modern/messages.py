"""The body of a modern client's POST as a typed call, checked against its headers. Pure.

The checks in their order: envelope, `_meta`, headers against body, version, method, types.
"""

from __future__ import annotations

from typing import Final

import msgspec

from hosting.runner.upstream.translation import LEVELS
from mcp_endpoint.wire import headers as h
from mcp_endpoint.wire import jsonrpc as j
from mcp_endpoint.wire.meta import CAPABILITIES_KEY, CLIENT_KEY, LEVEL_KEY, VERSION_KEY, put_meta, trace_of
from mcp_endpoint.wire.rejection import checked, refuse
from mcp_endpoint.wire.revisions import MODERN, is_modern

# Method -> the member of params that the Mcp-Name header mirrors.
NAMED: Final = {
    "tools/call": "name",
    "prompts/get": "name",
    "resources/read": "uri",
    "tasks/get": "taskId",
    "tasks/update": "taskId",
    "tasks/cancel": "taskId",
}
MODERN_METHODS: Final = frozenset(NAMED) | {
    "server/discover",
    "tools/list",
    "prompts/list",
    "resources/list",
    "resources/templates/list",
    "completion/complete",
    "subscriptions/listen",
}


class ModernCall(msgspec.Struct, gc=False):
    """A stateless request. `params` lacks what the other fields hold: the client's data, its state and its answers."""

    id: bytes
    method: str
    params: bytes
    revision: str
    capabilities: bytes
    client: bytes = b""
    log_level: str = ""
    progress_token: bytes = b""
    trace: str = ""
    state: str = ""
    responses: bytes = b""
    task_ids: list[str] = []


class ModernNote(msgspec.Struct, gc=False):
    """A modern client's notification: 2026-07-28 defines none over HTTP, so it is taken and nothing follows."""

    method: str


def read(fields: h.Fields, envelope: j.Envelope) -> ModernCall | ModernNote:
    request_id, params = checked(envelope)
    method = envelope.method
    if not method:
        message = "A client of this protocol version sends requests only, never responses"
        refuse(j.INVALID_REQUEST, message, request_id)
    if not request_id:
        return ModernNote(method)
    members = j.decode_members(params) if params else None
    meta = j.decode_members(members["_meta"]) if members is not None and "_meta" in members else None
    missing = [key for key in (VERSION_KEY, CAPABILITIES_KEY) if meta is None or key not in meta]
    if members is None or meta is None or missing:
        refuse(j.INVALID_PARAMS, f"params._meta lacks what every request must carry: {', '.join(missing)}", request_id)
    version = j.text_of(meta.pop(VERSION_KEY))
    _match_headers(fields, request_id, method, members, version)
    assert version is not None
    if not is_modern(version):
        data = {"supported": list(MODERN), "requested": version}
        refuse(j.UNSUPPORTED_VERSION, "Unsupported protocol version", request_id, data=data)
    if not is_served(method):
        refuse(j.METHOD_NOT_FOUND, f"Method not found: {method[:200]}", request_id, status=404)
    return _call(fields, request_id, method, members, meta, version)


def is_served(method: str) -> bool:
    """The methods of the revision, and those of extensions, whose first part is a reverse domain name."""
    return method in MODERN_METHODS or "." in method.partition("/")[0]


def _match_headers(fields: h.Fields, request_id: bytes, method: str, members: j.Members, version: str | None) -> None:
    """2026-07-28 basic/transports/streamable-http, "Server Validation"."""
    problem = ""
    found = h.text(fields.get(h.VERSION))
    if found is None:
        problem = "the MCP-Protocol-Version header is missing"
    elif found != version:
        problem = "the MCP-Protocol-Version header does not match the version in params._meta"
    elif (named := h.text(fields.get(h.METHOD))) is None:
        problem = "the Mcp-Method header is missing"
    elif named != method:
        problem = "the Mcp-Method header does not match the body's method"
    elif method in NAMED and (value := members.get(NAMED[method])) is not None:
        header = fields.get(h.NAME)
        if header is None:
            problem = "the Mcp-Name header is missing"
        elif h.decode_value(h.text(header)) != j.text_of(value):
            problem = f"the Mcp-Name header does not match params.{NAMED[method]}"
    if problem:
        refuse(j.HEADER_MISMATCH, f"Header mismatch: {problem}", request_id)


def _call(
    fields: h.Fields, request_id: bytes, method: str, members: j.Members, meta: j.Members, version: str
) -> ModernCall:
    capabilities = bytes(meta.pop(CAPABILITIES_KEY))
    client = bytes(meta.pop(CLIENT_KEY, b""))
    level = meta.pop(LEVEL_KEY, None)
    token = meta.pop("progressToken", None)
    state = members.pop("requestState", None)
    responses = bytes(members.pop("inputResponses", b""))
    problem = ""
    if capabilities[:1] != b"{":
        problem = f"{CAPABILITIES_KEY} must be an object"
    elif client and client[:1] != b"{":
        problem = f"{CLIENT_KEY} must be an object"
    elif level is not None and j.text_of(level) not in LEVELS:
        problem = f"{LEVEL_KEY} must be one of {', '.join(LEVELS)}"
    elif state is not None and not j.text_of(state):
        problem = "requestState must be a string that this server gave out"
    elif responses and responses[:1] != b"{":
        problem = "inputResponses must be an object"
    elif method in NAMED and j.text_of(members.get(NAMED[method])) is None:
        problem = f"params.{NAMED[method]} must be a string"
    if problem:
        refuse(j.INVALID_PARAMS, f"Invalid params: {problem}", request_id)
    trace = trace_of(meta) or h.trace(fields.get(h.TRACEPARENT))
    put_meta(members, meta)
    return ModernCall(
        id=request_id,
        method=method,
        params=j.encode(members) if members else b"",
        revision=version,
        capabilities=capabilities,
        client=client,
        log_level=(j.text_of(level) or "") if level is not None else "",
        progress_token=(j.identifier(token) or b"") if token is not None else b"",
        trace=trace,
        state=(j.text_of(state) or "") if state is not None else "",
        responses=responses,
    )
