"""What the pages of one server share: its head, its tabs, its addresses."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy

from registry import selectors
from registry.models import Status
from registry.selectors import Shown
from registry.views.marks import mark_of

TABS = (
    ("", gettext_lazy("Overview")),
    ("tools", gettext_lazy("Tools")),
    ("configure", gettext_lazy("Configure")),
    ("install", gettext_lazy("Install")),
    ("versions", gettext_lazy("Versions")),
)


def show(
    request: HttpRequest, shown: Shown, template: str, tab: str, *, status: int = 200, **context: Any
) -> HttpResponse:
    version = "" if shown.is_latest else shown.version.version
    return render(
        request,
        f"registry/{template}.html",
        {
            "shown": shown,
            "server": shown.server,
            "version": shown.version,
            "reading": shown.reading,
            "mark": mark_of(shown.server.name, shown.reading) if shown.server.taken_down_at is None else None,
            "tab": tab,
            "tabs": [(key, label, server_url(shown.server.name, key, version)) for key, label in TABS],
            **{f"{key}_url": server_url(shown.server.name, key, version) for key, _ in TABS if key},
            "title": shown.reading.title or shown.server.name.partition("/")[2] or shown.server.name,
            "look_alikes": selectors.look_alikes(shown.server),
            "is_deleted": shown.version.status == Status.DELETED,
            **context,
        },
        status=status,
    )


def server_url(name: str, tab: str = "", version: str = "") -> str:
    there = reverse("registry:server_tab", args=[name, tab]) if tab else reverse("registry:server", args=[name])
    return f"{there}?{urlencode({'version': version})}" if version else there
