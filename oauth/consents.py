"""What people allow clients: granted on the consent page, used with every token, ended under Connected apps.

A token is only as good as its consent. Issuing one updates the consent's row, revoking takes that row first, so that of
a refresh and a revocation at the same moment the revocation wins.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext

from accounts.models import User
from common import clock
from common.errors import NotFound
from events.actors import Actor
from events.audit import record
from oauth.models import AccessToken, Application, Consent, Grant, RefreshToken
from oauth.resources import Resource


def consent_find(*, user: User, application: Application, resource: Resource | None) -> Consent | None:
    """What was said before, also where it was taken back since."""
    url = resource.url if resource is not None else ""
    return Consent.objects.filter(user=user, application=application, resource=url).first()


def consent_grant(
    *, actor: Actor, user: User, application: Application, resource: Resource | None, scopes: Sequence[str]
) -> Consent:
    """Replaces what was allowed before: a later answer says all that holds."""
    now = clock.now()
    fields = {
        "resource_id": resource.id if resource is not None else None,
        "organization_id": resource.organization_id if resource is not None else None,
        "scopes": " ".join(scopes),
        "digest": application.profile.digest,
        "revoked_at": None,
        "blocked_at": None,
    }
    with transaction.atomic():
        url = resource.url if resource is not None else ""
        known = Consent.objects.select_for_update().filter(user=user, application=application, resource=url).first()
        if known is not None and known.resource_id != fields["resource_id"]:
            _tokens_end(known)  # of an earlier server that had this address
        since = known.granted_at if known is not None and known.revoked_at is None else now
        consent, _ = Consent.objects.update_or_create(
            user=user, application=application, resource=url, defaults={**fields, "granted_at": since}
        )
        record(
            actor,
            "consent:grant",
            "consent",
            consent.pk,
            client=application.client_id,
            resource=url,
            scopes=list(scopes),
            organization=str(resource.organization_id) if resource is not None and resource.organization_id else "",
        )
    return consent


def consent_use(*, user_id: UUID, application: Application, resource: str, resource_id: UUID | None) -> bool:
    """Notes that a token is issued for it, in the transaction that does; False where there is nothing to issue for."""
    return bool(
        Consent.objects.filter(
            user_id=user_id,
            application=application,
            resource=resource,
            resource_id=resource_id,
            revoked_at=None,
            blocked_at=None,
        ).update(last_used_at=clock.now())
    )


def consent_revoke(
    *, actor: Actor, consent_id: UUID, is_blocked: bool = False, organization_id: UUID | None = None
) -> None:
    """Ends all of its tokens, everywhere within a second. Blocking also refuses the client's next question.

    `organization_id`: whose administrator does it, which the caller has checked.
    """
    with transaction.atomic():
        consents = Consent.objects.select_for_update().filter(pk=consent_id)
        if organization_id is not None:
            consents = consents.filter(organization_id=organization_id)
        elif not actor.is_trusted:
            consents = consents.filter(user_id=actor.user_id) if actor.user_id else consents.none()
        consent = consents.first()
        if consent is None:
            raise NotFound("consent_unknown", gettext("There is no such connection."))
        now = clock.now()
        fields = {"revoked_at": consent.revoked_at or now}
        if is_blocked:
            fields["blocked_at"] = now
        Consent.objects.filter(pk=consent.pk).update(**fields)
        _tokens_end(consent)
        data = {"organization": str(consent.organization_id)} if consent.organization_id is not None else {}
        record(actor, "consent:block" if is_blocked else "consent:revoke", "consent", consent.pk, **data)


def consent_unblock(*, actor: Actor, consent_id: UUID) -> None:
    """It may ask again. What it was allowed before stays revoked."""
    with transaction.atomic():
        if actor.user_id is None or not Consent.objects.filter(pk=consent_id, user_id=actor.user_id).update(
            blocked_at=None
        ):
            raise NotFound("consent_unknown", gettext("There is no such connection."))
        record(actor, "consent:unblock", "consent", consent_id)


def consents_revoke_for(*, actor: Actor, resource_id: UUID) -> int:
    """All of a server, when it goes: a later one of the same name has the same URL but is another thing."""
    found = list(Consent.objects.filter(resource_id=resource_id, revoked_at=None).values_list("pk", flat=True))
    for consent_id in found:
        consent_revoke(actor=actor, consent_id=consent_id)
    return len(found)


def consents_revoke_of_client(*, actor: Actor, application: Application) -> None:
    """All that anybody allowed this client, and what it got without anybody's consent."""
    for consent_id in list(application.consents.filter(revoked_at=None).values_list("pk", flat=True)):
        consent_revoke(actor=actor, consent_id=consent_id)
    AccessToken.objects.filter(application=application).delete()


def consents_of(user: User) -> QuerySet[Consent]:
    """What stands or is blocked, what was used last first."""
    found = Consent.objects.filter(user=user).exclude(revoked_at__isnull=False, blocked_at=None)
    return found.select_related("application__profile").order_by("-last_used_at", "-granted_at")


def _tokens_end(consent: Consent) -> None:
    """The row of an access token that goes leaves its id on the list of revoked ones (`oauth.revocation`)."""
    of_this = {"user_id": consent.user_id, "application_id": consent.application_id}
    resource = [consent.resource] if consent.resource else []
    now = clock.now()
    Grant.objects.filter(**of_this, resource=resource).delete()
    RefreshToken.objects.filter(**of_this, resource=resource, revoked=None).update(revoked=now, updated=now)
    AccessToken.objects.filter(**of_this, resource=resource).delete()
