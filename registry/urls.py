from __future__ import annotations

from django.urls import path, re_path

from registry.views import browse, cards, feed, images, moderation, publish, server

app_name = "registry"
# A server's name has a slash in it, so what follows it is set apart by /-/.
urlpatterns = [
    path("", browse.browse, name="browse"),
    path("feed", feed.feed, name="feed"),
    path("publish/", publish.publish, name="publish"),
    path("publish/prove", publish.prove, name="publish_prove"),
    path("moderation/", moderation.moderation, name="moderation"),
    re_path(r"^review/(?P<name>.+)$", moderation.review, name="review"),
    re_path(r"^report/(?P<name>.+)$", moderation.report, name="report"),
    re_path(r"^servers/(?P<name>.+)/-/server-card$", cards.card, name="card"),
    re_path(r"^servers/(?P<name>[^\0]+)/-/icon$", images.icon, name="icon"),
    re_path(r"^servers/(?P<name>[^\0]+)/-/images/(?P<key>[0-9a-f]{32})$", images.readme_image, name="readme_image"),
    re_path(r"^servers/(?P<name>.+)/-/(?P<tab>[a-z]+)$", server.server, name="server_tab"),
    re_path(r"^servers/(?P<name>.+)$", server.server, name="server"),
]
