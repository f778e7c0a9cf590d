"""Call records: written in batches by the web processes, read by owners and by those who called, deleted with age."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q

from accounts.models import User
from common import clock
from events.actors import Actor
from hosting.access.permissions import may_manage, may_see, unknown
from hosting.models import CallRecord, Deployment, DeploymentVersion
from hosting.usage.calls import ERROR, TOOL_ERROR, CallRow
from hosting.usage.tallies import calls_tally

PAGE = 50
DELETED_AT_ONCE = 10_000

_COPY = (
    "COPY hosting_callrecord (deployment_id, version_id, at, method, tool, user_id, client, era, microseconds, "
    "bytes_in, bytes_out, status, was_cold) FROM STDIN"
)
_LINES_AT_ONCE = 500
_ESCAPED = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\0": ""})


# --- writing


def calls_write(rows: list[CallRow]) -> None:
    """All of them, but for those of deployments that are gone. COPY, since it costs a row a tenth of an INSERT."""
    deployments = _existing(Deployment, {row.deployment_id for row in rows})
    versions = _existing(DeploymentVersion, {row.version_id for row in rows})
    users = _existing(User, {row.sub for row in rows})
    rows = [row for row in rows if row.deployment_id in deployments]
    lines = [_line(row, row.version_id in versions, row.sub in users) for row in rows]
    with transaction.atomic():
        with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
            for start in range(0, len(lines), _LINES_AT_ONCE):  # each write waits for the socket
                copy.write("".join(lines[start : start + _LINES_AT_ONCE]))
        calls_tally(rows)


def _existing(model: type[Any], ids: Iterable[str]) -> set[str]:
    wanted = [found for text in ids if (found := _uuid(text)) is not None]
    return set(map(str, model.objects.filter(pk__in=wanted).values_list("pk", flat=True)))


def _line(row: CallRow, has_version: bool, has_user: bool) -> str:
    """PostgreSQL's COPY text format."""
    version = row.version_id if has_version else "\\N"
    user = row.sub if has_user else "\\N"
    whole = int(row.at)
    return (
        f"{row.deployment_id}\t{version}\t{_second(whole)}.{int((row.at - whole) * 1e6):06d}+00\t{_text(row.method)}\t"
        f"{_text(row.tool)}\t{user}\t{_text(row.client[:200])}\t{row.era}\t{row.microseconds}\t{row.bytes_in}\t"
        f"{row.bytes_out}\t{row.status}\t{'t' if row.was_cold else 'f'}\n"
    )


@lru_cache(maxsize=512)
def _second(at: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(at))


@lru_cache(maxsize=4096)
def _text(value: str) -> str:
    return value.encode("utf-8", "replace").decode().translate(_ESCAPED)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def calls_purge() -> int:
    """Deletes what is older than the site keeps; gives how many rows. In pieces, so that no lock lasts."""
    before = clock.now() - timedelta(days=settings.SLIPWAY_CALL_RECORD_DAYS)
    old = CallRecord.objects.filter(at__lt=before).order_by().values_list("pk", flat=True)
    total = 0
    while True:
        ids = list(old[:DELETED_AT_ONCE])
        deleted, _ = CallRecord.objects.filter(pk__in=ids).delete()
        total += deleted
        if len(ids) < DELETED_AT_ONCE:
            return total


# --- reading


@dataclass(frozen=True)
class ToolStats:
    """How one tool was used. `errors`: calls that ended with the tool's own error or with the protocol's."""

    tool: str
    calls: int
    errors: int
    p50_ms: float
    p95_ms: float
    cold_starts: int


@dataclass(frozen=True)
class Stats:
    """`total.tool` is ""; percentiles are of answered calls only, since a refused one takes no time."""

    total: ToolStats
    tools: list[ToolStats]


_STATS = """
    SELECT CASE WHEN GROUPING(tool) = 1 THEN NULL ELSE tool END,
           count(*),
           count(*) FILTER (WHERE status IN (%s, %s)),
           percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY microseconds)
               FILTER (WHERE status IN ('ok', 'tool_error')),
           count(*) FILTER (WHERE was_cold)
    FROM (SELECT tool, status, microseconds, was_cold FROM hosting_callrecord
          WHERE deployment_id = %s AND at >= %s AND method = 'tools/call' ORDER BY at DESC LIMIT %s) AS latest
    GROUP BY GROUPING SETS ((tool), ())
    ORDER BY 2 DESC, 1
"""


def stats_of(deployment: Deployment, since: datetime, most: int | None = None) -> Stats:
    """Of tool calls, by tool, the most called first; of the latest `most` of them where that is given."""
    total = ToolStats("", 0, 0, 0.0, 0.0, 0)
    tools = []
    with connection.cursor() as cursor:
        cursor.execute(_STATS, [TOOL_ERROR, ERROR, deployment.pk, since, most])
        for tool, count, errors, percentiles, cold in cursor.fetchall():
            p50, p95 = (value / 1000 for value in percentiles or (0.0, 0.0))
            stats = ToolStats(tool or "", count, errors, p50, p95, cold)
            if tool is None:
                total = stats
            else:
                tools.append(stats)
    return Stats(total, tools)


@dataclass(frozen=True)
class CallPage:
    """Newest first. `next` goes into `calls_of` as `after` for the older ones, "" when there are none."""

    calls: list[CallRecord]
    next: str


def calls_of(
    actor: Actor, deployment: Deployment, *, tool: str = "", status: str = "", after: str = "", limit: int = PAGE
) -> CallPage:
    """Who called what when: all of it for who manages the deployment, for others their own calls.

    Raises NotFound when the actor may not even see the deployment. A broken `after` counts as none.
    """
    found = deployment.calls.select_related("user")
    if not may_manage(actor, deployment):
        if actor.user_id is None or not may_see(actor, deployment):
            raise unknown()
        found = found.filter(user_id=actor.user_id)
    if tool:
        found = found.filter(tool=tool)
    if status:
        found = found.filter(status=status)
    if position := _position(after):
        at, pk = position
        found = found.filter(Q(at__lt=at) | Q(at=at, pk__lt=pk))
    rows = list(found.order_by("-at", "-id")[: limit + 1])
    more = len(rows) > limit
    rows = rows[:limit]
    return CallPage(rows, f"{rows[-1].at.isoformat()}~{rows[-1].pk}" if more else "")


def _position(after: str) -> tuple[datetime, int] | None:
    at, _, pk = after.partition("~")
    try:
        parsed = datetime.fromisoformat(at)
        return (parsed, int(pk)) if parsed.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None
