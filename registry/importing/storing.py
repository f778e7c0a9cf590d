"""A batch of imported entries into the database, in a few statements and one short transaction.

What this site decided itself stands: a name that was published here takes nothing from elsewhere, a version that was
edited or given a status here stays as it is, a server that was taken down stays down, and a name that one upstream
brought is not changed by another one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any

import msgspec
from django.db import connection, transaction

from common import clock
from registry.changes import servers_changed
from registry.importing.records import Imported
from registry.models import Server, ServerVersion, Status, Upstream
from registry.precedence import Candidate, latest
from registry.server_json.names import folded

BATCH = 1000

_SERVERS = """
    INSERT INTO registry_server
        (name, folded, is_local, verified_by, upstream_id, taken_down_reason, statuses_before, created_at)
    SELECT name, folded, false, %s, %s, '', '{}', %s
    FROM unnest(%s::text[], %s::text[]) AS new (name, folded) ORDER BY name
    ON CONFLICT (name) DO NOTHING
"""
_VERSIONS = """
    INSERT INTO registry_serverversion AS old
        (server_id, name, version, document, status, status_message, status_changed_at, published_at, updated_at,
         changed_at, is_latest, is_local, remote_keys, marks)
    SELECT server_id, name, version, document, status, message, status_changed_at, published_at, updated_at,
           %s, false, false, remote_keys::bigint[], marks::jsonb
    FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::timestamptz[],
                %s::timestamptz[], %s::timestamptz[], %s::text[], %s::text[]) WITH ORDINALITY
         AS new (server_id, name, version, document, status, message, status_changed_at, published_at, updated_at,
                 remote_keys, marks, place)
    ORDER BY place
    ON CONFLICT (name, version) DO UPDATE SET
        document = excluded.document, status = excluded.status, status_message = excluded.status_message,
        status_changed_at = excluded.status_changed_at, published_at = excluded.published_at,
        updated_at = excluded.updated_at, changed_at = excluded.changed_at, remote_keys = excluded.remote_keys,
        marks = excluded.marks
    WHERE NOT old.is_local AND (old.document, old.status, old.status_message, old.status_changed_at,
        old.published_at, old.updated_at, old.marks) IS DISTINCT FROM (excluded.document, excluded.status,
        excluded.status_message, excluded.status_changed_at, excluded.published_at, excluded.updated_at, excluded.marks)
    RETURNING server_id
"""


@dataclass(frozen=True)
class Stored:
    """`changed` were added or changed; `left` belong to names that are not this source's to say."""

    changed: int = 0
    left: int = 0

    def __add__(self, other: Stored) -> Stored:
        return Stored(self.changed + other.changed, self.left + other.left)


def batch_store(entries: Sequence[Imported], *, verified_by: str, upstream: Upstream | None = None) -> Stored:
    """In the caller's transaction where there is one. Of an entry that comes twice the last counts."""
    once = list({(one.name, one.version): one for one in entries}.values())
    with transaction.atomic():
        servers = _servers(sorted({one.name for one in once}), verified_by, upstream)
        kept = [one for one in once if one.name in servers]
        changed = _versions(kept, servers)
        if changed:
            ids = sorted(set(changed))
            latest_decide_all(ids)
            servers_changed(ids)
    return Stored(len(changed), len(once) - len(kept))


def _servers(names: list[str], verified_by: str, upstream: Upstream | None) -> dict[str, int]:
    """The servers that this source may change, by name, locked; new ones are made."""
    upstream_id = upstream.pk if upstream else None
    with connection.cursor() as cursor:
        new = [folded(name) for name in names]
        cursor.execute(_SERVERS, [verified_by[:200], upstream_id, clock.now(), names, new])
    found: dict[str, int] = {}
    adopted: list[int] = []
    for server in Server.objects.select_for_update().filter(name__in=names).order_by("pk"):
        if server.is_local or server.taken_down_at is not None:
            continue
        if upstream_id is not None and server.upstream_id not in (None, upstream_id):
            continue
        if upstream_id is not None and server.upstream_id is None:
            adopted.append(server.pk)
        found[server.name] = server.pk
    if adopted:
        Server.objects.filter(pk__in=adopted).update(upstream=upstream, verified_by=verified_by[:200])
    return found


def _versions(entries: Sequence[Imported], servers: dict[str, int]) -> list[int]:
    """The server of each version that was added or changed."""
    if not entries:
        return []
    now = clock.now()
    before = _times_before(entries)
    rows = [_row(one, servers[one.name], before.get((one.name, one.version)), now) for one in entries]
    with connection.cursor() as cursor:
        cursor.execute(_VERSIONS, [now, *map(list, zip(*rows, strict=True))])
        return [server_id for (server_id,) in cursor.fetchall()]


Times = tuple[str, str | None, datetime, datetime, datetime]


def _times_before(entries: Sequence[Imported]) -> dict[tuple[str, str], Times]:
    """Of entries whose source says no times: what a bare document must not reset."""
    names = [one.name for one in entries if one.published_at is None]
    if not names:
        return {}
    rows = ServerVersion.objects.filter(name__in=names).values_list(
        "name", "version", "status", "status_message", "status_changed_at", "published_at", "updated_at"
    )
    return {(name, version): tuple(rest) for name, version, *rest in rows}  # type: ignore[misc]


def _row(one: Imported, server_id: int, before: Times | None, now: datetime) -> tuple[Any, ...]:
    if before is not None and one.published_at is None:
        status, message, status_changed_at, published_at, updated_at = before
    else:
        status, message = one.status, one.status_message
        published_at = one.published_at or now
        updated_at = one.updated_at or published_at
        status_changed_at = one.status_changed_at or published_at
    keys = "{" + ",".join(map(str, one.remote_keys)) + "}"
    marks = msgspec.json.encode(one.marks).decode()
    times = (status_changed_at, published_at, updated_at)
    return (server_id, one.name, one.version, one.document, status, message, *times, keys, marks)


def latest_decide_all(server_ids: Sequence[int]) -> None:
    """Flags the latest version of each. With the servers locked."""
    rows = (
        ServerVersion.objects.filter(server_id__in=server_ids)
        .order_by("server_id")
        .values_list("server_id", "id", "version", "published_at", "status", "is_latest")
    )
    down: list[int] = []
    up: list[int] = []
    for _, group in groupby(rows, key=itemgetter(0)):
        versions = list(group)
        found = latest(
            Candidate(id_, version, at, status == Status.DELETED) for _, id_, version, at, status, _ in versions
        )
        flagged = [id_ for _, id_, _, _, _, is_latest in versions if is_latest]
        if found is not None and flagged != [found.id]:
            down += flagged
            up.append(found.id)
    # First down, then up: at no moment has a server two.
    ServerVersion.objects.filter(pk__in=down).update(is_latest=False)
    ServerVersion.objects.filter(pk__in=up).update(is_latest=True)
