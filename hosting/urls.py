from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from hosting.views import access, calls, logs, overview, servers, settings, tools, versions

_deployment = [
    path("", overview.deployment, name="deployment"),
    path("start", overview.start, name="start"),
    path("stop", overview.stop, name="stop"),
    path("restart", overview.restart, name="restart"),
    path("delete", overview.delete, name="delete"),
    path("tools", tools.tools_page, name="tools"),
    path("calls", calls.calls_page, name="calls"),
    path("logs", logs.logs_page, name="logs"),
    path("versions", versions.versions_page, name="versions"),
    path("settings", settings.settings_page, name="settings"),
    path("access", access.access_page, name="access"),
]

_pages: list[URLPattern | URLResolver] = [
    path("servers/", servers.my_servers, name="my_servers"),
    path("servers/new", servers.new, name="new"),
    path("d/<str:owner>/<str:name>/", include(_deployment)),
]

urlpatterns = [
    path("", servers.home, name="home"),
    path("", include((_pages, "hosting"))),
]
