"""What the instances of a deployment print, live, what the runner notes, and which hosts they connect to.

Who may only call it reads what instances of their own print; hosting.stream.output says who reads what.
"""

from __future__ import annotations

from django.http import HttpResponse
from django.utils.translation import gettext_lazy

from hosting import selectors
from hosting.stream import output
from hosting.views.page import Page, page_view

CONNECTION_DAYS = 7
STREAMS = [
    ("", gettext_lazy("All lines")),
    ("stderr", gettext_lazy("What the server prints")),
    ("protocol", gettext_lazy("The platform's notes")),
]


@page_view(managed=False, methods=("GET", "HEAD"), is_routed=True)
def logs_page(page: Page) -> HttpResponse:
    query = page.request.GET
    stream, text = query.get("stream", ""), query.get("text", "")[:200]
    lines = [
        line
        for line in output.tail(page.route, output.Reader(str(page.actor.user_id), page.can_manage))
        if stream in ("", line.stream) and text.casefold() in line.line.casefold()
    ]
    return page.show(
        "logs",
        "logs",
        output=lines,
        stream=stream,
        text=text,
        streams=STREAMS,
        connections=selectors.connections_of(page.deployment, CONNECTION_DAYS) if page.can_manage else None,
        connection_days=CONNECTION_DAYS,
    )
