"""What the instances of a deployment print, live, and what the runner says about the conversation with them."""

from __future__ import annotations

from django.http import HttpResponse

from hosting import output
from hosting.views.page import Page, page_view

STREAMS = [("", "All lines"), ("stderr", "What the server prints"), ("protocol", "The platform's notes")]


@page_view(managed=True, methods=("GET", "HEAD"))
def logs_page(page: Page) -> HttpResponse:
    query = page.request.GET
    stream, text = query.get("stream", ""), query.get("text", "")[:200]
    lines = [
        line
        for line in output.tail(page.route)
        if stream in ("", line.stream) and text.casefold() in line.line.casefold()
    ]
    return page.show("logs", "logs", output=lines, stream=stream, text=text, streams=STREAMS)
