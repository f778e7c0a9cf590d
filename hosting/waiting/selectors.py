"""Reading what waits for a person. Each kind is one function of `_KINDS`; a new kind is one more."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext

from common import clock
from hosting.access.permissions import callable_by
from hosting.credentials.eliciting import OWN_PAGE
from hosting.models import Deployment, Elicitation, Task
from hosting.tasks import selectors as tasks
from hosting.tasks.states import ASKING
from hosting.tasks.states import State as TaskState
from oauth.models import Connection
from oauth.selectors import client_names

MOST: Final = 100  # of each kind
# Whether there may be some of a kind; whether they count its own query says. Written out because each page pays for it:
# querysets of these three take ten times as much processor time to be made into SQL (3 to 4 ms instead of 0.4).
_MAY_WAIT: Final = f"""
    SELECT EXISTS (SELECT FROM {Elicitation._meta.db_table} WHERE user_id = %(user)s AND state = %(open)s),
           EXISTS (SELECT FROM {Connection._meta.db_table} WHERE user_id = %(user)s AND name <> ''
                       AND (state = %(again)s OR asked_scopes <> '[]')),
           EXISTS (SELECT FROM {Task._meta.db_table} WHERE user_id = %(user)s AND state = ANY(%(asking)s))
"""


@dataclass(frozen=True)
class Waiting:
    """`words` say what it is, `asked_by` which program's call led to it; it may go away by itself at `expires_at`."""

    key: str
    words: str
    action: str
    url: str
    server: str
    asked_by: str
    since: datetime
    expires_at: datetime | None = None


def waiting_of(user_id: UUID) -> list[Waiting]:
    """The oldest first: it has waited longest. As a rule nothing does, which is one query."""
    found = [one for kind, may_be in zip(_KINDS, _may_wait(user_id), strict=True) if may_be for one in kind(user_id)]
    return sorted(found, key=lambda one: one.since)


def waiting_count(user_id: UUID) -> int:
    """Every page shows it, and as a rule nothing waits: one query then, and one or two more for each kind that may."""
    may_be_pages, may_be_accounts, may_be_tasks = _may_wait(user_id)
    return (
        (_pages(user_id).count() if may_be_pages else 0)
        + (len(_again(user_id)) if may_be_accounts else 0)
        + (_asking(user_id).count() if may_be_tasks else 0)
    )


def _may_wait(user_id: UUID) -> tuple[bool, bool, bool]:
    """Of each of `_KINDS`."""
    values: dict[str, Any] = {
        "user": user_id,
        "open": Elicitation.State.OPEN,
        "again": Connection.State.AGAIN,
        "asking": [*ASKING],
    }
    with connection.cursor() as cursor:
        cursor.execute(_MAY_WAIT, values)
        found: tuple[bool, bool, bool] = cursor.fetchone()
    return found


def waiting_seen(user_id: UUID) -> tuple[int, str]:
    """(how many, a mark that is another one whenever the list is)."""
    return waiting_count(user_id), waiting_mark(waiting_of(user_id))


def waiting_mark(found: Iterable[Waiting]) -> str:
    marks = "|".join(one.key for one in found)
    return hashlib.sha256(marks.encode()).hexdigest()[:16]


def _pages(user_id: UUID) -> QuerySet[Elicitation]:
    """Open ones that the user can still answer."""
    is_open = Q(user_id=user_id, state=Elicitation.State.OPEN, expires_at__gt=clock.now())
    return Elicitation.objects.filter(is_open, deployment__in=callable_by(user_id)).exclude(client_id=OWN_PAGE)


def _credentials(user_id: UUID) -> list[Waiting]:
    found = list(_pages(user_id).select_related("deployment__owner")[:MOST])
    names = client_names({one.client_id for one in found})
    return [
        Waiting(
            key=f"credentials {one.pk}",
            words=gettext("%(server)s asks for credentials of yours") % {"server": one.deployment.label},
            action=gettext("Give credentials"),
            url=reverse("elicit", args=[one.pk]),
            server=one.deployment.label,
            asked_by=names.get(one.client_id, one.client_id),
            since=one.created_at,
            expires_at=one.expires_at,
        )
        for one in found
    ]


def _again(user_id: UUID) -> list[tuple[Connection, Deployment]]:
    """Accounts elsewhere that need their user once more, of servers without a page that says so already."""
    needs = Q(state=Connection.State.AGAIN) | (Q(state=Connection.State.CONNECTED) & ~Q(asked_scopes=[]))
    rows = list(Connection.objects.filter(needs, user_id=user_id).exclude(name="").order_by("connected_at")[:MOST])
    if not rows:
        return []
    without = callable_by(user_id).exclude(pk__in=_pages(user_id).values("deployment_id"))
    known = without.select_related("owner").in_bulk({row.subject_id for row in rows})
    found = [(row, known[row.subject_id]) for row in rows if row.subject_id in known]
    return [(row, server) for row, server in found if row.name in server.personal_accounts]


def _accounts(user_id: UUID) -> list[Waiting]:
    return [
        Waiting(
            key=f"account {row.pk} {row.state}",
            words=gettext("%(server)s needs your account at %(place)s connected again")
            % {"server": server.label, "place": row.issuer_host},
            action=gettext("Connect again"),
            url=reverse("credentials"),
            server=server.label,
            asked_by="",
            since=row.refreshed_at or row.connected_at,
        )
        for row, server in _again(user_id)
    ]


def _asking(user_id: UUID) -> QuerySet[Task]:
    """Tasks that need their user, but for those that the page for credentials, which is listed, lets go on."""
    has_page = Q(
        state=TaskState.LACKING,
        elicitation__user_id=user_id,
        elicitation__state=Elicitation.State.OPEN,
        elicitation__expires_at__gt=clock.now(),
    )
    return Task.objects.filter(tasks.FILTERS["input_required"], user_id=user_id).exclude(has_page)


def _tasks(user_id: UUID) -> list[Waiting]:
    rows = _asking(user_id).select_related("deployment__owner")
    return [
        Waiting(
            key=f"task {one.pk}",
            words=gettext("The task %(tool)s of %(server)s needs an answer")
            % {"tool": one.tool, "server": one.deployment.label},
            action=gettext("Answer"),
            url=reverse("tasks:task", args=[one.pk]),
            server=one.deployment.label,
            asked_by="",
            since=one.updated_at,
        )
        for one in rows.defer("params", "capabilities").order_by("updated_at")[:MOST]
    ]


_KINDS: Final[tuple[Callable[[UUID], list[Waiting]], ...]] = (_credentials, _accounts, _tasks)
