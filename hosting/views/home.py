"""The first page: a search, what is new and runs well, and for who is signed in what needs them."""

from __future__ import annotations

from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.models import User
from hosting import selectors
from hosting.tasks.selectors import tasks_page
from hosting.tasks.shown import shown
from hosting.usage import running_well
from hosting.views.page import actor_of
from hosting.waiting.selectors import MOST, waiting_mark, waiting_of
from registry.search.finding import newest
from registry.views.marks import marked

ROWS: Final = 5
NEWEST: Final = 6  # they stand in two or three columns


@never_cache
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    user = request.user if isinstance(request.user, User) else None
    rows = newest(NEWEST)
    context: dict[str, Any] = {
        "newest": marked(rows),
        "is_new_site": user is not None and user.is_superuser and not rows,
        "running_well": running_well.running_well(user, ROWS),
        "running_well_days": running_well.DAYS,
        "running_well_sample": running_well.SAMPLE,
        **(_own(request, user) if user is not None else {}),
    }
    return render(request, "home.html", context)


def _own(request: HttpRequest, user: User) -> dict[str, Any]:
    """One more of each than is shown, so that the page knows whether there are others."""
    waiting = waiting_of(user.pk)
    servers = list(selectors.deployments_of(user).order_by("-changed_at")[: ROWS + 1])
    tasks = tasks_page(actor_of(request), state="working", limit=ROWS)
    found: dict[str, Any] = {
        "waiting": waiting[:ROWS],
        "waiting_mark": waiting_mark(waiting),
        "servers": servers[:ROWS],
        "has_more_servers": len(servers) > ROWS,
        "tasks": [shown(task, {}) for task in tasks.tasks],
        "has_more_tasks": bool(tasks.next),
    }
    if len(waiting) < MOST:  # then nothing was cut off, and the header need not count again
        found["waiting_for_you"] = len(waiting)
    return found
