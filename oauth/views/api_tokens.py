"""The page on which people make and revoke their tokens for the API."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.models import User
from accounts.reauthentication import confirm_url
from common.errors import AppError, NotFound
from common.http import add_error
from events.actors import person
from oauth.api_tokens import api_token_issue, api_token_revoke, api_tokens_of
from oauth.forms import ApiTokenForm


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def api_tokens(request: HttpRequest) -> HttpResponse:
    assert isinstance(request.user, User)  # login_required
    is_sent = request.method == "POST"
    if is_sent and request.POST.get("action") == "revoke":
        return _revoke(request, request.user)
    confirm = confirm_url(request, "new")
    if is_sent and confirm:
        return redirect(confirm)
    form = ApiTokenForm(request.POST if is_sent else None)
    issued = _issue(request.user, form) if form.is_valid() else ""
    context = {
        "form": ApiTokenForm() if issued else form,
        "issued": issued,
        "confirm_url": confirm,
        "tokens": [{"row": row, "scopes": row.scopes.split()} for row in api_tokens_of(request.user)],
    }
    return render(request, "account/api_tokens.html", context, status=400 if is_sent and not issued else 200)


def _issue(user: User, form: ApiTokenForm) -> str:
    given = form.cleaned_data
    try:
        _, value = api_token_issue(
            actor=person(user.pk), user=user, scopes=given["scopes"], ttl_seconds=given["ttl"], note=given["note"]
        )
    except AppError as error:
        add_error(form, error)
        return ""
    return value


def _revoke(request: HttpRequest, user: User) -> HttpResponse:
    try:
        token_id = UUID(request.POST.get("token", ""))
    except ValueError:
        raise NotFound("token_unknown", gettext("There is no such token.")) from None
    api_token_revoke(actor=person(user.pk), token_id=token_id)
    messages.success(request, gettext("The token was revoked. It opens nothing any more."))
    return redirect("oauth:api_tokens")
