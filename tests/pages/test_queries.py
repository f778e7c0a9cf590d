"""How many queries each page asks: few, and no more for long lists than for short ones."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import pytest
from django.db import transaction

from tests.pages.visits import ROWS, paths, seeded, visited

pytestmark = pytest.mark.django_db
MOST = 12
FEW = 2  # as one row of a list may be shown in another way


@dataclass(frozen=True)
class Asked:
    """Queries by the name of a page: at its first visit, and at one where the process remembers what it may."""

    first: dict[str, int]
    again: dict[str, int]


def asked(rows: int, among: Collection[str] = ()) -> Asked:
    """On a site with so many rows of everything, which are gone afterwards; of the pages `among`, or of all."""
    with transaction.atomic():
        found = [(name, path) for name, path in sorted(paths(seeded(rows))) if not among or name in among]
        first = {visit.name: len(visit.queries) for visit in visited("alice", found) if visit.is_page}
        known = [(name, path) for name, path in found if name in first]
        again = {visit.name: len(visit.queries) for visit in visited("alice", known)}
        transaction.set_rollback(True)
    return Asked(first, again)


def test_a_page_asks_few_queries_whatever_the_number_of_rows() -> None:
    few = asked(FEW)
    many = asked(ROWS, few.first)

    assert len(few.first) > 50 and many.first.keys() == few.first.keys()
    assert {name: count for name, count in {**few.first, **many.first}.items() if count > MOST} == {}
    assert {name: (few.again[name], count) for name, count in many.again.items() if count > few.again[name]} == {}
