"""What runs well here: servers that the visitor may see, with figures from their own call records."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db import connection
from django.db.models import Q, QuerySet

from accounts.models import User
from common import clock
from hosting.models import Deployment
from hosting.selectors import belongs_to
from hosting.states import State
from hosting.usage.calls import ERROR, TOOL_ERROR

DAYS: Final = 7
SAMPLE: Final = 500  # requests of one server that are looked at, the latest
MOST_ERRORS: Final = 0.1  # share of calls: with more, a server does not run well
KEPT_SECONDS: Final = 30.0
_CANDIDATES: Final = 40  # servers that are looked at, those called last
_MOST_KEPT: Final = 1000


@dataclass(frozen=True)
class RunsWell:
    """`calls` are tool calls that the server answered, `errors` those of them that ended with an error of any kind."""

    owner: str
    name: str
    calls: int
    errors: int
    p95_microseconds: float
    called_at: datetime

    @property
    def error_percent(self) -> float:
        return 100 * self.errors / self.calls


# A bounded look: forty servers at most, five hundred index entries of each, whatever the table has grown to.
_CALLED = """
    SELECT deployment.id, owner.display, deployment.name, latest.at
    FROM hosting_deployment deployment
    JOIN accounts_name owner ON owner.id = deployment.owner_id
    CROSS JOIN LATERAL (
        SELECT at FROM hosting_callrecord
        WHERE deployment_id = deployment.id AND at >= %s ORDER BY at DESC LIMIT 1
    ) latest
    WHERE deployment.id IN ({visible})
    ORDER BY latest.at DESC LIMIT %s
"""
_FIGURES = """
    SELECT called.id, count(*), count(*) FILTER (WHERE sample.status IN (%s, %s)),
           percentile_cont(0.95) WITHIN GROUP (ORDER BY sample.microseconds), max(sample.at)
    FROM unnest(%s::uuid[]) AS called(id)
    CROSS JOIN LATERAL (
        SELECT method, status, microseconds, at FROM hosting_callrecord
        WHERE deployment_id = called.id AND at >= %s ORDER BY at DESC LIMIT %s
    ) sample
    WHERE sample.method = 'tools/call' AND sample.status IN ('ok', %s, %s)
    GROUP BY called.id
"""


def running_well(user: User | None, limit: int) -> list[RunsWell]:
    """Of the last DAYS days, the most called first. `user` is None for a visitor without an account."""
    since = clock.now() - timedelta(days=DAYS)
    visible, given = _visible(user).order_by().values("pk").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(_CALLED.format(visible=visible), [since, *given, _CANDIDATES])
        called = cursor.fetchall()
        figures = _figures(cursor, {pk: at for pk, _, _, at in called}, since)
    found = [RunsWell(owner, name, *known) for pk, owner, name, _ in called if (known := figures.get(pk))]
    well = [row for row in found if row.errors <= row.calls * MOST_ERRORS]
    return sorted(well, key=lambda row: (-row.calls, row.p95_microseconds, row.owner, row.name))[:limit]


class _Figures(NamedTuple):
    """As `RunsWell` has them."""

    calls: int
    errors: int
    p95_microseconds: float
    called_at: datetime


class _Kept(NamedTuple):
    """`called_at` is the last request's time of any kind; `until` is of the monotonic clock."""

    figures: _Figures | None
    called_at: datetime
    until: float


_kept: dict[UUID, _Kept] = {}


def _figures(cursor: Any, called: Mapping[UUID, datetime], since: datetime) -> dict[UUID, _Figures]:
    """Counting is what takes time, and everybody is shown the same. So it is not done again for a while where nothing
    was called since, or where so much is that a while makes no difference."""
    now = time.monotonic()
    wanted = [pk for pk, at in called.items() if not _stands(_kept.get(pk), at, now)]
    if wanted:
        bad = [TOOL_ERROR, ERROR]
        cursor.execute(_FIGURES, [*bad, wanted, since, SAMPLE, *bad])
        counted = {pk: _Figures(*figures) for pk, *figures in cursor.fetchall()}
        if len(_kept) > _MOST_KEPT:
            _kept.clear()
        _kept.update({pk: _Kept(counted.get(pk), called[pk], now + KEPT_SECONDS) for pk in wanted})
    return {pk: kept.figures for pk in called if (kept := _kept.get(pk)) and kept.figures}


def _stands(kept: _Kept | None, called_at: datetime, now: float) -> bool:
    if kept is None or now >= kept.until:
        return False
    return kept.called_at == called_at or (kept.figures is not None and kept.figures.calls == SAMPLE)


def _visible(user: User | None) -> QuerySet[Deployment]:
    """As `permissions.may_see` decides; without an account, what its owner lets everybody call."""
    public = Q(access=Deployment.Access.PUBLIC)
    found = Deployment.objects.exclude(state__in=[State.STOPPED, State.FAILED, State.DELETING])
    if user is None:
        return found.filter(public, is_anonymous=True)
    return found.filter(public | belongs_to(user))
