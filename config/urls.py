"""Django's own routes. /mcp/… and /healthz never get here: config/asgi.py answers them."""

from __future__ import annotations

from importlib.util import find_spec

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("config.health")),
    path("accounts/", include("allauth.urls")),
]
for _name in ("accounts.urls", "hosting.urls"):  # while they are being written
    if find_spec(_name):
        urlpatterns.append(path("", include(_name)))
