"""Deployments as the authorization server sees them: URLs that a token may be for. See `oauth.resources.Finder`."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext, gettext_noop

from common.errors import NotFound
from events.actors import person
from hosting.access.permissions import may_call
from hosting.routing import resource_url
from hosting.selectors import deployment_get
from oauth.resources import Resource

TRACED = gettext_noop(
    "Bodies of calls are traced: whoever manages this server can read what is sent to it in your name and "
    "what it answers."
)


def resource_find(url: str, user_id: UUID) -> Resource | None:
    """Of one that the user may not call nobody learns that it exists."""
    owner, slash, name = url.removeprefix(f"{settings.SLIPWAY_URL}/mcp/").partition("/")
    if not slash or url.count("/") != 5:
        return None
    try:
        deployment = deployment_get(owner, name)
    except NotFound:
        return None
    canonical = resource_url(deployment.owner.folded, deployment.folded_name)
    if url.lower() != canonical or not may_call(person(user_id), deployment):
        return None
    holder = deployment.owner
    remark = gettext(TRACED) if deployment.traces_bodies else ""
    return Resource(canonical, deployment.pk, holder.display, deployment.name, holder.organization_id, remark)
