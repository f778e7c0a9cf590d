"""Deeds that open doors for longer than a session lasts ask first who is there: whoever has taken a session over, or
sits down before a screen that was left, makes no keys with it."""

from __future__ import annotations

import time
from typing import Any, Final
from urllib.parse import urlencode

from allauth.account.adapter import get_adapter
from allauth.account.authentication import get_authentication_records
from allauth.core.exceptions import ReauthenticationRequired
from django.conf import settings
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest

from accounts.models import User

SIGNED_IN_AT: Final = "signed_in_at"  # in the session: seconds since the epoch


@receiver(user_logged_in, dispatch_uid="accounts.reauthentication")
def signed_in(request: HttpRequest | None, **_: Any) -> None:
    """In whichever way: allauth keeps records of some of them only."""
    if request is not None:
        request.session[SIGNED_IN_AT] = time.time()


def confirm_url(request: HttpRequest, fragment: str = "") -> str:
    """Where the person confirms who they are and comes back to this page; "" where that is certain enough: they proved
    it within ACCOUNT_REAUTHENTICATION_TIMEOUT seconds, be it to sign in.

    Who has nothing to prove it with here, neither password nor passkey nor app, was vouched for by another site, and
    isn't asked.
    """
    assert isinstance(request.user, User)  # login_required
    records = get_authentication_records(request, request.user)
    newest = max(request.session.get(SIGNED_IN_AT, 0.0), *(float(record["at"]) for record in records), 0.0)
    if time.time() - newest < settings.ACCOUNT_REAUTHENTICATION_TIMEOUT:
        return ""
    methods = get_adapter(request).get_reauthentication_methods(request.user)
    if not methods:
        return ""
    back = request.path + (f"#{fragment}" if fragment else "")
    return f"{methods[0]['url']}?{urlencode({'next': back})}"


def check_present(request: HttpRequest) -> None:
    """Raises what allauth's middleware answers with its page of confirming, after which the request goes on. Only for
    forms without secrets, since they wait in the session, and for those that answer with a redirect."""
    if confirm_url(request):
        raise ReauthenticationRequired
