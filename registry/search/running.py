"""What the layers above learned by running servers: they call this, and search knows it from then on."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction

from common import clock
from registry.models import SearchEntry, SeenServer
from registry.search.indexing import servers_index

MAX_TOOLS = 500


def server_seen(
    *,
    reference: str,
    tools: Iterable[str] = (),
    revisions: Iterable[str] = (),
    uses: Iterable[str] = (),
    sign_in: str = "",
    is_hosted: bool = False,
) -> None:
    """`reference` as in `pypi:mcp-server-time`, without a version. Only what everybody may know belongs here."""
    values = {
        "tools": list(dict.fromkeys(tool[:200] for tool in tools))[:MAX_TOOLS],
        "revisions": list(dict.fromkeys(revisions)),
        "uses": list(dict.fromkeys(uses)),
        "sign_in": sign_in,
        "is_hosted": is_hosted,
    }
    with transaction.atomic():
        before = SeenServer.objects.select_for_update().filter(reference=reference).first()
        if before is not None and all(getattr(before, name) == value for name, value in values.items()):
            return
        SeenServer.objects.update_or_create(reference=reference[:500], defaults={**values, "seen_at": clock.now()})
        servers_index(_servers_of(reference))


def server_unhosted(reference: str) -> None:
    """No deployment that everybody may know of runs it any more."""
    with transaction.atomic():
        if SeenServer.objects.filter(reference=reference, is_hosted=True).update(is_hosted=False):
            servers_index(_servers_of(reference))


def _servers_of(reference: str) -> list[int]:
    return list(SearchEntry.objects.filter(references__contains=[reference]).values_list("pk", flat=True))
