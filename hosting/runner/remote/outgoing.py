"""A JSON-RPC line on its way to a remote: what it is, and the headers that a stateless request mirrors. Pure.

Source: 2026-07-28 basic/transports/streamable-http, "Request Metadata".
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from hosting.runner.mirrored import Param, encode_value, is_mirrored, value_at, written
from hosting.runner.upstream import messages as m

CANCELLED: Final = "notifications/cancelled"
INITIALIZED: Final = "notifications/initialized"
_NAMES: Final = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"} | dict.fromkeys(
    ("tasks/get", "tasks/update", "tasks/cancel"), "taskId"
)  # SEP-2663, "Routing Headers"
_VERSION: Final = m.META + "protocolVersion"

Mirrored = dict[str, tuple[Param, ...]]  # by tool


class Outgoing(msgspec.Struct):
    """A request has both, a notification a method only, an answer to the remote's own request an id only."""

    id: int | str | float | None | msgspec.UnsetType = msgspec.UNSET
    method: str = ""
    params: msgspec.Raw = msgspec.Raw(b"")

    @property
    def number(self) -> int:
        """Of a request, which the runner numbers itself; 0 for whatever else."""
        return self.id if isinstance(self.id, int) and self.method else 0


class _Cancelled(msgspec.Struct):
    request: int = msgspec.field(name="requestId", default=0)


decode_outgoing = msgspec.json.Decoder(Outgoing).decode


def cancelled_number(params: bytes) -> int:
    """The request that a `notifications/cancelled` of ours is about."""
    return msgspec.json.decode(params, type=_Cancelled).request


def modern_headers(outgoing: Outgoing, mirrored: Mirrored) -> dict[str, str]:
    """What a stateless request has in its headers besides its body."""
    members: dict[str, Any] = dict(m.decode_members(outgoing.params)) if bytes(outgoing.params) else {}
    meta = m.decode_members(members["_meta"]) if "_meta" in members else {}
    headers = {"mcp-method": outgoing.method}
    if _VERSION in meta:
        headers["mcp-protocol-version"] = str(msgspec.json.decode(meta[_VERSION]))
    member = _NAMES.get(outgoing.method)
    if member is None or member not in members:
        return headers
    name = msgspec.json.decode(members[member])
    if not isinstance(name, str):
        return headers
    headers["mcp-name"] = encode_value(name)
    if outgoing.method == "tools/call" and name in mirrored and "arguments" in members:
        headers.update(param_headers(mirrored[name], msgspec.json.decode(members["arguments"])))
    return headers


def param_headers(params: tuple[Param, ...], arguments: Any) -> dict[str, str]:
    """`null`, and what is not there, has no header ("Server Behavior for Custom Headers")."""
    values = {param.shown: value_at(arguments, param.path) for param in params}
    return {name.lower(): written(value) for name, value in values.items() if is_mirrored(value)}


def meta_of(params: bytes) -> msgspec.Raw:
    """The raw `_meta` of a stateless request, without what belongs to that one alone."""
    members = m.decode_members(params)
    meta = m.decode_members(members["_meta"]) if "_meta" in members else {}
    meta.pop("progressToken", None)
    return msgspec.Raw(m.encode(meta))
