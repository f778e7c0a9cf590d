"""What a modern child's DiscoverResult means to a legacy client. Pure."""

from __future__ import annotations

from typing import Any

import msgspec

from hosting.runner.listening import Filter
from hosting.runner.upstream import messages as m
from hosting.runner.upstream.base import LEGACY, MODERN, HandshakeError

_LIST_CHANGES = ("tools", "prompts", "resources")


class Discovery(msgspec.Struct):
    """The parts of a DiscoverResult (2026-07-28 server/discover) that the bridge itself needs."""

    supported: list[str] = msgspec.field(name="supportedVersions", default_factory=list)
    capabilities: msgspec.Raw = msgspec.Raw(b"{}")
    instructions: msgspec.Raw = msgspec.Raw(b"")
    meta: dict[str, msgspec.Raw] = msgspec.field(name="_meta", default_factory=dict)

    @property
    def revision(self) -> str:
        """The newest revision that both sides know. Raises HandshakeError."""
        shared = [revision for revision in MODERN if revision in self.supported]
        if not shared:
            raise HandshakeError(f"it supports only the protocol versions {self.supported}")
        return shared[0]

    def initialize_result(self, revision: str, label: str) -> bytes:
        """The raw InitializeResult for a client that asked for `revision` (2025-11-25 basic/lifecycle)."""
        capabilities: dict[str, Any] = dict(m.decode_members(self.capabilities))
        capabilities.setdefault("logging", {})
        body: dict[str, Any] = {
            "protocolVersion": revision if revision in LEGACY else LEGACY[0],
            "capabilities": capabilities,
            "serverInfo": self.meta.get(m.META + "serverInfo", {"name": label, "version": "unknown"}),
        }
        if bytes(self.instructions):
            body["instructions"] = self.instructions
        return m.encode(body)

    def announces(self) -> Filter:
        """All list changes that the child can announce."""
        capabilities: dict[str, Any] = msgspec.json.decode(self.capabilities)
        return Filter.of(bool((capabilities.get(name) or {}).get("listChanged")) for name in _LIST_CHANGES)


def decode_discovery(raw: bytes) -> Discovery:
    """Raises HandshakeError."""
    try:
        return msgspec.json.decode(raw, type=Discovery)
    except msgspec.DecodeError as error:
        raise HandshakeError(f"its answer to server/discover is not a DiscoverResult: {error}") from None
