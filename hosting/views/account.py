"""Signing in to a remote server: what its owner agrees to, the way there and back, and the end of it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.models import User
from common.content_policy import forms_allow
from common.errors import AppError, BadInput
from hosting.forms.account import ClientForm
from hosting.remotes import accounts as remote_accounts
from hosting.remotes.accounts import Offer
from hosting.views.browsers import browser_made, browser_of
from hosting.views.own_account import answered
from hosting.views.page import Page, actor_of, page_view, user_of
from oauth.models import Connection, ConnectionAttempt
from oauth.outbound import connections


@page_view(managed=True)
def account_page(page: Page) -> HttpResponse:
    """GET asks the other servers and shows what they say; nothing is sent there for the person before they agree."""
    post = page.request.POST if page.request.method == "POST" else None
    account = remote_accounts.account_of(page.deployment)
    try:
        offer = remote_accounts.account_offer(actor=page.actor, deployment=page.deployment)
    except AppError as error:
        return _show(page, account, None, None, problem=error.message, status=error.status if post is not None else 200)
    form = ClientForm(post) if post is not None else ClientForm()
    form.fields["client_id"].required = offer.needs_client
    if post is None or not form.is_valid():
        return _show(page, account, offer, form, status=400 if post is not None else 200)
    try:
        url = remote_accounts.account_connect(
            actor=page.actor,
            deployment=page.deployment,
            user=user_of(page.request),
            browser=browser_made(page.request),
            offer=offer,
            **form.cleaned_data,
        )
    except AppError as error:
        if isinstance(error, BadInput) and error.field in form.fields:
            form.add_error(error.field, error.message)
            return _show(page, account, offer, form, status=error.status)
        return _show(page, account, offer, form, problem=error.message, status=error.status)
    response = redirect(url)
    response["Referrer-Policy"] = "no-referrer"
    return response


@page_view(managed=True, methods=("POST",))
def disconnect(page: Page) -> HttpResponse:
    page.attempt(remote_accounts.account_end, gettext("The account was disconnected. Its token is used no more."))
    return page.back("deployment")


@never_cache
@require_safe
def callback(request: HttpRequest, key: str) -> HttpResponse:
    """Where the other site sends the browser. What comes here was written by nobody knows whom."""
    user = request.user
    said = dict(request.GET.lists())
    attempt = None
    try:
        if not isinstance(user, User):
            raise BadInput("signed_out", gettext("You are not signed in here any more. Sign in, and start again."))
        attempt = connections.attempt_take(said, key=key, user=user, browser=browser_of(request))
        if attempt.name:
            return answered(request, user, attempt)
        deployment = remote_accounts.account_answer(attempt, said, actor=actor_of(request))
    except AppError as error:
        context = {"words": error.message, **_back(attempt)}
        return render(request, "hosting/account_refused.html", context, status=error.status)
    messages.success(request, gettext("The account is connected. The server is tried with it now."))
    return redirect("hosting:deployment", deployment.owner.folded, deployment.folded_name)


def _back(attempt: ConnectionAttempt | None) -> dict[str, str]:
    """Where its person began, as far as that is known. The page there says whether it may still be opened."""
    if attempt is None:
        return {"back_url": reverse("waiting"), "back_label": gettext("Action required")}
    if attempt.name:
        return {"back_url": reverse("elicit", args=[attempt.page]), "back_label": gettext("Back to the page that asks")}
    return {"back_url": reverse("hosting:my_servers"), "back_label": gettext("My servers")}


def _show(
    page: Page,
    account: Connection | None,
    offer: Offer | None,
    form: ClientForm | None,
    *,
    status: int,
    problem: str = "",
) -> HttpResponse:
    context: dict[str, Any] = {"account": account, "offer": offer, "form": form, "problem": problem}
    response = page.show("account", "account", status=status, **context)
    if offer is not None:
        forms_allow(response, ["'self'", offer.page_origin])
    return response
