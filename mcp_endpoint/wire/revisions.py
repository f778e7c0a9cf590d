"""The protocol revisions the endpoint speaks, newest first, and what is particular to each."""

from __future__ import annotations

from typing import Final

MODERN: Final = ("2026-07-28",)
LEGACY: Final = ("2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05")

# JSON-RPC batches came with 2025-03-26 (basic/transports, "Sending Messages") and went with 2025-06-18.
BATCHES: Final = frozenset({"2025-03-26"})
# A request without the version header is taken for 2025-03-26 (2025-11-25 basic/transports, "Protocol Version Header").
ASSUMED: Final = "2025-03-26"

# Events with an id and no data, and streams that the server closes in between, came with 2025-11-25 (SEP-1699); clients
# of earlier revisions take such an event for a broken message.
POLLING: Final = frozenset({"2025-11-25"})


def is_legacy(revision: str) -> bool:
    return revision in LEGACY


def is_modern(revision: str) -> bool:
    return revision in MODERN


def negotiable(revision: str) -> str:
    """The legacy revision to open a session with when a client asks for `revision`."""
    return revision if revision in LEGACY else LEGACY[0]
