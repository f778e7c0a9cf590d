from __future__ import annotations

from django.urls import path, re_path

from registry.views import browse, feed, server

app_name = "registry"
# A server's name has a slash in it, so what follows it is set apart by /-/.
urlpatterns = [
    path("", browse.browse, name="browse"),
    path("feed", feed.feed, name="feed"),
    re_path(r"^servers/(?P<name>.+)/-/(?P<tab>[a-z]+)$", server.server, name="server_tab"),
    re_path(r"^servers/(?P<name>.+)$", server.server, name="server"),
]
