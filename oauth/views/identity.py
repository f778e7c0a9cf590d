"""Which identity providers an organization trusts, and who their people are here."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.utils.translation import gettext

from accounts.reauthentication import check_present
from accounts.selectors import members_of, user_get
from accounts.views.page import OrganizationPage, organization_page
from common.errors import AppError, NotFound
from common.http import add_error
from oauth.enterprise import trust
from oauth.forms import IdentityForm, IdpForm
from oauth.models import TrustedIdp

PEOPLE_SHOWN = 500  # of one provider
_HERE = "oauth:organization_identity"


@organization_page()
def identity(page: OrganizationPage) -> HttpResponse:
    if page.action == "distrust":
        page.attempt(_distrust, gettext("It is trusted no more."), idp_id=page.request.POST.get("idp", ""))
        return page.back(_HERE)
    if page.action == "unlink":
        given = page.request.POST.get("identity", "")
        page.attempt(trust.identity_unlink, gettext("Saved."), identity_id=int(given) if given.isdecimal() else 0)
        return page.back(_HERE)
    if page.action:
        check_present(page.request)
    post: Any = page.request.POST
    idps = list(page.organization.idps.filter(is_enabled=True).order_by("issuer"))
    idp_form = IdpForm(post if page.action == "trust" else None, initial=_changed(page, idps), auto_id="idp_%s")
    link_form = IdentityForm(
        post if page.action == "link" else None,
        idps=[(str(idp.pk), idp.issuer) for idp in idps],
        people=[member.user.username for member in members_of(page.organization) if member.user.service_of_id is None],
        auto_id="link_%s",
    )
    if idp_form.is_valid() and _trust(page, idp_form):
        return page.back(_HERE)
    if link_form.is_valid() and _link(page, link_form):
        return page.back(_HERE)
    shown = [(idp, idp.identities.select_related("user").order_by("subject")[:PEOPLE_SHOWN]) for idp in idps]
    status = 400 if idp_form.is_bound or link_form.is_bound else 200
    return page.show("identity", "identity", status=status, idps=shown, idp_form=idp_form, link_form=link_form)


def _changed(page: OrganizationPage, idps: list[TrustedIdp]) -> dict[str, Any]:
    """What the form begins with: the provider that is to be changed."""
    for idp in idps:
        if str(idp.pk) == page.request.GET.get("idp"):
            return {
                "issuer": idp.issuer,
                "jwks_uri": idp.jwks_uri,
                "scopes": idp.scopes.split(),
                "clients": "\n".join(idp.clients),
            }
    return {}


def _trust(page: OrganizationPage, form: IdpForm) -> bool:
    given = form.cleaned_data
    try:
        trust.idp_trust(
            actor=page.actor,
            organization=page.organization,
            issuer=given["issuer"],
            jwks_uri=given["jwks_uri"],
            scopes=" ".join(given["scopes"]),
            clients=tuple(given["clients"].split()),
        )
    except AppError as error:
        add_error(form, error)
        return False
    messages.success(page.request, gettext("It is trusted from now on."))
    return True


def _link(page: OrganizationPage, form: IdentityForm) -> bool:
    given = form.cleaned_data
    try:
        trust.identity_link(
            actor=page.actor,
            idp=trust.idp_of(page.organization, UUID(given["idp"])),
            subject=given["subject"],
            user=user_get(given["account"]),
        )
    except AppError as error:
        add_error(form, error)
        return False
    messages.success(page.request, gettext("Saved."))
    return True


def _distrust(*, actor: Any, organization: Any, idp_id: str) -> None:
    try:
        found = UUID(idp_id)
    except ValueError:
        raise NotFound("idp_unknown", gettext("There is no such identity provider.")) from None
    trust.idp_distrust(actor=actor, idp=trust.idp_of(organization, found))
