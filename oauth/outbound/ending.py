"""Ending accounts elsewhere: here they are gone at once. Their tokens stay sealed until `revoking` has told the other
site, so whatever ends an account, and whatever dies then, no token stays good for want of anybody who knows it."""

from __future__ import annotations

from django.db import transaction
from django.db.models import QuerySet

from oauth.models import Connection, Revocation
from oauth.outbound.rows import shared_of


def connections_end(rows: QuerySet[Connection]) -> int:
    """They are used no more from now on; how many there were."""
    with transaction.atomic():
        found = list(rows.select_for_update(of=("self",)).order_by("pk"))  # one order: nobody blocks each other
        Revocation.objects.bulk_create([_revocation(row, row.sealed) for row in found])
        Connection.objects.filter(pk__in=[row.pk for row in found]).delete()
    return len(found)


def tokens_end(row: Connection, sealed: bytes | memoryview) -> None:
    """These, of an account that has no row, or none any more."""
    _revocation(row, sealed).save(force_insert=True)


def _revocation(row: Connection, sealed: bytes | memoryview) -> Revocation:
    return Revocation(**shared_of(row), sealed=sealed)
