"""Rotating the keys that sign access tokens: `next`, which is published only, becomes `active`, which signs, becomes
`retiring`, which is known until everything that it signed has expired. So no token is ever signed by a key that
somebody could not have fetched, and none becomes bad by a rotation."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.db import connection, transaction

from common import clock
from events.actors import Actor
from events.audit import record
from oauth import keys
from oauth.models import EndpointToken, SigningKey

PUBLISHED_FIRST: Final = timedelta(minutes=10)  # twice the time for which others may keep the JWK Set
KEPT_AT_LEAST: Final = timedelta(minutes=20)  # twice an access token's life
EVERY: Final = timedelta(days=30)
_LOCK: Final = 0x534C4950_0002  # any number that nobody else locks
_State = SigningKey.State


def signing_key_publish(*, actor: Actor) -> SigningKey:
    """The first half of a rotation: a new key is published. Repeatable: there is one `next` at a time."""
    with transaction.atomic():
        _lock()
        waiting = SigningKey.objects.filter(state=_State.NEXT).first()
        if waiting is not None:
            return waiting
        _adopt_first()
        key = keys.new_key()
        row = SigningKey.objects.create(
            kid=str(key.kid), sealed=keys.sealed(key), public=keys.public_part(key), state=_State.NEXT
        )
        record(actor, "signing_key:publish", "signing_key", row.kid)
    return row


def signing_key_activate(*, actor: Actor, is_urgent: bool = False) -> bool:
    """The second half: what was published long enough signs from now on. False when it is too early.

    `is_urgent` waits for nothing; clients that keep the old JWK Set don't matter, since only we verify our tokens.
    """
    with transaction.atomic():
        _lock()
        row = SigningKey.objects.filter(state=_State.NEXT).first()
        if row is None or not (is_urgent or row.created_at < clock.now() - PUBLISHED_FIRST):
            return False
        SigningKey.objects.filter(state=_State.ACTIVE).update(state=_State.RETIRING, retired_at=clock.now())
        SigningKey.objects.filter(pk=row.pk).update(state=_State.ACTIVE)
        record(actor, "signing_key:activate", "signing_key", row.kid)
    return True


def signing_keys_turn(*, actor: Actor) -> None:
    """What the site does by itself: a new key each month, in two steps, and old ones forgotten."""
    now = clock.now()
    for row in SigningKey.objects.filter(state=_State.RETIRING, retired_at__lt=now - KEPT_AT_LEAST):
        if not EndpointToken.objects.filter(
            created_at__lte=row.retired_at, expires_at__gt=now, revoked_at=None
        ).exists():
            SigningKey.objects.filter(pk=row.pk).delete()
            record(actor, "signing_key:forget", "signing_key", row.kid)
    if signing_key_activate(actor=actor):
        return
    newest = SigningKey.objects.order_by("-created_at").first()
    if newest is not None and newest.created_at < now - EVERY:
        signing_key_publish(actor=actor)


def _adopt_first() -> None:
    """The file's key gets its row with the first rotation, so that it can retire."""
    if SigningKey.objects.exists():
        return
    first = keys.load_signing_key()
    SigningKey.objects.create(
        kid=str(first.kid), sealed=keys.sealed(first), public=keys.public_part(first), state=_State.ACTIVE
    )


def _lock() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
