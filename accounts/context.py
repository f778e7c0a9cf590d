"""What every page may know about signing in."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from accounts.sign_up import by_mail


def sign_up(request: HttpRequest) -> dict[str, str]:
    """Where somebody without an account gets one by themselves; "" where nobody does."""
    if settings.SLIPWAY_SIGN_UP == "open":
        return {"sign_up_url": reverse("account_signup")}
    return {"sign_up_url": reverse("accounts:sign_up") if by_mail() else ""}


def session(request: HttpRequest) -> dict[str, bool]:
    """Whether the browser brings a session, which may be over. For pages that must not ask the database who it is."""
    return {"has_session": settings.SESSION_COOKIE_NAME in request.COOKIES}
