"""Connecting an account of one's own from the page that asks for it, and disconnecting it."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from accounts.models import User
from common.content_policy import forms_allow
from common.errors import AppError
from hosting.credentials import connecting, eliciting
from hosting.credentials.checking import CheckFailed
from hosting.credentials.connecting import Need
from hosting.credentials.eliciting import OverError
from hosting.views.browsers import browser_made
from hosting.views.page import actor_of, user_of
from oauth.models import ConnectionAttempt


@never_cache
@login_required
@require_POST
def connect(request: HttpRequest, elicitation_id: str) -> HttpResponse:
    """To the provider, after the person agreed to what the page said."""
    found = eliciting.elicitation_of(actor_of(request), elicitation_id)
    try:
        url = connecting.account_connect(
            actor=actor_of(request),
            user=user_of(request),
            elicitation=found,
            key=request.POST.get("key", ""),
            digest=request.POST.get("digest", ""),
            browser=browser_made(request),
        )
    except OverError:
        return redirect("elicit", found.pk)
    except AppError as error:
        messages.error(request, error.message)
        return redirect("elicit", found.pk)
    response = redirect(url)
    response["Referrer-Policy"] = "no-referrer"
    return response


def answered(request: HttpRequest, user: User, attempt: ConnectionAttempt) -> HttpResponse:
    """Back to the page, after a try where nothing is missing any more. Raises AppError where nothing was connected."""
    actor = actor_of(request)
    found = connecting.account_answer(attempt, dict(request.GET.lists()), actor=actor, user=user)
    try:
        if not connecting.page_complete(actor=actor, elicitation=found):
            messages.success(request, gettext("The account is connected."))
    except AppError as error:
        words = gettext("The account is connected. %(problem)s")
        if isinstance(error, CheckFailed) and error.quoted:
            words = gettext("The account is connected. %(problem)s It says: “%(said)s”")
            words %= {"problem": error.message, "said": error.quoted}
        else:
            words %= {"problem": error.message}
        messages.error(request, words)
    return redirect("elicit", found.pk)


@never_cache
@login_required
@require_POST
def disconnect(request: HttpRequest, deployment_id: UUID) -> HttpResponse:
    key = request.POST.get("key", "")
    if connecting.account_disconnect(actor=actor_of(request), deployment_id=deployment_id, key=key):
        messages.success(request, gettext("The account was disconnected. Its token is used no more."))
    else:
        messages.warning(request, gettext("No such account of yours is connected."))
    return redirect("credentials")


def allow_forms(response: HttpResponse, needs: list[Need]) -> HttpResponse:
    """To where these accounts are kept."""
    origins = sorted({need.offer.origin for need in needs if need.offer is not None})
    if origins:
        forms_allow(response, ["'self'", *origins])
    return response
