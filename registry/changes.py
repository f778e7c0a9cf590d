"""What else has to be done in the transaction that changed versions: one door, so that no writer forgets it."""

from __future__ import annotations

from collections.abc import Collection

from registry.search.indexing import servers_index


def servers_changed(server_ids: Collection[int]) -> None:
    """Versions of these servers were added, edited or given another status. Called inside the transaction."""
    servers_index(server_ids)
