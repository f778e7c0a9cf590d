"""The per-name lock under which versions are added and statuses change, and the flag that one of them is the latest."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connection

from common import clock
from registry.models import Server, ServerVersion, Status
from registry.precedence import Candidate, latest
from registry.server_json.names import folded


def server_locked(name: str) -> Server | None:
    """Until the transaction ends nobody else changes this name."""
    return Server.objects.select_for_update().filter(name=name).first()


def server_ensure_locked(name: str) -> Server:
    """The same, made when there is none. Two who make it at once get the same row, one after the other."""
    found = server_locked(name)
    if found is None:
        new = Server(name=name, folded=folded(name), created_at=clock.now())
        Server.objects.bulk_create([new], ignore_conflicts=True)
        found = Server.objects.select_for_update().get(name=name)
    return found


def addresses_lock(keys: Iterable[int]) -> None:
    """Two names can't take one remote address at once. Always in the same order, so that nobody waits in a circle."""
    with connection.cursor() as cursor:
        for key in sorted(set(keys)):
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [key])


def latest_decide(server: Server) -> None:
    """Flags the version that is the latest now. With the server locked."""
    rows = ServerVersion.objects.filter(server=server).values_list(
        "id", "version", "published_at", "status", "is_latest"
    )
    found = latest(Candidate(id_, version, at, status == Status.DELETED) for id_, version, at, status, _ in rows)
    flagged = next((row[0] for row in rows if row[4]), None)
    if found is None or found.id == flagged:
        return
    # First down, then up: at no moment are there two.
    if flagged is not None:
        ServerVersion.objects.filter(pk=flagged).update(is_latest=False)
    ServerVersion.objects.filter(pk=found.id).update(is_latest=True)
