"""Headers of every answer of Django's, beside those that Django and django-csp set (config/settings/base.py)."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

# What no page of ours asks for, and nothing that got into one may (W3C Permissions Policy). Reading passkeys stays
# allowed to our own pages, which is its default.
PERMISSIONS_POLICY = ", ".join(
    f"{feature}=()"
    for feature in ("accelerometer", "autoplay", "browsing-topics", "camera", "display-capture", "encrypted-media")
    + ("fullscreen", "geolocation", "gyroscope", "local-fonts", "magnetometer", "microphone", "midi", "payment")
    + ("picture-in-picture", "screen-wake-lock", "serial", "usb", "xr-spatial-tracking")
)


class HeadersMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        return response
