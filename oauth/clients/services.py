"""Making, blocking and removing clients, however they came to be."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext

from accounts.models import User
from common import clock, ids
from common.errors import BadInput, NotFound
from events.actors import Actor
from events.audit import record
from oauth import redirects
from oauth.clients.metadata import BASIC, CLIENT_CREDENTIALS, KEY, NONE, SECRETS, ClientMetadata, public_keys
from oauth.consents import consents_revoke_of_client
from oauth.models import Application, ClientProfile

SECRET_PREFIX: Final = "sha256:"
UNASKED_FOR: Final = timedelta(days=7)  # registered, and nobody ever agreed to it
UNUSED_FOR: Final = timedelta(days=30)
Source = Application.RegistrationSource


def secret_digest(secret: str) -> str:
    """Of 256 random bits: a slow hash would guard nothing, and cost a quarter of a second with every request."""
    return SECRET_PREFIX + hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def client_save(
    said: ClientMetadata,
    *,
    source: str,
    client_id: str = "",
    user: User | None = None,
    application: Application | None = None,
    expires_at: datetime | None = None,
) -> tuple[Application, str]:
    """A new client, or a known one as it is now; and its secret, where it gets one. In the caller's transaction."""
    secret = ids.random_token(256) if said.method in SECRETS and application is None else ""
    is_new = application is None
    application = application or Application(client_id=client_id or ids.random_token(160), user=user)
    application.name = said.name
    application.redirect_uris = " ".join(said.redirect_uris)
    application.registration_source = source
    confidential, public = Application.CLIENT_CONFIDENTIAL, Application.CLIENT_PUBLIC
    application.client_type = public if said.method == NONE else confidential
    application.authorization_grant_type = Application.GRANT_AUTHORIZATION_CODE
    application.hash_client_secret = False  # it is one
    if is_new:
        application.client_secret = secret_digest(secret) if secret else ""
    application.save()
    ClientProfile.objects.update_or_create(
        application=application,
        defaults={
            "method": said.method,
            "grants": list(said.grants),
            "jwks_uri": said.jwks_uri,
            "jwks": dict(said.jwks),
            "client_uri": said.client_uri,
            "digest": said.digest,
            "expires_at": expires_at,
        },
    )
    return Application.objects.get(pk=application.pk), secret


def client_create(
    *,
    actor: Actor,
    name: str,
    redirect_uris: Sequence[str] = (),
    grants: Sequence[str],
    method: str = BASIC,
    user: User | None = None,
    scopes: Sequence[str] = (),
    jwks: Mapping[str, Any] | None = None,
    client_id: str = "",
) -> tuple[Application, str]:
    """A client that somebody of this site sets up; and its secret, which is shown once.

    With client credentials it acts as its `user`, within `scopes`.
    """
    redirects.check(redirect_uris)
    if CLIENT_CREDENTIALS in grants and (user is None or method == NONE):
        raise BadInput(
            "client_incomplete",
            gettext("With client credentials a client acts as a user, and proves who it is."),
            field="grants",
        )
    if "authorization_code" in grants and not redirect_uris:
        raise BadInput("redirect_uri_missing", gettext("Say where people are sent back to."), field="redirect_uris")
    if client_id.startswith("https://"):
        raise BadInput(
            "client_id_refused", gettext("Ids that are URLs belong to whoever holds that URL."), field="client_id"
        )
    said = ClientMetadata(
        name=name,
        redirect_uris=tuple(redirect_uris),
        grants=tuple(grants),
        method=method,
        jwks=public_keys(jwks) if method == KEY else {},
    )
    with transaction.atomic():
        application, secret = client_save(said, source=Source.MANUAL, client_id=client_id, user=user)
        ClientProfile.objects.filter(application=application).update(scopes=" ".join(scopes))
        record(actor, "client:create", "client", application.client_id, name=name, grants=list(grants), method=method)
    return Application.objects.get(pk=application.pk), secret


def client_get(client_id: str) -> Application:
    found: Application | None = Application.objects.filter(client_id=client_id).first()
    if found is None:
        raise NotFound("client_unknown", gettext("There is no client %(client_id)s.") % {"client_id": client_id})
    return found


def client_block(*, actor: Actor, client_id: str) -> None:
    """For everybody, at once: its tokens end, and it gets no others. Repeatable."""
    with transaction.atomic():
        application = client_get(client_id)
        if ClientProfile.objects.filter(application=application, blocked_at=None).update(blocked_at=clock.now()):
            consents_revoke_of_client(actor=actor, application=application)
            record(actor, "client:block", "client", client_id)


def client_unblock(*, actor: Actor, client_id: str) -> None:
    with transaction.atomic():
        application = client_get(client_id)
        if ClientProfile.objects.filter(application=application).exclude(blocked_at=None).update(blocked_at=None):
            record(actor, "client:unblock", "client", client_id)


def client_delete(*, actor: Actor, client_id: str, organization_id: UUID | None = None) -> None:
    """`organization_id`: whose administrator does it, which the caller has checked."""
    with transaction.atomic():
        application = client_get(client_id)
        is_theirs = organization_id is not None and application.user.service_of_id == organization_id
        is_own = actor.user_id is not None and application.user_id == actor.user_id
        if not (actor.is_trusted or is_theirs or is_own):
            raise NotFound("client_unknown", gettext("There is no client %(client_id)s.") % {"client_id": client_id})
        record(actor, "client:delete", "client", client_id)
        application.delete()


def client_used(application: Application) -> None:
    """Noted with every token."""
    ClientProfile.objects.filter(application=application).update(last_used_at=clock.now())


def clients_purge() -> int:
    """Forgets those that registered themselves and are not used. How many."""
    now = clock.now()
    unasked = Q(profile__last_used_at=None, profile__created_at__lt=now - UNASKED_FOR)
    unused = Q(profile__last_used_at__lt=now - UNUSED_FOR)
    gone = Application.objects.filter(unasked | unused, profile__blocked_at=None).exclude(
        registration_source=Source.MANUAL
    )
    count = 0
    for application in gone[:5000]:
        application.delete()
        count += 1
    return count
