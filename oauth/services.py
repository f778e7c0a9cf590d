"""Issuing and revoking tokens for MCP endpoints."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext

from accounts.models import User
from common import clock, ids
from common.errors import BadInput, NotFound
from events.actors import Actor
from events.audit import record
from oauth import claims, keys
from oauth.consents import consents_revoke_for
from oauth.models import AccessToken, EndpointToken

MAX_TTL_DAYS = 90
MAX_TTL_SECONDS = MAX_TTL_DAYS * 24 * 3600
# Tokens from the shell belong to no registered client; the name stands where a client's id would.
SHELL_CLIENT = "slipway-shell"
# Nor do those of the page that is a client itself (hosting.playground).
PLAYGROUND_CLIENT = "slipway-playground"


def endpoint_token_issue(
    *,
    actor: Actor,
    user: User,
    deployment_id: UUID,
    resource: str,
    scopes: Sequence[str],
    ttl_seconds: int,
    note: str = "",
    client: str = SHELL_CLIENT,
) -> tuple[EndpointToken, str]:
    """A revocable, audited row and the token itself, which is kept nowhere."""
    if not 1 <= ttl_seconds <= MAX_TTL_SECONDS:
        raise BadInput(
            "ttl_out_of_range",
            gettext("A token lives from 1 second to %(max_ttl_seconds)s seconds (%(max_ttl_days)s days).")
            % {"max_ttl_seconds": MAX_TTL_SECONDS, "max_ttl_days": MAX_TTL_DAYS},
            field="ttl",
        )
    if not user.is_active:
        raise BadInput(
            "user_inactive",
            gettext("The account %(username)s is switched off, so no token can act for it.")
            % {"username": user.username},
        )
    issued_at = clock.now().replace(microsecond=0)
    with transaction.atomic():
        row = EndpointToken.objects.create(
            jti=ids.random_token(),
            user=user,
            deployment_id=deployment_id,
            resource=resource,
            scopes=" ".join(scopes),
            created_at=issued_at,
            expires_at=issued_at + timedelta(seconds=ttl_seconds),
            note=note,
        )
        record(
            actor,
            "endpoint_token:issue",
            "endpoint_token",
            row.id,
            user=str(user.id),
            deployment=str(deployment_id),
            resource=resource,
            scopes=list(scopes),
            ttl_seconds=ttl_seconds,
        )
    value = claims.mint(
        claims.Claims(
            sub=str(user.id),
            client_id=client,
            aud=resource,
            scope=frozenset(scopes),
            jti=row.jti,
            iat=int(row.created_at.timestamp()),
            exp=int(row.expires_at.timestamp()),
            iss=settings.SLIPWAY_URL,
        ),
        key=keys.signing_key(),
    )
    return row, value


def endpoint_token_revoke(*, actor: Actor, token_id: UUID) -> None:
    """Takes effect at once; every web process learns of it within a second. Repeatable."""
    with transaction.atomic():
        if not EndpointToken.objects.filter(pk=token_id).exists():
            raise NotFound("token_unknown", gettext("There is no such token."))
        if EndpointToken.objects.filter(pk=token_id, revoked_at=None).update(revoked_at=clock.now()):
            record(actor, "endpoint_token:revoke", "endpoint_token", token_id)


def endpoint_tokens_revoke_for(*, actor: Actor, deployment_id: UUID, resource: str = "") -> int:
    """All tokens of a deployment, and what people allowed clients there, when it goes: a later one of the same name has
    the same URL but is another thing."""
    with transaction.atomic():
        tokens = EndpointToken.objects.filter(deployment_id=deployment_id, revoked_at=None, expires_at__gt=clock.now())
        revoked = tokens.update(revoked_at=clock.now())
        if revoked:
            record(actor, "endpoint_token:revoke_all", "deployment", deployment_id, count=revoked)
        consents_revoke_for(actor=actor, resource_id=deployment_id)
        if resource:  # what was issued without anybody's consent: to service clients, on an identity provider's word
            AccessToken.objects.filter(resource=[resource], expires__gt=clock.now()).delete()
    return revoked
