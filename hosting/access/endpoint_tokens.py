"""Tokens for a deployment's endpoint, as the people who may call it make and revoke them."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext

from accounts.models import User
from common import clock
from common.errors import NotFound
from events.actors import Actor
from hosting.access.permissions import may_manage, may_see, unknown
from hosting.models import Deployment
from hosting.routing import resource_url
from oauth.models import EndpointToken
from oauth.selectors import endpoint_tokens_of
from oauth.services import SHELL_CLIENT, endpoint_token_issue, endpoint_token_revoke


def deployment_tokens_of(actor: Actor, deployment: Deployment) -> QuerySet[EndpointToken]:
    """Those that are good, the newest first: all of them for who manages the deployment, for others their own."""
    tokens = endpoint_tokens_of(deployment.pk).filter(revoked_at=None, expires_at__gt=clock.now()).order_by("-id")
    return tokens if may_manage(actor, deployment) else _own(actor, tokens)


def deployment_token_issue(
    *,
    actor: Actor,
    user: User,
    deployment: Deployment,
    scopes: Sequence[str],
    ttl_seconds: int,
    note: str = "",
    client: str = SHELL_CLIENT,
) -> tuple[EndpointToken, str]:
    """For the person who asks. Whoever may see it may call it, or the endpoint refuses."""
    if actor.user_id != user.pk or not may_see(actor, deployment):
        raise unknown()
    return endpoint_token_issue(
        actor=actor,
        user=user,
        deployment_id=deployment.pk,
        resource=resource_url(deployment.owner.folded, deployment.folded_name),
        scopes=scopes,
        ttl_seconds=ttl_seconds,
        note=note,
        client=client,
    )


def deployment_token_revoke(*, actor: Actor, deployment: Deployment, token_id: UUID) -> None:
    """One's own; who manages the deployment, any of its tokens. Repeatable."""
    tokens = endpoint_tokens_of(deployment.pk).filter(pk=token_id)
    if not may_manage(actor, deployment):
        tokens = _own(actor, tokens)
    if not tokens.exists():
        raise NotFound("token_unknown", gettext("There is no such token of this server, or it isn't yours."))
    endpoint_token_revoke(actor=actor, token_id=token_id)


def _own(actor: Actor, tokens: QuerySet[EndpointToken]) -> QuerySet[EndpointToken]:
    return tokens.filter(user_id=actor.user_id) if actor.user_id else tokens.none()
