"""A modern `tools/call` in its usual form, read in one step. Pure.

Whatever is unusual in any way is left to `messages.read`, which also says what is wrong with it: a member beyond those
that most clients send, a value of another type, a mirrored header that differs from the body or is not spelled plainly.
"""

from __future__ import annotations

import re
from typing import Final, Literal

import msgspec

from mcp_endpoint.modern.messages import ModernCall
from mcp_endpoint.wire import headers as h
from mcp_endpoint.wire import jsonrpc as j
from mcp_endpoint.wire.meta import CAPABILITIES_KEY, CLIENT_KEY, VERSION_KEY
from mcp_endpoint.wire.revisions import is_modern

_CALL: Final = b"tools/call"
_PLAIN = re.compile(
    rb"[A-Za-z0-9_./:@-]{1,256}\Z"
)  # means the same in a header and between the quotes of a JSON string
_NONE: Final = msgspec.Raw(b"")


class _Meta(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    version: msgspec.Raw = msgspec.field(name=VERSION_KEY)
    capabilities: msgspec.Raw = msgspec.field(name=CAPABILITIES_KEY)
    client: msgspec.Raw = msgspec.field(name=CLIENT_KEY, default=_NONE)
    token: msgspec.Raw = msgspec.field(name="progressToken", default=_NONE)


class _Params(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    name: msgspec.Raw
    meta: _Meta = msgspec.field(name="_meta")
    arguments: msgspec.Raw = _NONE


class _Call(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    jsonrpc: Literal["2.0"]
    id: msgspec.Raw
    method: Literal["tools/call"]
    params: _Params


_decode = msgspec.json.Decoder(_Call).decode


class PlainReader:
    """Reads the calls that come under one head of headers, which names their version and tool."""

    __slots__ = ("_name", "_revision", "_trace", "_version")

    def __init__(self, version: bytes, name: bytes, trace: str) -> None:
        self._revision = version.decode("ascii")
        self._version = msgspec.Raw(b'"%b"' % version)
        self._name = msgspec.Raw(b'"%b"' % name)
        self._trace = trace

    def read(self, body: bytes) -> ModernCall | None:
        """None for a body that has to be read in full."""
        try:
            call = _decode(body)
        except (msgspec.DecodeError, RecursionError):
            return None
        params = call.params
        meta = params.meta
        if meta.version != self._version or params.name != self._name or not _is_text(body):
            return None
        capabilities, client, token = bytes(meta.capabilities), bytes(meta.client), bytes(meta.token)
        found = j.identifier(call.id)
        if found is None or capabilities[:1] != b"{" or (client and client[:1] != b"{"):
            return None
        return ModernCall(
            found,
            "tools/call",
            b'{"name":%b,"arguments":%b}' % (params.name, params.arguments)
            if params.arguments != _NONE
            else b'{"name":%b}' % params.name,
            self._revision,
            capabilities,
            client,
            "",
            (j.identifier(token) or b"") if token else b"",
            self._trace,
        )


def _is_text(body: bytes) -> bool:
    try:
        j.check_text(body)
    except j.MalformedError:
        return False
    return True


def reader_for(fields: h.Fields) -> PlainReader | None:
    """None where the headers are not those of a plainly spelled `tools/call`."""
    version, name = fields.get(h.VERSION, b""), fields.get(h.NAME, b"")
    if fields.get(h.METHOD) != _CALL or not _PLAIN.match(name) or not is_modern(version.decode("latin-1")):
        return None
    return PlainReader(version, name, h.trace(fields.get(h.TRACEPARENT)))
