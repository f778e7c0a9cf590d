"""The rules of an organization about programs: asked on the consent page, and again with every token that is issued."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext

from accounts.models import Organization
from accounts.permissions import check_may_administer
from common.errors import BadInput, NotFound
from events.actors import Actor
from events.audit import record
from oauth import scopes as known
from oauth.consents import consent_revoke
from oauth.models import AccessToken, Application, ClientPolicy, Consent
from oauth.resources import Resource

MOST: Final = 200  # entries of a list
Source = Application.RegistrationSource


def policy_of(organization_id: UUID | None) -> ClientPolicy | None:
    return ClientPolicy.objects.filter(pk=organization_id).first() if organization_id is not None else None


def refusal_of(application: Application, resource: Resource) -> str:
    """Why the organization does not let this client in, "" where it does."""
    policy = policy_of(resource.organization_id)
    return _refusal(policy, application, resource.name) if policy is not None else ""


def scopes_within(resource: Resource | None, asked: Iterable[str]) -> tuple[str, ...]:
    """What the organization lets anybody grant, of what was asked for."""
    policy = policy_of(resource.organization_id) if resource is not None else None
    if policy is None or not policy.scopes:
        return tuple(asked)
    allowed = {*policy.scopes.split(), known.OFFLINE}
    return tuple(scope for scope in asked if scope in allowed)


def policy_set(
    *,
    actor: Actor,
    organization: Organization,
    clients: Sequence[str] = (),
    is_verified_only: bool = False,
    servers: Sequence[str] = (),
    scopes: Sequence[str] = (),
) -> ClientPolicy:
    """What is connected already and not allowed any more ends, everywhere within a second."""
    check_may_administer(actor, organization)
    for name, values in (("clients", clients), ("servers", servers)):
        if len(values) > MOST or any(len(value) > 255 or "\0" in value for value in values):
            raise BadInput(
                "list_too_long",
                gettext("At most %(most)s entries, of at most 255 characters.") % {"most": MOST},
                field=name,
            )
    fields = {
        "clients": list(dict.fromkeys(clients)),
        "is_verified_only": is_verified_only,
        "servers": [name.lower()[:100] for name in dict.fromkeys(servers)],
        "scopes": " ".join(known.parse(" ".join(scopes))) if scopes else "",
    }
    with transaction.atomic():
        policy, _ = ClientPolicy.objects.update_or_create(organization=organization, defaults=fields)
        record(actor, "client_policy:set", "organization", organization.pk, **fields)
        _end_what_is_refused(actor, organization, policy)
    return policy


def client_refuse(*, actor: Actor, organization: Organization, client_id: str) -> None:
    """Blocked at all servers of the organization, for all of its people. Repeatable."""
    _change_blocked(actor, organization, client_id, is_blocked=True)


def client_readmit(*, actor: Actor, organization: Organization, client_id: str) -> None:
    """It may ask people again. What they allowed it before stays ended. Repeatable."""
    _change_blocked(actor, organization, client_id, is_blocked=False)


def organization_consents(organization: Organization) -> list[Consent]:
    """What people let which programs do at the organization's servers; used last first."""
    found = Consent.objects.filter(organization_id=organization.pk, revoked_at=None)
    return list(found.select_related("application__profile", "user").order_by("-last_used_at", "-granted_at")[:500])


def organization_consent_revoke(*, actor: Actor, organization: Organization, consent_id: UUID) -> None:
    """By an administrator. Of other organizations' nothing is found."""
    check_may_administer(actor, organization)
    if not Consent.objects.filter(pk=consent_id, organization_id=organization.pk).exists():
        raise NotFound("consent_unknown", gettext("There is no such connection."))
    consent_revoke(actor=actor, consent_id=consent_id, organization_id=organization.pk)


def _change_blocked(actor: Actor, organization: Organization, client_id: str, *, is_blocked: bool) -> None:
    check_may_administer(actor, organization)
    with transaction.atomic():
        ClientPolicy.objects.get_or_create(organization=organization)
        policy = ClientPolicy.objects.select_for_update().get(pk=organization.pk)
        if (client_id in policy.blocked) == is_blocked:
            return
        if is_blocked and not Application.objects.filter(client_id=client_id).exists():
            raise NotFound("client_unknown", gettext("There is no such program."))
        others = [other for other in policy.blocked if other != client_id]
        policy.blocked = [*others, client_id] if is_blocked else others
        policy.save(update_fields=["blocked"])
        action = "client_policy:block" if is_blocked else "client_policy:unblock"
        record(actor, action, "organization", organization.pk, client=client_id)
        _end_what_is_refused(actor, organization, policy)


def _refusal(policy: ClientPolicy, application: Application, server: str) -> str:
    client_id = application.client_id
    if client_id in policy.blocked:
        return "The organization of this server has blocked this program."
    if policy.is_verified_only and application.registration_source == Source.DCR:
        return "The organization of this server takes no programs that registered themselves."
    host = urlsplit(client_id).netloc if client_id.startswith("https://") else ""
    if policy.clients and client_id not in policy.clients and (not host or host not in policy.clients):
        return "The organization of this server takes only programs of its own list."
    if policy.servers and server.lower() not in policy.servers:
        return "The organization keeps programs from this server."
    return ""


def _end_what_is_refused(actor: Actor, organization: Organization, policy: ClientPolicy) -> None:
    allowed = {*policy.scopes.split(), known.OFFLINE} if policy.scopes else None
    consents = Consent.objects.filter(organization_id=organization.pk, revoked_at=None).select_related("application")
    for consent in consents:
        too_much = allowed is not None and not set(consent.scopes.split()) <= allowed
        if too_much or _refusal(policy, consent.application, _server(consent.resource)):
            consent_revoke(actor=actor, consent_id=consent.pk, organization_id=organization.pk)
    # and what was issued without a person's consent
    prefix = f"{settings.SLIPWAY_URL}/mcp/{organization.name.folded}/"
    for token in AccessToken.objects.filter(resource__0__startswith=prefix).select_related("application"):
        too_much = allowed is not None and not set(token.scope.split()) <= allowed
        if too_much or _refusal(policy, token.application, _server(token.resource[0])):
            token.delete()


def _server(resource: str) -> str:
    return resource.rpartition("/")[2]
