"""Which identity providers an organization trusts, how far, and who their people are here.

Administrators of the organization decide about its own servers. What reaches beyond them, accounts found by an address
or made anew, is the operator's to allow, and ends when somebody else changes whose keys are believed.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext

from accounts.models import Membership, Organization, User
from accounts.permissions import check_may_administer, is_operator
from common.errors import AppError, BadInput, Conflict, Forbidden, NotFound
from events.actors import Actor
from events.audit import record
from oauth import scopes as known
from oauth.models import EnterpriseIdentity, TrustedIdp
from oauth.remote_keys import json_get

MOST = 20  # of one organization
MOST_CLIENTS = 200


def idp_trust(
    *,
    actor: Actor,
    organization: Organization,
    issuer: str,
    jwks_uri: str = "",
    scopes: str = "mcp:read mcp:call",
    clients: tuple[str, ...] = (),
    resources: tuple[UUID, ...] | None = None,
    email_domains: tuple[str, ...] = (),
    creates_users: bool = False,
) -> TrustedIdp:
    """From now on this provider decides about the organization's servers. Replaces what was said of it before, but for
    `resources` where they are None. Without `jwks_uri` the provider is asked where its keys are (OpenID Connect
    Discovery 1.0, 4)."""
    check_may_administer(actor, organization)
    operates = is_operator(actor)
    if not operates and (email_domains or creates_users):
        raise Forbidden(
            "operators_only", gettext("Only an operator of this site lets a provider find or make accounts.")
        )
    _check_https(issuer, "issuer")
    if len(clients) > MOST_CLIENTS or any(len(client) > 255 for client in clients):
        raise BadInput(
            "list_too_long",
            gettext("At most %(most_clients)s entries, of at most 255 characters.") % {"most_clients": MOST_CLIENTS},
            field="clients",
        )
    jwks_uri = jwks_uri or _jwks_uri_of(issuer)
    _check_https(jwks_uri, "jwks_uri")
    fields: dict[str, Any] = {
        "jwks_uri": jwks_uri,
        "jwks": {},
        "jwks_fetched_at": None,
        "scopes": " ".join(known.parse(scopes)),
        "clients": list(dict.fromkeys(clients)),
        "is_enabled": True,
    }
    with transaction.atomic():
        Organization.objects.select_for_update().get(pk=organization.pk)
        before = TrustedIdp.objects.filter(organization=organization, issuer=issuer).first()
        if before is None and organization.idps.count() >= MOST:
            raise Conflict(
                "idps_too_many", gettext("The organization has %(most)s identity providers already.") % {"most": MOST}
            )
        if operates or before is None or before.jwks_uri != jwks_uri:
            fields |= {"email_domains": [name.lower() for name in email_domains], "creates_users": creates_users}
        if resources is not None:
            fields["resources"] = list(resources)
        idp, _ = TrustedIdp.objects.update_or_create(organization=organization, issuer=issuer, defaults=fields)
        said = {name: fields[name] for name in ("jwks_uri", "scopes", "clients")}
        record(
            actor, "trusted_idp:set", "trusted_idp", idp.pk, organization=str(organization.pk), issuer=issuer, **said
        )
    return idp


def idp_distrust(*, actor: Actor, idp: TrustedIdp) -> None:
    """Repeatable. What it vouched for ends within ten minutes."""
    check_may_administer(actor, idp.organization)
    with transaction.atomic():
        if TrustedIdp.objects.filter(pk=idp.pk, is_enabled=True).update(is_enabled=False):
            record(actor, "trusted_idp:disable", "trusted_idp", idp.pk, organization=str(idp.organization_id))


def idp_of(organization: Organization, idp_id: UUID) -> TrustedIdp:
    """Of other organizations' nothing is found."""
    found = organization.idps.filter(pk=idp_id, is_enabled=True).first()
    if found is None:
        raise NotFound("idp_unknown", gettext("There is no such identity provider."))
    return found


def identity_link(*, actor: Actor, idp: TrustedIdp, subject: str, user: User) -> EnterpriseIdentity:
    """Administrators speak of the organization's own people only."""
    check_may_administer(actor, idp.organization)
    is_member = Membership.objects.filter(organization=idp.organization_id, user=user).exists()
    if user.service_of_id is not None or not (is_member or is_operator(actor)):
        raise Forbidden(
            "member_unknown", gettext("%(username)s is not in this organization.") % {"username": user.username}
        )
    if not 0 < len(subject) <= 255 or "\0" in subject:
        raise BadInput("subject_malformed", gettext("A subject has 1 to 255 characters."), field="subject")
    with transaction.atomic():
        identity, _ = EnterpriseIdentity.objects.update_or_create(idp=idp, subject=subject, defaults={"user": user})
        _record_identity(actor, "enterprise_identity:link", identity)
    return identity


def identity_unlink(*, actor: Actor, organization: Organization, identity_id: int) -> None:
    check_may_administer(actor, organization)
    with transaction.atomic():
        found = EnterpriseIdentity.objects.filter(pk=identity_id, idp__organization=organization).first()
        if found is None:
            raise NotFound("identity_unknown", gettext("There is no such person of a provider."))
        _record_identity(actor, "enterprise_identity:unlink", found)
        found.delete()


def _record_identity(actor: Actor, action: str, identity: EnterpriseIdentity) -> None:
    record(
        actor,
        action,
        "trusted_idp",
        identity.idp_id,
        organization=str(identity.idp.organization_id),
        subject=identity.subject,
        user=str(identity.user_id),
    )


def _jwks_uri_of(issuer: str) -> str:
    try:
        said = json_get(f"{issuer.rstrip('/')}/.well-known/openid-configuration").json(dict)
    except AppError as error:
        raise BadInput(
            "idp_unreachable",
            gettext("The provider did not say where its keys are. %(message)s") % {"message": error.message},
            field="issuer",
        ) from error
    if said.get("issuer") != issuer or not isinstance(said.get("jwks_uri"), str):
        raise BadInput("issuer_mismatch", gettext("What answers there says that it is another issuer."), field="issuer")
    return str(said["jwks_uri"])


def _check_https(url: str, field: str) -> None:
    try:
        parts = urlsplit(url)
        is_https = parts.scheme == "https" and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_https = False
    if not is_https or len(url) > 500 or parts.fragment or "@" in parts.netloc or "\0" in url:
        raise BadInput(f"{field}_refused", gettext("Give an https address."), field=field)
