"""Bytes and headers of one POST -> a typed value, or the Rejection to answer with. Pure.

Which era a message is of follows from how the client opens (2026-07-28 basic/versioning, "Backward Compatibility"): the
`_meta` of a stateless request or a modern version header means modern, everything else legacy.
"""

from __future__ import annotations

from mcp_endpoint.legacy import messages as legacy
from mcp_endpoint.modern import messages as modern
from mcp_endpoint.wire import headers as h
from mcp_endpoint.wire import jsonrpc as j
from mcp_endpoint.wire.meta import VERSION_KEY, meta_of
from mcp_endpoint.wire.rejection import RefusedError, Rejection
from mcp_endpoint.wire.revisions import is_legacy, is_modern

Inbound = legacy.LegacyPost | modern.ModernCall | modern.ModernNote


def classify(fields: h.Fields, twice: str, body: bytes) -> Inbound | Rejection:
    """What this POST asks for. `fields` and `twice` are what `headers.pick` found."""
    if twice:
        return Rejection(400, j.HEADER_MISMATCH, f"Header mismatch: {twice} was sent more than once")
    content_type = fields.get(h.CONTENT_TYPE)
    if content_type is None or not h.is_json(content_type):
        return Rejection(415, j.INVALID_REQUEST, "Send the message with Content-Type: application/json")
    try:
        j.check_text(body)
        if body[:1] == b"[" or body.lstrip()[:1] == b"[":
            return legacy.read_batch(fields, body)
        envelope = j.decode_envelope(body)
        if _is_modern(fields, envelope):
            return modern.read(fields, envelope)
        return legacy.read(fields, envelope)
    except j.MalformedError as error:
        return Rejection(400, error.code, f"The request can't be read: {error}")
    except RefusedError as refused:
        return refused.rejection


def _is_modern(fields: h.Fields, envelope: j.Envelope) -> bool:
    version = h.text(fields.get(h.VERSION))
    if version is not None and (is_modern(version) or (not is_legacy(version) and h.METHOD in fields)):
        return True
    params = bytes(envelope.params)
    if b"/protocolVersion" in params:
        meta = meta_of(params)
        if meta is not None and VERSION_KEY in meta:
            return True
    return version is None and envelope.method == "server/discover"
