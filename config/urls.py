"""Django's own routes. /mcp/… and /healthz never get here: config/asgi.py answers them."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path
from django.views.i18n import set_language

from config.languages import catalogue
from registry.views.cards import catalog

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("config.health")),
    path("language/", set_language, name="set_language"),
    path("language/<str:language>.js", catalogue, name="catalogue"),
    path("accounts/", include("allauth.urls")),
    path("", include("accounts.urls")),
    path("", include("oauth.urls")),
    path("api/", include("hosting.api.urls")),
    path("registry/", include("registry.urls")),
    path(".well-known/ai-catalog.json", catalog),
    path("", include("documentation.urls")),
    path("", include("hosting.urls")),
]
handler500 = "config.errors.server_error"
