"""Which browser it is: what a sign-in elsewhere is bound to, so that its answer counts in that browser only."""

from __future__ import annotations

import secrets
from typing import Final

from django.http import HttpRequest

_SESSION: Final = "remote_accounts"


def browser_of(request: HttpRequest) -> str:
    """A secret of this browser's session; "" where none was made."""
    return str(request.session.get(_SESSION, ""))


def browser_made(request: HttpRequest) -> str:
    """The same, made where there is none."""
    if not browser_of(request):
        request.session[_SESSION] = secrets.token_urlsafe(32)
    return browser_of(request)
