"""Who shares an instance with whom, as whom its server is greeted, and whose data folder it has. Pure.

These are the isolation rules of the architecture page. A legacy session has an instance of its own; a modern
principal's calls share one per set of capabilities. Only a shared deployment mixes principals, and its children are
told of no client capabilities. Where a data folder is kept, a user's sessions share an instance.
"""

from __future__ import annotations

import hashlib
from typing import Final

import msgspec

from hosting.runner.eras import Eras
from hosting.runner.folders import SHARED
from hosting.runner.frames import Open
from hosting.runner.placement import Placement
from hosting.runner.session import Session
from hosting.runner.upstream.base import PLATFORM, Client
from hosting.runner.upstream.on_site import may_ask, told

ONCE: Final = "once:"  # in front of the key of an instance that serves one call


def key_of(placement: Placement, eras: Eras, opened: Open, session: Session | None) -> str:
    """The isolation key: calls with the same one may be served by the same instance."""
    era = "modern" if eras.gives_modern(opened.revision) else "legacy"
    if placement.isolation == "shared":
        return f"shared:{era}"
    if session is not None:
        if placement.isolation == "principal" or placement.data_folder:
            return f"principal:{era}:{session.owner}:{_digest(session.capabilities)}{_own(opened)}"
        return f"session:{session.id}"
    if not opened.isolation:
        # Modern servers keep nothing between requests; any other one is ended before somebody else could ask it.
        return "nobody:modern" if era == "modern" and eras.has_modern else f"{ONCE}{opened.exchange}"
    declared = _digest(opened.capabilities) if era == "legacy" else ""
    return f"principal:{era}:{opened.isolation}:{declared}{_own(opened)}"


def client_of(placement: Placement, opened: Open, session: Session | None) -> Client:
    """As whom an instance for this call greets its server, with what its user is asked for on the site.

    All whom a handshake child serves have declared the same, since `key_of` tells them apart by it: what one of their
    clients can't show none of them can.
    """
    if placement.isolation == "shared":
        return Client(opened.revision)
    if session is not None:
        client, subject = Client(session.revision, session.capabilities, session.client or PLATFORM), session.subject
    else:
        client = Client(opened.revision, opened.capabilities or b"{}", opened.client or PLATFORM)
        subject = opened.subject if opened.isolation else ""
    if not placement.asks_on_site or not may_ask(client.revision, subject):
        return client
    return msgspec.structs.replace(client, capabilities=told(client.capabilities), declared=client.capabilities)


def folder_of(placement: Placement, opened: Open, session: Session | None) -> str:
    """Whose data folder the instance gets; "" for none. What keeps nothing of anybody keeps no folder."""
    if not placement.data_folder or placement.remote is not None:
        return ""
    if placement.isolation == "shared":
        return SHARED
    return session.subject if session is not None else opened.subject if opened.isolation else ""


def _own(opened: Open) -> str:
    """Another value of the user's own, another instance."""
    return f":{opened.personal}" if opened.personal else ""


def _digest(capabilities: bytes) -> str:
    return hashlib.blake2b(capabilities or b"{}", digest_size=8).hexdigest()
