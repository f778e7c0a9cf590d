"""What an organization keeps for its members' instances: stored, replaced, deleted. Never a value."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext

from accounts.reauthentication import confirm_url
from accounts.views.page import OrganizationPage, organization_page
from common.errors import AppError
from common.http import add_error
from hosting.credentials import organizations as kept
from hosting.forms.expiry import SPANS, ExpiryForm
from hosting.forms.organization_credentials import OrganizationCredentialForm
from hosting.models import Deployment

HERE = "organization_credentials"


@organization_page()
def organization_credentials(page: OrganizationPage) -> HttpResponse:
    if page.action in ("delete", "expire"):
        _change(page)
        return page.back(HERE)
    confirm = confirm_url(page.request, "store")
    if page.action and confirm:
        return redirect(confirm)
    servers = kept.servers_of(page.organization)
    form = OrganizationCredentialForm(
        page.request.POST if page.action else None, servers=[one.name for one in servers], auto_id="store_%s"
    )
    if form.is_valid() and _store(page, form):
        return page.back(HERE)
    return page.show(
        "credentials",
        "credentials",
        status=400 if form.is_bound else 200,
        rows=kept.organization_credentials(page.actor, page.organization),
        known=sorted({one.flag or one.name for one in kept.settings_of(servers).values()}),
        form=form,
        confirm_url=confirm,
        spans=SPANS,
    )


def _store(page: OrganizationPage, form: OrganizationCredentialForm) -> bool:
    given = form.cleaned_data
    try:
        kept.organization_credential_put(
            actor=page.actor,
            organization=page.organization,
            setting=given["setting"],
            value=given["value"],
            deployment=_server(page, given["server"]),
            expires_at=given["expires"],
        )
    except AppError as error:
        add_error(form, error)
        return False
    messages.success(page.request, gettext("Stored. It counts for members who bring none of their own."))
    return True


def _change(page: OrganizationPage) -> None:
    form = ExpiryForm(page.request.POST)
    if not form.is_valid():
        messages.error(page.request, gettext("Choose one of the spans."))
        return
    given = form.cleaned_data
    try:
        server = _server(page, page.request.POST.get("server", ""))
        if page.action == "expire":
            kept.organization_credential_expire(
                actor=page.actor,
                organization=page.organization,
                setting=given["name"],
                expires_at=given["expires"],
                deployment=server,
            )
        else:
            kept.organization_credential_delete(
                actor=page.actor, organization=page.organization, setting=given["name"], deployment=server
            )
    except AppError as error:
        messages.error(page.request, error.message)
    else:
        messages.success(
            page.request,
            gettext("Saved.") if page.action == "expire" else gettext("Deleted. What ran with it was ended."),
        )


def _server(page: OrganizationPage, name: str) -> Deployment | None:
    return kept.server_of(page.organization, name) if name else None
