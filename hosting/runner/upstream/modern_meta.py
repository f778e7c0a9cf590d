"""`_meta` of the stateless revisions: what every request carries, and the subscription that a message names."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import msgspec

from hosting.runner.upstream import messages as m
from hosting.runner.upstream.base import Client

_REMEMBERED_BYTES = 4096
_SUBSCRIPTION_ID = m.META + "subscriptionId"


def subscription_split(raw: bytes) -> tuple[int, bytes]:
    """The subscription that a notification or a result names (0 for none), and the same without it."""
    members = m.decode_members(raw or b"{}")
    meta = m.decode_members(members["_meta"]) if "_meta" in members else {}
    number = bytes(meta.pop(_SUBSCRIPTION_ID, msgspec.Raw(b"0")))
    if meta:
        members["_meta"] = msgspec.Raw(m.encode(meta))
    else:
        members.pop("_meta", None)
    return int(number) if number.isdigit() else 0, m.encode(members)


def request_meta(revision: str, client: Client) -> dict[str, Any]:
    """The `_meta` that every modern request must carry (2026-07-28 basic/index, _meta)."""
    return {
        m.META + "protocolVersion": revision,
        m.META + "clientInfo": msgspec.Raw(client.info),
        m.META + "clientCapabilities": msgspec.Raw(client.capabilities),
    }


@lru_cache(maxsize=256)
def _meta_members(revision: str, info: bytes, capabilities: bytes) -> bytes:
    """The members of `request_meta`, raw: they are the same for most calls of a child."""
    return m.encode(request_meta(revision, Client(revision, capabilities, info)))[1:-1]


def meta_members(revision: str, info: bytes, capabilities: bytes) -> bytes:
    """The members of `request_meta`, raw."""
    is_small = len(capabilities) + len(info) < _REMEMBERED_BYTES
    return (_meta_members if is_small else _meta_members.__wrapped__)(revision, info, capabilities)
