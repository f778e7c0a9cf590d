"""What runs well here: servers that the visitor may see, with figures from their own call records."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

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
_CANDIDATES: Final = 40  # servers that are looked at, those called last


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
_FIGURES = """
    WITH called AS (
        SELECT deployment.id, owner.display AS owner, deployment.name, latest.at
        FROM hosting_deployment deployment
        JOIN accounts_name owner ON owner.id = deployment.owner_id
        CROSS JOIN LATERAL (
            SELECT at FROM hosting_callrecord
            WHERE deployment_id = deployment.id AND at >= %s ORDER BY at DESC LIMIT 1
        ) latest
        WHERE deployment.id IN ({visible})
        ORDER BY latest.at DESC LIMIT %s
    ), figures AS (
        SELECT called.owner, called.name, count(*) AS calls,
               count(*) FILTER (WHERE sample.status IN (%s, %s)) AS errors,
               percentile_cont(0.95) WITHIN GROUP (ORDER BY sample.microseconds) AS p95,
               max(sample.at) AS called_at
        FROM called
        CROSS JOIN LATERAL (
            SELECT method, status, microseconds, at FROM hosting_callrecord
            WHERE deployment_id = called.id AND at >= %s ORDER BY at DESC LIMIT %s
        ) sample
        WHERE sample.method = 'tools/call' AND sample.status IN ('ok', %s, %s)
        GROUP BY called.id, called.owner, called.name
    )
    SELECT owner, name, calls, errors, p95, called_at FROM figures
    WHERE errors <= calls * %s ORDER BY calls DESC, p95, owner, name LIMIT %s
"""


def running_well(user: User | None, limit: int) -> list[RunsWell]:
    """Of the last DAYS days, the most called first. `user` is None for a visitor without an account."""
    since = clock.now() - timedelta(days=DAYS)
    visible, given = _visible(user).order_by().values("pk").query.sql_with_params()
    bad = [TOOL_ERROR, ERROR]
    with connection.cursor() as cursor:
        cursor.execute(
            _FIGURES.format(visible=visible),
            [since, *given, _CANDIDATES, *bad, since, SAMPLE, *bad, MOST_ERRORS, limit],
        )
        return [RunsWell(*row) for row in cursor.fetchall()]


def _visible(user: User | None) -> QuerySet[Deployment]:
    """As `permissions.may_see` decides; without an account, what its owner lets everybody call."""
    public = Q(access=Deployment.Access.PUBLIC)
    found = Deployment.objects.exclude(state__in=[State.STOPPED, State.FAILED, State.DELETING])
    if user is None:
        return found.filter(public, is_anonymous=True)
    return found.filter(public | belongs_to(user))
