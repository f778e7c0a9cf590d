"""The pages of one server, by tab."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from common import clock
from common.errors import NotFound
from registry import selectors
from registry.images.keeping import README_SIDE
from registry.images.showing import images_known
from registry.install.clients import clients
from registry.install.glance import glance
from registry.install.seen import is_web_address
from registry.install.shell import own_command
from registry.install.ways import server_name, ways
from registry.models import Readme, Status
from registry.readme.asking import readme_ask
from registry.readme.fetching import sources_of
from registry.readme.pictures import with_pictures
from registry.selectors import Shown
from registry.views.page import show
from registry.views.versions import versions_page

View = Callable[[HttpRequest, Shown], HttpResponse]


@require_safe
def server(request: HttpRequest, name: str, tab: str = "") -> HttpResponse:
    if tab not in PAGES:
        raise NotFound("page_unknown", gettext("A server has no such page."))
    shown = selectors.server_shown(name, request.GET.get("version", ""))
    if shown.server.taken_down_at is not None:
        return show(request, shown, "gone", "", status=410)
    return PAGES[tab](request, shown)


def overview(request: HttpRequest, shown: Shown) -> HttpResponse:
    reading = shown.reading
    links = [
        (gettext("Repository"), reading.repository_url),
        (gettext("Website"), reading.website_url),
    ]
    found = [(label, url) for label, url in links if is_web_address(url, only_https=False)]
    readme = selectors.readme_of(shown.server)
    is_wanted = bool(shown.latest) and (readme is None or readme.version != shown.latest)
    if is_wanted or (readme and readme.again_at and readme.again_at <= clock.now()):
        readme_ask(shown.server.pk)
    readme_html, places = _readme_html(readme) if readme else "", sources_of(reading)
    is_pending, seen = is_wanted and bool(places), glance(shown.document)
    return show(
        request,
        shown,
        "overview",
        "",
        links=found,
        glance=seen,
        can_use=bool(seen.command) and shown.version.status != Status.DELETED,
        known=selectors.known_here(reading),
        versions_count=selectors.versions_count(shown.server),
        readme=readme,
        readme_html=readme_html,
        readme_pending=is_pending,
        readme_sought=places,
        is_bare=not readme_html and not is_pending,
    )


def _readme_html(readme: Readme) -> SafeString:
    known = images_known(readme.images.values(), README_SIDE) if readme.images else {}
    return mark_safe(with_pictures(readme.html, readme.images, known))  # registry.readme.rendering made it


def tools(request: HttpRequest, shown: Shown) -> HttpResponse:
    return show(request, shown, "tools", "tools", known=selectors.known_here(shown.reading))


def configure(request: HttpRequest, shown: Shown) -> HttpResponse:
    rows = [(way, [*way.settings, *way.optional]) for way in ways(shown.document)]
    return show(request, shown, "configure", "configure", rows=rows)


def install(request: HttpRequest, shown: Shown) -> HttpResponse:
    name = server_name(shown.server.name)
    rows = [
        {
            "way": way,
            "command": own_command(way) if way.command else "",
            "address": way.url.filled(lambda one: f"{{{one.name}}}"),
            "clients": clients(way, name),
        }
        for way in ways(shown.document)
    ]
    return show(request, shown, "install", "install", rows=rows)


PAGES: dict[str, View] = {
    "": overview,
    "tools": tools,
    "configure": configure,
    "install": install,
    "versions": versions_page,
}
