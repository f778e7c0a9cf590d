"""What a deployment did over a time: calls, errors, durations, cold starts and tasks, in spans of equal length.

Read from counts by the hour (`hosting.usage.tallies`), so that it costs what it shows and not what there was.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cached_property
from typing import Any, Final

from django.db import connection

from common import clock
from hosting.models import Deployment
from hosting.tasks.states import Outcome
from hosting.usage.durations import quantile


@dataclass(frozen=True)
class Period:
    """`count` spans of `hours` each; the last one is the one that is now."""

    key: str
    hours: int
    count: int

    @property
    def seconds(self) -> int:
        return self.hours * 3600


PERIODS: Final = {period.key: period for period in (Period("24h", 1, 24), Period("7d", 6, 28), Period("30d", 24, 30))}
USUAL: Final = "7d"


class TaskGroup(StrEnum):
    """How a task stands, as far as a plot tells it apart."""

    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    OPEN = "open"


_GROUPS: Final = {
    "": TaskGroup.OPEN,
    Outcome.RESULT: TaskGroup.COMPLETED,
    Outcome.CANCELLED: TaskGroup.CANCELLED,
}  # the others have failed


@dataclass
class Span:
    """What came within one span of time. Durations in microseconds, None where nothing was answered.

    Percentiles are taken once, so only when all is counted.
    """

    start: datetime
    calls: int = 0
    errors: int = 0
    cold_starts: int = 0
    steps: Counter[int] = field(default_factory=Counter)  # answered calls by `hosting.usage.durations`
    tasks: Counter[TaskGroup] = field(default_factory=Counter)

    @cached_property
    def p50(self) -> float | None:
        return quantile(self.steps, 0.5)

    @cached_property
    def p95(self) -> float | None:
        return quantile(self.steps, 0.95)

    @classmethod
    def of_all(cls, spans: Sequence[Span]) -> Span:
        """What came within all of them; they are not empty, the oldest is first."""
        total = cls(spans[0].start)
        for span in spans:
            total.calls += span.calls
            total.errors += span.errors
            total.cold_starts += span.cold_starts
            total.steps.update(span.steps)
            total.tasks.update(span.tasks)
        return total


@dataclass(frozen=True)
class Activity:
    """All spans of a period, the oldest first, also those without anything."""

    period: Period
    spans: list[Span]
    total: Span

    @property
    def is_empty(self) -> bool:
        return not self.total.calls and not self.total.tasks


# Whole numbers and `date_bin` where there are many rows: PostgreSQL's numeric would cost the most of it. A span is one
# row with its steps as arrays: thousands of rows would cost as much again to be read.
_CALLS = """
    SELECT (extract(epoch FROM span) / %s)::int, sum(calls)::bigint, sum(errors)::bigint, sum(cold_starts)::bigint,
           array_agg(step ORDER BY step) FILTER (WHERE answered > 0),
           array_agg(answered ORDER BY step) FILTER (WHERE answered > 0)
    FROM (SELECT date_bin(%s, hour, %s) - %s AS span, step, sum(calls::int) AS calls, sum(answered::int) AS answered,
                 sum(errors::int) AS errors, sum(cold_starts::int) AS cold_starts
          FROM hosting_callhour WHERE deployment_id = %s AND hour >= %s GROUP BY 1, 2) AS binned
    GROUP BY span
"""
_TASKS = """
    SELECT (extract(epoch FROM span) / %s)::int, outcome, tasks
    FROM (SELECT date_bin(%s, at, %s) - %s AS span, outcome, sum(tasks) AS tasks
          FROM (SELECT hour AS at, outcome, tasks::int FROM hosting_taskhour WHERE deployment_id = %s AND hour >= %s
                UNION ALL
                SELECT created_at, outcome, 1 FROM hosting_task WHERE deployment_id = %s AND created_at >= %s) AS begun
          GROUP BY 1, 2) AS binned
"""


def activity_of(deployment: Deployment, key: str) -> Activity:
    """Of a period by its key; of the usual one where there is none such. Tasks count when they were begun."""
    period = PERIODS.get(key, PERIODS[USUAL])
    spans = [Span(start) for start in _starts(period, clock.now())]
    since = spans[0].start
    binned: list[Any] = [period.seconds, timedelta(seconds=period.seconds), since, since]
    with connection.cursor() as cursor:
        cursor.execute(_CALLS, [*binned, deployment.pk, since])
        for place, calls, errors, cold_starts, steps, answered in cursor.fetchall():
            if place < period.count:  # else a clock went ahead
                counted = Counter(dict(zip(steps or (), answered or (), strict=True)))
                spans[place] = Span(spans[place].start, calls, errors, cold_starts, counted)
        cursor.execute(_TASKS, [*binned, deployment.pk, since, deployment.pk, since])
        for place, outcome, tasks in cursor.fetchall():
            if place < period.count:
                spans[place].tasks[_GROUPS.get(outcome, TaskGroup.FAILED)] += tasks
    return Activity(period, spans, Span.of_all(spans))


def _starts(period: Period, now: datetime) -> list[datetime]:
    """Spans begin at multiples of their length since midnight UTC."""
    last = int(now.timestamp()) // period.seconds * period.seconds
    newest = datetime.fromtimestamp(last, UTC)
    return [newest - timedelta(hours=period.hours * back) for back in range(period.count - 1, -1, -1)]
