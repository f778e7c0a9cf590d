"""What programs of an organization prove themselves by: clients with a secret for endpoints, tokens for the API."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext

from accounts.models import Membership, Organization, User
from accounts.permissions import check_may_administer
from common.errors import Conflict, NotFound
from events.actors import Actor
from oauth.api_tokens import api_token_revoke, api_tokens_of
from oauth.clients.metadata import BASIC, CLIENT_CREDENTIALS
from oauth.clients.services import client_create, client_delete
from oauth.models import AccessToken, ApiToken, Application

MOST_CLIENTS: Final = 10  # of one account


@dataclass(frozen=True)
class ServiceAccount:
    user: User
    role: str
    clients: list[Application]
    tokens: list[ApiToken]


def service_accounts_of(organization: Organization) -> list[ServiceAccount]:
    """Those that are not retired."""
    memberships = Membership.objects.filter(organization=organization, user__service_of=organization)
    return [
        ServiceAccount(
            one.user,
            one.get_role_display(),
            list(Application.objects.filter(user=one.user).order_by("pk")),
            list(api_tokens_of(one.user)),
        )
        for one in memberships.select_related("user").order_by("user__username")
    ]


def service_client_create(
    *, actor: Actor, organization: Organization, user: User, scopes: Sequence[str]
) -> tuple[Application, str]:
    """A client that acts as this account (client credentials), and its secret, which is shown once."""
    check_may_administer(actor, organization)
    _check_account(organization, user)
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        if Application.objects.filter(user=user).count() >= MOST_CLIENTS:
            raise Conflict(
                "clients_too_many",
                gettext("%(username)s has %(most_clients)s clients already. Delete one first.")
                % {"username": user.username, "most_clients": MOST_CLIENTS},
            )
        return client_create(
            actor=actor,
            name=user.username,
            grants=[CLIENT_CREDENTIALS],
            method=BASIC,
            user=user,
            scopes=scopes,
        )


def service_client_delete(*, actor: Actor, organization: Organization, client_id: str) -> None:
    """With its tokens, everywhere within a second."""
    check_may_administer(actor, organization)
    found = Application.objects.filter(client_id=client_id, user__service_of=organization).first()
    if found is None:
        raise NotFound("client_unknown", gettext("There is no such client."))
    with transaction.atomic():
        for token in AccessToken.objects.filter(application=found):
            token.delete()
        client_delete(actor=actor, client_id=client_id, organization_id=organization.pk)


def service_token_revoke(*, actor: Actor, organization: Organization, token_id: UUID) -> None:
    check_may_administer(actor, organization)
    if not ApiToken.objects.filter(pk=token_id, user__service_of=organization).exists():
        raise NotFound("token_unknown", gettext("There is no such token."))
    api_token_revoke(actor=actor, token_id=token_id, organization_id=organization.pk)


def _check_account(organization: Organization, user: User) -> None:
    if user.service_of_id != organization.pk or not user.is_active:
        raise NotFound("service_account_unknown", gettext("The organization has no such account."))
