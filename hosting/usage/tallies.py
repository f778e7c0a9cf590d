"""Counting calls and tasks by the hour: written where they are written and deleted, read by `hosting.usage.activity`.

Calls are counted in the transaction that writes their records, once a second for each web process and in its thread;
those of days that no plot tells apart by the hour any more are put together, day by day, into their first hour.
Tasks change while they live, so they are counted when they are deleted; until then their rows are read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import connection

from common import clock
from hosting.models import CallHour, TaskHour
from hosting.usage.calls import ERROR, OK, TOOL_ERROR, CallRow
from hosting.usage.durations import step_of

HOUR: Final = 3600
HOURLY_DAYS: Final = 7  # how long hours are kept apart: of the longest period that a plot divides below a day
TALLIED: Final = "tools/call"
_ANSWERED: Final = (OK, TOOL_ERROR)
_FAILED: Final = (TOOL_ERROR, ERROR)

_INTO: Final = "INSERT INTO hosting_callhour (deployment_id, hour, step, calls, answered, errors, cold_starts)"
_TO_WHAT_IS_THERE: Final = """
    ON CONFLICT (deployment_id, hour, step) DO UPDATE SET calls = hosting_callhour.calls + excluded.calls,
        answered = hosting_callhour.answered + excluded.answered, errors = hosting_callhour.errors + excluded.errors,
        cold_starts = hosting_callhour.cold_starts + excluded.cold_starts
"""
_ADD_CALLS: Final = f"""
    {_INTO}
    SELECT * FROM unnest(
        %s::uuid[], %s::timestamptz[], %s::int[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[])
    {_TO_WHAT_IS_THERE}
"""
_ADD_TASKS = """
    INSERT INTO hosting_taskhour (deployment_id, hour, outcome, tasks)
    SELECT deployment_id, date_trunc('hour', created_at), outcome, count(*) FROM hosting_task WHERE id = ANY(%s)
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
    ON CONFLICT (deployment_id, hour, outcome) DO UPDATE SET tasks = hosting_taskhour.tasks + excluded.tasks
"""
# One statement each, so that nobody sees a call twice or not at all; two at once delete each row once.
_HOURLY_DAYS = """
    SELECT DISTINCT date_trunc('day', hour, 'UTC') AS day FROM hosting_callhour
    WHERE hour < %s AND hour > date_trunc('day', hour, 'UTC') ORDER BY day
"""
_JOIN_DAY: Final = f"""
    WITH later AS (
        DELETE FROM hosting_callhour WHERE hour > %(day)s AND hour < %(day)s + interval '24 hours' RETURNING *
    )
    {_INTO}
    SELECT deployment_id, %(day)s, step, sum(calls), sum(answered), sum(errors), sum(cold_starts) FROM later
    GROUP BY deployment_id, step ORDER BY deployment_id, step
    {_TO_WHAT_IS_THERE}
"""


def calls_tally(rows: Iterable[CallRow]) -> None:
    """Adds tool calls to their hours. To be called last in a transaction: two of them take their rows in one order."""
    counts: dict[tuple[str, int, int], list[int]] = {}
    for row in rows:
        if row.method != TALLIED:
            continue
        key = (row.deployment_id, int(row.at // HOUR), step_of(row.microseconds))
        count = counts.get(key)
        if count is None:
            count = counts[key] = [0, 0, 0, 0]
        status = row.status
        count[0] += 1
        count[1] += status in _ANSWERED
        count[2] += status in _FAILED
        count[3] += row.was_cold
    if not counts:
        return
    keys = sorted(counts)
    hours = [datetime.fromtimestamp(hour * HOUR, UTC) for _, hour, _ in keys]
    columns = [[counts[key][place] for key in keys] for place in range(4)]
    with connection.cursor() as cursor:
        cursor.execute(_ADD_CALLS, [[key[0] for key in keys], hours, [key[2] for key in keys], *columns])


def tasks_tally(task_ids: Sequence[str]) -> None:
    """Of tasks that are about to be deleted in the same transaction, whose rows it has locked."""
    with connection.cursor() as cursor:
        cursor.execute(_ADD_TASKS, [list(task_ids)])


def calls_join_days() -> None:
    """Makes one row of the hours of each old day, for each length of calls, so that a month is read from few rows. Days
    are those of UTC, as `hosting.usage.activity` draws them."""
    until = clock.now().replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=HOURLY_DAYS)
    with connection.cursor() as cursor:
        cursor.execute(_HOURLY_DAYS, [until])
        for (day,) in cursor.fetchall():
            cursor.execute(_JOIN_DAY, {"day": day})


def tallies_purge() -> None:
    """Deletes what is older than call records are kept."""
    before = clock.now() - timedelta(days=settings.SLIPWAY_CALL_RECORD_DAYS)
    CallHour.objects.filter(hour__lt=before).delete()
    TaskHour.objects.filter(hour__lt=before).delete()
