"""The tools of a deployment: a switch for each, and those that wait for approval with what changed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from difflib import ndiff
from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext

from hosting.access.permissions import may_call
from hosting.models import Tool
from hosting.tools import records as tools
from hosting.tools.definitions import Difference, differences
from hosting.tools.invisible import has_invisible
from hosting.tools.names import RULE, fits
from hosting.tools.shadowing import looks, tools_alike
from hosting.views.page import Page, page_view, user_of


@page_view(managed=False)
def tools_page(page: Page) -> HttpResponse:
    if page.request.method == "POST":
        return _act(page)
    rows = list(page.deployment.tools.select_related("approved_by"))
    policy = tools.policy_of(page.deployment.pk)
    held = [] if policy.takes_changes else [row for row in rows if row.is_held]
    version = page.deployment.current_version
    listed = [row for row in rows if row.is_listed and row not in held]
    alike = tools_alike(page.deployment, user_of(page.request))
    held_shown = [_held(row, alike) for row in held] if page.can_manage else []
    shown = [_shown(row, alike) for row in listed if page.can_manage or row.is_enabled]
    return page.show(
        "tools",
        "tools",
        can_call=may_call(page.actor, page.deployment),
        held=held_shown,
        tools=shown,
        has_alike=any(tool["alike"] for tool in (*held_shown, *shown)),
        has_odd_names=any(tool["has_odd_name"] for tool in shown),
        tools_known=version is not None and version.tools is not None,
        waiting=len(held),
        name_rule=RULE,
        asks=page.deployment.tool_approval == page.deployment.Approval.ASK,
    )


def _act(page: Page) -> HttpResponse:
    """For a manager only: the services refuse everybody else."""
    post = page.request.POST
    name, action = post.get("tool", ""), post.get("action", "")
    if action == "switch":
        is_enabled = post.get("enabled") == "1"
        words = gettext("%(tool)s is switched on.") if is_enabled else gettext("%(tool)s is switched off.")
        page.attempt(tools.tool_switch, words % {"tool": name}, name=name, is_enabled=is_enabled)
    elif action == "guard":
        is_guarded = post.get("guarded") == "1"
        words = gettext("%(tool)s needs no consent of its own any more.")
        if is_guarded:
            words = gettext("%(tool)s now needs a consent of its own.")
        page.attempt(tools.tool_guard_set, words % {"tool": name}, name=name, is_guarded=is_guarded)
    elif action == "tasks":
        _set_tasks(page, name)
    elif action == "approve":
        page.attempt(
            tools.tool_approve,
            gettext("%(name)s is approved.") % {"name": name},
            name=name,
            digest=post.get("digest", ""),
        )
    elif action == "approve_all":
        page.attempt(tools.tools_approve_all, gettext("Approved, as it was shown."), digests=post.getlist("digest"))
    return page.back("tools")


def _set_tasks(page: Page, name: str) -> None:
    """How one tool runs as a task, and whether it may run a second time: both, or what went wrong."""
    post = page.request.POST
    support, again = post.get("task_support", ""), post.get("may_run_again") == "1"
    if page.attempt(tools.tool_task_support_set, name=name, support=support):
        page.attempt(
            tools.tool_may_run_again_set,
            gettext("Tasks of %(name)s saved.") % {"name": name},
            name=name,
            may_run_again=again,
        )


def _held(row: Tool, alike: Mapping[str, list[str]]) -> dict[str, Any]:
    changes = [_change(each) for each in differences(row.approved, row.seen)]
    is_new = row.approved is None
    return {"row": row, "is_new": is_new, "changes": changes, "is_odd": _is_odd(row), "alike": _alike(row, alike)}


def _change(difference: Difference) -> dict[str, Any]:
    """Lines with a mark: " " for those that both have, "-" and "+" for the others."""
    lines = [line for line in ndiff(difference.before, difference.after) if line[:1] != "?"]
    return {"field": difference.field, "lines": [{"mark": line[0], "text": line[2:]} for line in lines]}


def _is_odd(row: Tool) -> bool:
    return has_invisible(json.dumps(row.seen, ensure_ascii=False))


def _shown(row: Tool, alike: Mapping[str, list[str]]) -> dict[str, Any]:
    return {
        **row.seen,
        "row": row,
        "is_odd": _is_odd(row),
        "has_odd_name": not fits(row.name),
        "alike": _alike(row, alike),
    }


def _alike(row: Tool, alike: Mapping[str, list[str]]) -> str:
    """Other servers with a tool that this one may be taken for."""
    return ", ".join(alike.get(looks(row.name), ()))
