"""The members of a request's `_meta` that the endpoint itself reads or takes out. Pure.

2026-07-28 basic/index, "_meta": the per-request protocol fields, and the exception for OpenTelemetry's trace context.
"""

from __future__ import annotations

from typing import Final

import msgspec

from mcp_endpoint.wire import headers as h
from mcp_endpoint.wire import jsonrpc as j

META: Final = "io.modelcontextprotocol/"
VERSION_KEY: Final = META + "protocolVersion"
CLIENT_KEY: Final = META + "clientInfo"
CAPABILITIES_KEY: Final = META + "clientCapabilities"
LEVEL_KEY: Final = META + "logLevel"


def meta_of(params: bytes) -> j.Members | None:
    members = j.decode_members(params)
    return j.decode_members(members["_meta"]) if members is not None and "_meta" in members else None


def put_meta(members: j.Members, meta: j.Members) -> None:
    if meta:
        members["_meta"] = msgspec.Raw(j.encode(meta))
    else:
        members.pop("_meta", None)


def trace_of(meta: j.Members) -> str:
    value = j.text_of(meta.get("traceparent"))
    return h.trace(value.encode("latin-1", "replace")) if value else ""
