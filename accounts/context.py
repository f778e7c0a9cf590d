"""What every page may know about signing in."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest


def sign_up(request: HttpRequest) -> dict[str, bool]:
    return {"sign_up_is_open": settings.SLIPWAY_SIGN_UP == "open"}
