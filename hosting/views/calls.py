"""Who called what, when, how long and how it ended; and how each tool is used."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlencode

from django.http import HttpResponse

from common import clock
from hosting.models import CallRecord
from hosting.usage.records import calls_of, stats_of
from hosting.views.page import Page, page_view
from oauth.selectors import client_names

STATS_DAYS = 7
STATS_CALLS = 5_000  # what is counted for each view of the page; all of them may be millions


@page_view(managed=False, methods=("GET", "HEAD"))
def calls_page(page: Page) -> HttpResponse:
    """Managers see all calls and the figures; everybody else their own calls."""
    query = page.request.GET
    tool, status = query.get("tool", "")[:256].replace("\0", ""), query.get("status", "")
    status = status if status in CallRecord.Status.values else ""
    found = calls_of(page.actor, page.deployment, tool=tool, status=status, after=query.get("after", ""))
    chosen = {"tool": tool, "status": status}
    since = clock.now() - timedelta(days=STATS_DAYS)
    stats = stats_of(page.deployment, since, STATS_CALLS) if page.can_manage else None
    return page.show(
        "calls",
        "calls",
        calls=found.calls,
        client_names=client_names({call.client for call in found.calls}),
        older=urlencode({**chosen, "after": found.next}) if found.next else "",
        is_later_page=bool(query.get("after")),
        chosen=chosen,
        statuses=CallRecord.Status.choices,
        stats=stats,
        is_sample=stats is not None and stats.total.calls == STATS_CALLS,
        stats_calls=STATS_CALLS,
        stats_days=STATS_DAYS,
    )
