"""What administrators of an organization decide about programs: accounts, rules, and what is connected."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.forms import Form
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext

from accounts.organizations import service_account_create, service_account_retire
from accounts.reauthentication import check_present, confirm_url
from accounts.selectors import user_get
from accounts.views.page import OrganizationPage, organization_page
from common.errors import AppError, NotFound
from common.http import add_error
from oauth import policies, service_accounts
from oauth.api_tokens import api_token_issue
from oauth.asking import describe
from oauth.forms import PolicyForm, ServiceAccountForm, ServiceClientForm, ServiceTokenForm
from oauth.scopes import MEANINGS


@organization_page()
def programs(page: OrganizationPage) -> HttpResponse:
    forms = _program_forms(page)
    confirm = confirm_url(page.request, page.action)
    if confirm and page.action in ("client", "token"):
        return redirect(confirm)
    form = forms.get(f"{page.action}_form")
    issued: dict[str, str] = {}
    if form is not None and form.is_valid():
        try:
            issued = _PROGRAM_FORMS_DO[page.action](page, form.cleaned_data)
        except AppError as error:
            add_error(form, error)
        else:
            if not issued:
                return page.back("oauth:organization_programs")
            forms = _program_forms(page, is_fresh=True)
    elif page.action and form is None:
        _program_act(page)
        return page.back("oauth:organization_programs")
    found = service_accounts.service_accounts_of(page.organization)
    status = 400 if form is not None and not issued else 200
    return page.show("programs", "programs", status=status, accounts=found, issued=issued, confirm_url=confirm, **forms)


def _program_forms(page: OrganizationPage, *, is_fresh: bool = False) -> dict[str, Form]:
    names = [account.user.username for account in service_accounts.service_accounts_of(page.organization)]

    def data(action: str) -> Any:
        return page.request.POST if page.action == action and not is_fresh else None

    return {
        "account_form": ServiceAccountForm(data("account"), auto_id="account_%s"),
        "client_form": ServiceClientForm(data("client"), accounts=names, auto_id="client_%s"),
        "token_form": ServiceTokenForm(data("token"), accounts=names, auto_id="token_%s"),
    }


def _new_account(page: OrganizationPage, given: dict[str, str]) -> dict[str, str]:
    service_account_create(actor=page.actor, organization=page.organization, **given)
    messages.success(page.request, gettext("The account was made. Give it a way to prove itself."))
    return {}


def _new_client(page: OrganizationPage, given: dict[str, str]) -> dict[str, str]:
    client, secret = service_accounts.service_client_create(
        actor=page.actor,
        organization=page.organization,
        user=user_get(given["account"]),
        scopes=tuple(given["scopes"]),
    )
    return {"client_id": client.client_id, "secret": secret}


def _new_token(page: OrganizationPage, given: dict[str, str]) -> dict[str, str]:
    _, value = api_token_issue(
        actor=page.actor,
        user=user_get(given["account"]),
        scopes=given["scopes"],
        ttl_seconds=int(given["ttl"]),
        note=given["note"],
    )
    return {"token": value}


def _program_act(page: OrganizationPage) -> None:
    post = page.request.POST
    if page.action == "retire":
        try:
            user = user_get(post.get("account", ""))
        except NotFound as error:
            messages.error(page.request, error.message)
            return
        page.attempt(
            service_account_retire, gettext("%(username)s is switched off.") % {"username": user.username}, user=user
        )
    elif page.action == "delete_client":
        page.attempt(
            service_accounts.service_client_delete, gettext("It gets no more tokens."), client_id=post.get("client", "")
        )
    elif page.action == "revoke_token":
        page.attempt(
            service_accounts.service_token_revoke,
            gettext("The token opens nothing any more."),
            token_id=_id(post.get("token")),
        )


_PROGRAM_FORMS_DO = {"account": _new_account, "client": _new_client, "token": _new_token}


@organization_page()
def apps(page: OrganizationPage) -> HttpResponse:
    post = page.request.POST
    if page.action == "revoke":
        page.attempt(
            policies.organization_consent_revoke, gettext("It was disconnected."), consent_id=_id(post.get("consent"))
        )
    elif page.action == "block":
        page.attempt(policies.client_refuse, gettext("It is blocked here."), client_id=post.get("client", ""))
    elif page.action == "unblock":
        page.attempt(policies.client_readmit, gettext("It may ask people again."), client_id=post.get("client", ""))
    if page.action:
        return page.back("oauth:organization_apps")
    shown = [
        {
            "row": consent,
            "asking": describe(consent.application),
            "server": consent.resource.rpartition("/")[2],
            "scopes": [MEANINGS[scope][0] for scope in consent.scopes.split() if scope in MEANINGS],
        }
        for consent in policies.organization_consents(page.organization)
    ]
    policy = policies.policy_of(page.organization.pk)
    return page.show("apps", "apps", consents=shown, blocked=policy.blocked if policy is not None else [])


@organization_page()
def rules(page: OrganizationPage) -> HttpResponse:
    policy = policies.policy_of(page.organization.pk)
    now = {}
    if policy is not None:
        now = {
            "clients": "\n".join(policy.clients),
            "is_verified_only": policy.is_verified_only,
            "servers": "\n".join(policy.servers),
            "scopes": policy.scopes.split(),
        }
    if page.action:
        check_present(page.request)
    form = PolicyForm(page.request.POST if page.action else None, initial=now)
    if form.is_valid():
        try:
            policies.policy_set(actor=page.actor, organization=page.organization, **form.cleaned_data)
        except AppError as error:
            add_error(form, error)
        else:
            messages.success(page.request, gettext("Saved. What is connected and not allowed any more has ended."))
            return page.back("oauth:organization_rules")
    return page.show("rules", "rules", status=400 if form.is_bound else 200, form=form)


def _id(text: str | None) -> UUID:
    try:
        return UUID(text or "")
    except ValueError:
        raise NotFound("unknown", gettext("There is nothing of this id.")) from None
