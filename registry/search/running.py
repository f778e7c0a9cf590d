"""What the layers above learned by running servers: they call this, and search knows it from then on.

A `reference` is as in `pypi:mcp-server-time`, without a version. Only what everybody may know belongs here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from django.db import transaction

from common import clock
from registry.models import SearchEntry, SeenServer
from registry.search.indexing import servers_index

MAX_TOOLS = 500
_NOT_SEEN_BY_LOOKING = frozenset({"elicitation"})  # a look asks nobody: what was seen once stays


def server_seen(
    *,
    reference: str,
    tools: Iterable[str] = (),
    revisions: Iterable[str] = (),
    uses: Iterable[str] = (),
    is_hosted: bool = False,
) -> None:
    """All that a look shows; what a look can't show is kept."""
    with transaction.atomic():
        before = _locked(reference)
        kept = [use for use in (before.uses if before else ()) if use in _NOT_SEEN_BY_LOOKING]
        values = {
            "tools": list(dict.fromkeys(tool[:200] for tool in tools))[:MAX_TOOLS],
            "revisions": list(dict.fromkeys(revisions)),
            "uses": list(dict.fromkeys([*uses, *kept])),
            "is_hosted": is_hosted,
        }
        _write(reference, before, values)


def use_seen(reference: str, use: str) -> None:
    """Of a server that was looked at."""
    with transaction.atomic():
        before = _locked(reference)
        if before is not None and use not in before.uses:
            _write(reference, before, {"uses": [*before.uses, use]})


def sign_in_seen(reference: str, kind: str) -> None:
    """Also of one that was never looked at: it may show nothing to who has not signed in."""
    with transaction.atomic():
        _write(reference, _locked(reference), {"sign_in": kind})


def hosted_follow(references: Collection[str]) -> None:
    """All that are hosted for everybody, of those that were looked at."""
    seen = SeenServer.objects.filter(is_hosted=True).exclude(reference__in=references)
    unseen = SeenServer.objects.filter(is_hosted=False, reference__in=references)
    for is_hosted, rows in ((False, seen), (True, unseen)):
        for reference in rows.values_list("reference", flat=True):
            with transaction.atomic():
                if (before := _locked(reference)) is not None:
                    _write(reference, before, {"is_hosted": is_hosted})


def _locked(reference: str) -> SeenServer | None:
    return SeenServer.objects.select_for_update().filter(reference=reference).first()


def _write(reference: str, before: SeenServer | None, values: dict[str, Any]) -> None:
    if before is not None and all(getattr(before, name) == value for name, value in values.items()):
        return
    SeenServer.objects.update_or_create(reference=reference[:500], defaults={**values, "seen_at": clock.now()})
    servers = SearchEntry.objects.filter(references__contains=[reference])
    servers_index(list(servers.values_list("pk", flat=True)))
