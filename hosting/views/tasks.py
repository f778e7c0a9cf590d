"""Lists of tasks: a person's own, and those of one deployment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from hosting.models import Task
from hosting.tasks import selectors
from hosting.tasks.shown import FILTERS, TaskShown, label_of, shown
from hosting.views.page import Page, actor_of, page_view
from oauth.selectors import client_names


@never_cache
@login_required
@require_safe
def tasks_list(request: HttpRequest) -> HttpResponse:
    actor, query = actor_of(request), request.GET
    servers = selectors.deployments_with_tasks(actor)
    server = _uuid(query.get("server", ""))
    state = _state(query.get("state", ""))
    found = selectors.tasks_page(actor, state=state, deployment_id=server, after=query.get("after", ""))
    chosen = {"state": state, "server": str(server) if server else ""}
    return render(
        request,
        "tasks/list.html",
        {
            "tasks": _shown(found.tasks),
            "stamp": selectors.stamp_of(actor),
            "servers": servers,
            "states": FILTERS,
            "chosen": chosen,
            "older": urlencode({**chosen, "after": found.next}) if found.next else "",
            "is_later_page": bool(query.get("after")),
        },
    )


@page_view(managed=False, methods=("GET", "HEAD"))
def tasks_page(page: Page) -> HttpResponse:
    """Owners see that everybody's tasks ran; everybody else their own."""
    query = page.request.GET
    state, after = _state(query.get("state", "")), query.get("after", "")
    shared: dict[str, Any] = {"states": FILTERS, "chosen": {"state": state}, "is_later_page": bool(after)}
    if page.can_manage:
        heads, following = selectors.task_heads(page.actor, page.deployment, state=state, after=after)
        rows = [{"head": head, "label": label_of(head.state, head.outcome)} for head in heads]
        return page.show("tasks", "tasks", heads=rows, older=_older(state, following), **shared)
    found = selectors.tasks_page(page.actor, state=state, deployment_id=page.deployment.pk, after=after)
    tasks = _shown(found.tasks)
    return page.show("tasks", "tasks", tasks=tasks, older=_older(state, found.next), **shared)


def _shown(tasks: Sequence[Task]) -> list[TaskShown]:
    names = client_names({task.client for task in tasks})
    return [shown(task, names) for task in tasks]


def _older(state: str, following: str) -> str:
    return urlencode({"state": state, "after": following}) if following else ""


def _state(text: str) -> str:
    return text if text in selectors.FILTERS else ""


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
