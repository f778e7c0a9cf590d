"""What changed in the registry, newest first, as an Atom feed (RFC 4287)."""

from __future__ import annotations

from typing import Any
from xml.sax.saxutils import escape, quoteattr

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from common import clock
from registry.models import ServerVersion, Status

ENTRIES = 50
_NOT_IN_XML = {
    code: None for code in [*range(0x20), 0x7F, *range(0x80, 0xA0), 0xFFFE, 0xFFFF] if code not in (9, 10, 13)
}
_DID = {Status.ACTIVE: "", Status.DEPRECATED: " (deprecated)", Status.DELETED: " (deleted)"}


@require_safe
@cache_control(public=True, max_age=60)
def feed(request: HttpRequest) -> HttpResponse:
    """Of all servers. The id of an entry is its version's page, and `updated` this site's time of the change."""
    rows = list(ServerVersion.objects.defer("remote_keys", "marks").order_by("-changed_at", "-id")[:ENTRIES])
    here = settings.SLIPWAY_URL + reverse("registry:feed")
    updated = rows[0].changed_at if rows else clock.now()
    parts = [
        '<?xml version="1.0" encoding="utf-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom">',
        f"<id>{escape(here)}</id><title>Slipway: changes of the registry</title>",
        f"<updated>{updated.isoformat()}</updated>",
        f'<link rel="self" type="application/atom+xml" href={quoteattr(here)}/>',
        f"<link href={quoteattr(settings.SLIPWAY_URL + reverse('registry:browse'))}/>",
        *(_entry(row) for row in rows),
        "</feed>\n",
    ]
    return HttpResponse("\n".join(parts), content_type="application/atom+xml; charset=utf-8")


def _entry(row: ServerVersion) -> str:
    page = settings.SLIPWAY_URL + reverse("registry:server", args=[row.name])
    title = f"{row.name} {row.version}{_DID[Status(row.status)]}"
    words = row.status_message or _description(row)
    return (
        f"<entry><id>{escape(page)}#{escape(_plain(row.version))}</id><title>{escape(_plain(title))}</title>"
        f"<updated>{row.changed_at.isoformat()}</updated><published>{row.published_at.isoformat()}</published>"
        f"<link href={quoteattr(page)}/><author><name>{escape(_plain(row.name.partition('/')[0]))}</name></author>"
        f'<summary type="text">{escape(_plain(words))}</summary></entry>'
    )


def _description(row: ServerVersion) -> str:
    found: Any = row.server_json.get("description")
    return found if isinstance(found, str) else ""


def _plain(text: str) -> str:
    """Without what XML can't hold."""
    return text.translate(_NOT_IN_XML).encode("utf-8", "ignore").decode()
