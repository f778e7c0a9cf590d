"""What a client says of itself in `initialize` (2025-11-25 schema, InitializeRequestParams). Pure."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from mcp_endpoint.legacy.messages import Call
from mcp_endpoint.wire import jsonrpc as j
from mcp_endpoint.wire.rejection import refuse
from mcp_endpoint.wire.revisions import negotiable


class Greeted(NamedTuple):
    """`capabilities` and `client` are raw JSON objects; `revision` is the one that is agreed on."""

    revision: str
    capabilities: bytes
    client: bytes


class _Params(msgspec.Struct):
    version: str = msgspec.field(name="protocolVersion")
    capabilities: msgspec.Raw = msgspec.Raw(b"{}")
    client: msgspec.Raw = msgspec.field(name="clientInfo", default=msgspec.Raw(b"{}"))


_decode = msgspec.json.Decoder(_Params).decode


def greeted(call: Call) -> Greeted:
    """Refuses the call with -32602 where its params are none of `initialize`."""
    try:
        asked = _decode(call.params or b"{}")
    except (msgspec.DecodeError, RecursionError):
        refuse(j.INVALID_PARAMS, "initialize needs params.protocolVersion, capabilities and clientInfo", call.id)
    found = Greeted(negotiable(asked.version), bytes(asked.capabilities), bytes(asked.client))
    if found.capabilities[:1] != b"{" or found.client[:1] != b"{":
        refuse(j.INVALID_PARAMS, "params.capabilities and params.clientInfo must be objects", call.id)
    return found
