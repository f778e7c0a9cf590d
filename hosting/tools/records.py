"""The tools of a deployment as records: what was seen, what its owner approved of it and which are switched on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext

from common import clock
from common.errors import BadInput, Conflict, NotFound
from events.actors import SYSTEM, Actor
from events.audit import record
from events.publish import publish_on_commit
from events.types import DeploymentChanged
from hosting.access.permissions import check_may_manage
from hosting.models import Deployment, DeploymentVersion, Tool
from hosting.tools.definitions import (
    NAME_LENGTH,
    Definition,
    ToolPolicy,
    cleaned,
    compared,
    digest_of,
    has_changed,
    parts_of,
)

__all__ = [
    "ToolPolicy",
    "approval_set",
    "policy_of",
    "tool_approve",
    "tool_guard_set",
    "tool_switch",
    "tool_may_run_again_set",
    "tool_task_support_set",
    "tools_approve_all",
    "tools_seen",
]

MAX_TOOLS = 2000  # of one deployment, gone ones included; further names stay unapproved
Approval = Deployment.Approval


def policy_of(deployment_id: UUID | str) -> ToolPolicy:
    """What the endpoint enforces. Open until the server was asked for the first time: then there is nothing to compare
    with, and its first list is approved as it is. Raises NotFound."""
    approval = Deployment.objects.filter(pk=deployment_id).values_list("tool_approval", flat=True).first()
    if approval is None:
        raise NotFound("deployment_unknown", gettext("There is no such server."))
    rows = list(Tool.objects.filter(deployment_id=deployment_id))
    takes_changes = approval == Approval.AUTOMATIC
    off = frozenset(row.name for row in rows if not row.is_enabled)
    guarded = frozenset(row.name for row in rows if row.is_guarded)
    if takes_changes and not off:
        return ToolPolicy(guarded=guarded)
    if not rows and not _was_asked(deployment_id):
        return ToolPolicy()
    return ToolPolicy(
        is_open=False,
        takes_changes=takes_changes,
        off=off,
        held=frozenset() if takes_changes else frozenset(row.name for row in rows if row.is_held),
        parts={row.name: parts_of(row.approved) for row in rows if row.approved is not None},
        waiting={row.name: parts_of(row.seen) for row in rows if row.is_held},
        guarded=guarded,
    )


def tools_seen(deployment_id: UUID, definitions: Iterable[Definition], *, is_complete: bool = True) -> list[str]:
    """Takes a list that the server gave; gives the names that are held for the first time because of it.

    `is_complete` is the platform's own look: the whole list, of one revision. A list that went by at the endpoint may
    be a page of it, or one for a certain user: it adds and changes, but takes nothing away and approves nothing. Call
    this before the version's own `tools` are stored: the very first list of all is approved as it is.
    """
    with transaction.atomic():
        # of: nobody's name need be locked; the row keeps two looks at once apart.
        deployment = Deployment.objects.select_for_update().filter(pk=deployment_id).first()
        if deployment is None:
            return []
        rows = {row.name: row for row in deployment.tools.all()}
        is_first = not rows and not _was_asked(deployment_id)
        if is_first and not is_complete:
            return []
        approves = is_first or deployment.tool_approval == Approval.AUTOMATIC
        seen = _by_name(definitions, rows)
        held = [
            name
            for name, definition in seen.items()
            if (name in rows or len(rows) < MAX_TOOLS)
            and _take(deployment, rows, definition, approves=approves, is_complete=is_complete)
        ]
        if is_complete:
            Tool.objects.filter(deployment=deployment).exclude(name__in=seen).update(is_listed=False)
        if held:
            record(SYSTEM, "tool:hold", "deployment", deployment.pk, tools=held[:100], count=len(held))
            publish_on_commit(DeploymentChanged(str(deployment.pk)))
    return held


def tool_approve(*, actor: Actor, deployment: Deployment, name: str, digest: str) -> None:
    """Approves what was shown: `digest` is that of the text on the page. Raises Conflict when it changed meanwhile."""
    check_may_manage(actor, deployment)
    with transaction.atomic():
        row = _tool(deployment, name)
        if row.seen_digest != digest:
            raise Conflict(
                "tool_changed",
                gettext("The tool %(name)s changed again meanwhile. Read what it says now.") % {"name": name},
            )
        if row.is_held:
            _approve(actor, row)
            record(actor, "tool:approve", "deployment", deployment.pk, tools=[name])
            publish_on_commit(DeploymentChanged(str(deployment.pk)))


def tools_approve_all(*, actor: Actor, deployment: Deployment, digests: Iterable[str] | None = None) -> int:
    """Approves every tool that waits, or those whose text was on the page. Gives their number."""
    check_may_manage(actor, deployment)
    shown = None if digests is None else set(digests)
    with transaction.atomic():
        rows = Tool.objects.select_for_update().filter(deployment=deployment)
        waiting = [row for row in rows if row.is_held and (shown is None or row.seen_digest in shown)]
        for row in waiting:
            _approve(actor, row)
        if waiting:
            names = [row.name for row in waiting]
            record(actor, "tool:approve", "deployment", deployment.pk, tools=names[:100], count=len(names))
            publish_on_commit(DeploymentChanged(str(deployment.pk)))
    return len(waiting)


@transaction.atomic
def tool_switch(*, actor: Actor, deployment: Deployment, name: str, is_enabled: bool) -> None:
    """On or off for every caller. Repeatable."""
    check_may_manage(actor, deployment)
    _set(actor, _tool(deployment, name), "tool:switch", "is_enabled", is_enabled)


@transaction.atomic
def tool_guard_set(*, actor: Actor, deployment: Deployment, name: str, is_guarded: bool) -> None:
    """Whether callers need a permission of its own for it (mcp:admin), which programs then ask for. Repeatable."""
    check_may_manage(actor, deployment)
    _set(actor, _tool(deployment, name), "tool:guard", "is_guarded", is_guarded)


@transaction.atomic
def tool_task_support_set(*, actor: Actor, deployment: Deployment, name: str, support: str) -> None:
    """Whether it runs as a task: optional, required, forbidden; "" is the default, optional. Repeatable."""
    check_may_manage(actor, deployment)
    if support not in ("", *(value for value, _ in Tool._meta.get_field("task_support").flatchoices)):
        raise BadInput(
            "task_support_unknown", gettext("A tool's tasks are optional, required or forbidden."), field="task_support"
        )
    _set(actor, _tool(deployment, name), "tool:set_task_support", "task_support", support)


@transaction.atomic
def tool_may_run_again_set(*, actor: Actor, deployment: Deployment, name: str, may_run_again: bool) -> None:
    """Whether a task of it whose call was lost is run a second time. Only a tool that says of itself that this does no
    harm can be approved. Raises Conflict. Repeatable."""
    check_may_manage(actor, deployment)
    row = _tool(deployment, name)
    if may_run_again and not row.is_repeatable:
        raise Conflict(
            "tool_not_repeatable",
            gettext("%(name)s does not say that it only reads or may be repeated, so it is never run a second time.")
            % {"name": name},
        )
    _set(actor, row, "tool:set_may_run_again", "may_run_again", may_run_again)


def _set(actor: Actor, row: Tool, event: str, column: str, value: bool | str) -> None:
    """One switch of one tool, in the caller's transaction; told only where it is a change."""
    if Tool.objects.filter(pk=row.pk).exclude(**{column: value}).update(**{column: value}):
        record(actor, event, "deployment", row.deployment_id, tool=row.name, **{column: value})
        publish_on_commit(DeploymentChanged(str(row.deployment_id)))


def approval_set(*, actor: Actor, deployment: Deployment, approval: str) -> None:
    """Ask, or take changes as they are: what waits passes at once then, and counts as approved from the next look."""
    check_may_manage(actor, deployment)
    if approval not in Approval.values:
        raise BadInput(
            "approval_unknown", gettext("Tools are approved by hand or taken as they are."), field="tool_approval"
        )
    with transaction.atomic():
        changed = Deployment.objects.filter(pk=deployment.pk).exclude(tool_approval=approval)
        if changed.update(tool_approval=approval, changed_at=clock.now()):
            record(actor, "deployment:set_tool_approval", "deployment", deployment.pk, approval=approval)
            publish_on_commit(DeploymentChanged(str(deployment.pk)))


def _was_asked(deployment_id: UUID | str) -> bool:
    return DeploymentVersion.objects.filter(deployment_id=deployment_id, tools__isnull=False).exists()


def _by_name(definitions: Iterable[Definition], rows: dict[str, Tool]) -> dict[str, Definition]:
    """One definition a name. Of two with one name the one that nobody approved counts: it is what must be looked at."""
    found: dict[str, Definition] = {}
    for definition in definitions:
        name = definition.get("name")
        if not isinstance(name, str) or not 0 < len(name) <= NAME_LENGTH or cleaned(name) != name:
            continue
        row = rows.get(name)
        approved = row.approved if row is not None else None
        if name not in found or approved is None or has_changed(definition, approved, is_complete=False):
            found[name] = definition
    return found


def _take(
    deployment: Deployment, rows: dict[str, Tool], definition: Definition, *, approves: bool, is_complete: bool
) -> bool:
    """Stores one definition. True when the tool is held from now on and was not before."""
    kept: dict[str, Any] = cleaned({**definition})
    name = kept["name"]
    row = rows.get(name) or Tool(deployment=deployment, name=name)
    was_held = row.pk is not None and row.is_held
    is_same = row.approved is not None and not has_changed(kept, row.approved, is_complete=is_complete)
    if is_same and not is_complete:
        return False
    row.seen, row.seen_at, row.is_listed = kept, clock.now(), True
    row.seen_digest = row.approved_digest if is_same else digest_of(kept)
    if approves and row.is_held:
        row.approved, row.approved_digest, row.approved_at = kept, row.seen_digest, row.seen_at
        row.approved_by = None
    row.save()
    rows[name] = row
    return row.is_held and not was_held


def _approve(actor: Actor, row: Tool) -> None:
    # What only one era says stays approved when the other era's text is.
    approved = {**{k: v for k, v in compared(row.approved or {}).items() if k == "execution"}, **row.seen}
    Tool.objects.filter(pk=row.pk).update(
        approved=approved,
        approved_digest=row.seen_digest,
        approved_at=clock.now(),
        approved_by=actor.user_id,
    )


def _tool(deployment: Deployment, name: str) -> Tool:
    row = Tool.objects.select_for_update().filter(deployment=deployment, name=cleaned(name)).first()
    if row is None:
        raise NotFound("tool_unknown", gettext("This server has no such tool."))
    return row
