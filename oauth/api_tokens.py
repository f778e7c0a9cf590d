"""Tokens for the platform API: issued, found by their digest, revoked. The value is shown once and kept nowhere."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext

from accounts.models import User
from accounts.permissions import may_administer
from common import clock, ids
from common.errors import BadInput, Conflict, NotFound
from events.actors import Actor
from events.audit import record
from oauth.models import ApiToken

PREFIX: Final = "slipway_api_"
DAY_SECONDS: Final = 24 * 3600
MAX_TTL_SECONDS: Final = 365 * DAY_SECONDS
DEFAULT_TTL_SECONDS: Final = 30 * DAY_SECONDS
MAX_LIVE: Final = 100  # of one user
_SHOWN_CHARACTERS: Final = len(PREFIX) + 6  # of 43 random ones
_MAX_CHARACTERS: Final = 200
_USE_NOTED_AFTER: Final = timedelta(minutes=1)


def api_token_issue(
    *, actor: Actor, user: User, scopes: Sequence[str], ttl_seconds: int, note: str = ""
) -> tuple[ApiToken, str]:
    """A revocable, audited row and the token itself. People issue for themselves and for their organizations' programs,
    operators for anybody."""
    is_theirs = user.service_of is not None and may_administer(actor, user.service_of)
    if not (actor.is_trusted or is_theirs or actor.user_id == user.pk):
        raise NotFound("user_unknown", gettext("There is no such user, or it isn't you."))
    if not 1 <= ttl_seconds <= MAX_TTL_SECONDS:
        raise BadInput("ttl_out_of_range", gettext("A token for the API lives from 1 second to 365 days."), field="ttl")
    if not user.is_active:
        raise BadInput(
            "user_inactive",
            gettext("The account %(username)s is switched off, so no token can act for it.")
            % {"username": user.username},
        )
    value = PREFIX + ids.random_token(256)
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        if api_tokens_of(user).count() >= MAX_LIVE:
            raise Conflict(
                "tokens_too_many",
                gettext("%(username)s has %(max_live)s tokens already. Revoke one first.")
                % {"username": user.username, "max_live": MAX_LIVE},
            )
        now = clock.now()
        row = ApiToken.objects.create(
            digest=_digest(value),
            prefix=value[:_SHOWN_CHARACTERS],
            user=user,
            scopes=" ".join(scopes),
            created_at=now,
            expires_at=now + timedelta(seconds=ttl_seconds),
            note=note,
        )
        record(
            actor,
            "api_token:issue",
            "api_token",
            row.pk,
            user=str(user.pk),
            prefix=row.prefix,
            scopes=list(scopes),
            ttl_seconds=ttl_seconds,
        )
    return row, value


def api_token_revoke(*, actor: Actor, token_id: UUID, organization_id: UUID | None = None) -> None:
    """Takes effect with the next request, everywhere: each one reads the row. Repeatable.

    `organization_id`: whose administrator does it, which the caller has checked.
    """
    tokens = ApiToken.objects.filter(pk=token_id)
    if organization_id is not None:
        tokens = tokens.filter(user__service_of_id=organization_id)
    elif not actor.is_trusted:
        tokens = tokens.filter(user_id=actor.user_id) if actor.user_id else tokens.none()
    with transaction.atomic():
        if not tokens.exists():
            raise NotFound("token_unknown", gettext("There is no such token."))
        if tokens.filter(revoked_at=None).update(revoked_at=clock.now()):
            record(actor, "api_token:revoke", "api_token", token_id)


def api_tokens_of(user: User) -> QuerySet[ApiToken]:
    """Those that open something, the newest first."""
    return ApiToken.objects.filter(user=user, revoked_at=None, expires_at__gt=clock.now())


def api_token_find(value: str) -> ApiToken | None:
    """The token of a request, with its user; None for everything that opens nothing. Notes its use."""
    if not value.startswith(PREFIX) or len(value) > _MAX_CHARACTERS:
        return None
    now = clock.now()
    found = (
        ApiToken.objects.select_related("user")
        .filter(digest=_digest(value), revoked_at=None, expires_at__gt=now, user__is_active=True)
        .first()
    )
    if found is None:
        return None
    before = now - _USE_NOTED_AFTER
    if found.last_used_at is None or found.last_used_at < before:
        unnoted = Q(last_used_at=None) | Q(last_used_at__lt=before)
        ApiToken.objects.filter(unnoted, pk=found.pk).update(last_used_at=now)
    return found


def _digest(value: str) -> str:
    """Of 256 random bits: nothing slower is needed, there is nothing to guess."""
    return hashlib.sha256(value.encode("utf-8", "replace")).hexdigest()
