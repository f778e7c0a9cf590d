"""Lists of what belongs to a person or a deployment, in pages."""

from __future__ import annotations

from uuid import UUID

from django.db.models import F, Q

from accounts.models import User
from common.api.paging import Page, cursor_unknown, page_of
from events.actors import Actor
from hosting.access.endpoint_tokens import deployment_tokens_of
from hosting.access.permissions import may_manage
from hosting.models import Deployment, DeploymentVersion, Tool
from hosting.selectors import deployments_of, versions_of
from hosting.store.data_folders import Holding, folders_of, holding
from oauth.models import EndpointToken


def deployments_page(user: User, cursor: str, limit: int) -> Page[Deployment]:
    """In the order of owner and name; the cursor is "owner/name", folded."""
    found = deployments_of(user)
    if cursor:
        owner, slash, name = cursor.partition("/")
        if not slash:
            raise cursor_unknown()
        found = found.filter(Q(owner__folded__gt=owner) | Q(owner__folded=owner, folded_name__gt=name))
    return page_of(found[: limit + 1], limit, lambda row: f"{row.owner.folded}/{row.folded_name}")


def versions_page(deployment: Deployment, cursor: str, limit: int) -> Page[DeploymentVersion]:
    """The newest first; the cursor is a number."""
    found = versions_of(deployment).defer("build_log", "tools", "declared")
    if cursor:
        if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 10):
            raise cursor_unknown()
        found = found.filter(number__lt=int(cursor))
    return page_of(found[: limit + 1], limit, lambda row: str(row.number))


def tools_page(actor: Actor, deployment: Deployment, cursor: str, limit: int) -> Page[Tool]:
    """By name, which is the cursor. Who doesn't manage the deployment sees those that can be called."""
    found = deployment.tools.filter(is_listed=True).select_related("approved_by").order_by("name")
    if cursor:
        found = found.filter(name__gt=cursor)
    if not may_manage(actor, deployment):
        found = found.filter(is_enabled=True)
        if deployment.tool_approval == Deployment.Approval.ASK:
            found = found.filter(seen_digest=F("approved_digest"))
    return page_of(found[: limit + 1], limit, lambda row: row.name)


def data_page(actor: Actor, deployment: Deployment, cursor: str, limit: int) -> Page[Holding]:
    """By key, which is the cursor."""
    found = folders_of(actor, deployment)
    if cursor:
        found = found.filter(key__gt=cursor)
    return page_of((holding(actor, row) for row in found[: limit + 1]), limit, lambda one: one.key)


def tokens_page(actor: Actor, deployment: Deployment, cursor: str, limit: int) -> Page[EndpointToken]:
    """The newest first; the cursor is an id, which sorts by time."""
    found = deployment_tokens_of(actor, deployment)
    if cursor:
        try:
            found = found.filter(pk__lt=UUID(cursor))
        except ValueError:
            raise cursor_unknown() from None
    return page_of(found[: limit + 1], limit, lambda row: str(row.pk))
