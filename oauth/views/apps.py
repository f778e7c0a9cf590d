"""The page of connected apps: what they may do, when they last did, and how to end it."""

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
from common.errors import NotFound
from events.actors import person
from oauth.asking import describe
from oauth.consents import consent_revoke, consent_unblock, consents_of
from oauth.scopes import MEANINGS


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def connected_apps(request: HttpRequest) -> HttpResponse:
    assert isinstance(request.user, User)  # login_required
    if request.method == "POST":
        return _act(request, request.user)
    shown = [
        {
            "row": consent,
            "asking": describe(consent.application),
            "server": consent.resource.partition("/mcp/")[2],
            "scopes": [(scope, MEANINGS[scope][0]) for scope in consent.scopes.split() if scope in MEANINGS],
        }
        for consent in consents_of(request.user)
    ]
    return render(request, "account/connected_apps.html", {"consents": shown})


def _act(request: HttpRequest, user: User) -> HttpResponse:
    try:
        consent_id = UUID(request.POST.get("consent", ""))
    except ValueError:
        raise NotFound("consent_unknown", gettext("There is no such connection.")) from None
    actor = person(user.pk)
    action = request.POST.get("action")
    if action == "unblock":
        consent_unblock(actor=actor, consent_id=consent_id)
        messages.success(request, gettext("It may ask you again."))
    else:
        consent_revoke(actor=actor, consent_id=consent_id, is_blocked=action == "block")
        messages.success(request, gettext("It was disconnected. Its access has ended."))
    return redirect("oauth:connected_apps")
