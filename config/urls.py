"""Django's own routes. /mcp/… and /healthz never get here: config/asgi.py answers them."""

from __future__ import annotations

from importlib.util import find_spec

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("config.health")),
    path("accounts/", include("allauth.urls")),
]
# find_spec while they are being written
urlpatterns += [path("", include(name)) for name in ("accounts.urls", "hosting.urls") if find_spec(name)]
