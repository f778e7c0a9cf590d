"""Which era a freshly started child is spoken to in: asked once, preferred era first, remembered by the placement.

2026-07-28 basic/transports/stdio (Backward Compatibility): `server/discover` first; a DiscoverResult or a recognized
modern error means modern, any other error or silence means legacy. A legacy client's child is asked `initialize` first,
since a dual-era child is locked to the era of its first request.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import msgspec

from hosting.runner.upstream import messages as m
from hosting.runner.upstream.base import (
    LEGACY,
    MODERN,
    Client,
    HandshakeError,
    Peer,
    Upstream,
    WrongEraError,
    is_modern,
)
from hosting.runner.upstream.legacy import LegacyUpstream
from hosting.runner.upstream.modern import ModernUpstream
from hosting.runner.upstream.modern_meta import request_meta

Ask = Callable[[str, bytes], Awaitable[m.Message]]
SILENCE_SECONDS = 8.0
_HANDSHAKE_CAPABILITIES = ("sampling", "elicitation", "roots", "experimental", "extensions")


async def negotiate(peer: Peer, ask: Ask, client: Client, known: str, seconds: float) -> Upstream:
    """Speak to the child until it has an adapter. `known` is what an earlier probe found ("" for nothing).

    Raises HandshakeError with what the child said, WrongEraError when a fresh child should be asked as a modern one,
    or TimeoutError when it says nothing.
    """
    wants_modern = is_modern(client.revision)
    if known == "legacy" or (known == "dual" and not wants_modern):
        return await _legacy(peer, ask, client)
    if known == "modern" or (known == "dual" and wants_modern):
        return await _modern(peer, ask, client)
    if wants_modern:
        try:
            return await asyncio.wait_for(_modern(peer, ask, client), min(SILENCE_SECONDS, seconds / 2))
        except (HandshakeError, TimeoutError):
            return await _legacy(peer, ask, client)
    try:
        return await _legacy(peer, ask, client)
    except HandshakeError as refused:
        raise WrongEraError(str(refused)) from None


async def _legacy(peer: Peer, ask: Ask, client: Client) -> LegacyUpstream:
    revision = client.revision if client.revision in LEGACY else LEGACY[0]
    params = m.encode(
        {
            "protocolVersion": revision,
            "capabilities": msgspec.Raw(_legacy_capabilities(client)),
            "clientInfo": msgspec.Raw(client.info),
        }
    )
    reply = await ask("initialize", params)
    return LegacyUpstream(peer, client, _result(reply, "initialize"))


def _legacy_capabilities(client: Client) -> bytes:
    """What a modern client declares, without what a handshake revision does not know."""
    if not is_modern(client.revision):
        return client.capabilities
    members = m.decode_members(client.capabilities)
    return m.encode({name: members[name] for name in _HANDSHAKE_CAPABILITIES if name in members})


async def _modern(peer: Peer, ask: Ask, client: Client) -> ModernUpstream:
    reply = await ask("server/discover", m.encode({"_meta": request_meta(MODERN[0], client)}))
    return ModernUpstream(peer, client, _result(reply, "server/discover"))


def _result(reply: m.Message, method: str) -> bytes:
    if reply.error is not msgspec.UNSET:
        try:
            error = m.decode_error(reply.error)
        except msgspec.DecodeError:
            raise HandshakeError(f"it refused {method} with an error that is none") from None
        raise HandshakeError(f"it refused {method}: {error.message[:300]} ({error.code})")
    if reply.result is msgspec.UNSET:
        raise HandshakeError(f"it answered {method} with neither result nor error")
    return bytes(reply.result)
