"""Answers a search: rows in the order asked for, how many there are, and how many there would be by each facet.

At most four queries: the words that were typed, what misspelt ones may have been, counts, one page of rows.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from common import clock
from registry.moderation.confusables import distance
from registry.search import facets, matching
from registry.search.entries import Listed
from registry.search.matching import Question

PAGE = 20
MAX_PAGES = 50
FEW = 8  # results, below which those with some of the words are added
MANY = 1000  # servers
KEPT_SECONDS = 10.0
_RARE = 2  # a word in fewer entries than that may be a mistake
_COMMONER = 30  # times: what a word that is there must be outnumbered by, to be taken for a slip
SORTS = {
    "relevance": "standing DESC, name",
    "updated": "updated_at DESC, name",
    "published": "published_at DESC, name",
    "name": "name",
}
_SHOWN = "status <> 'deleted'"


@dataclass(frozen=True)
class Search:
    """What is asked for. `chosen` has for each group of facets the mask of its values; `age` is a name of AGES."""

    text: str = ""
    chosen: Mapping[str, int] = field(default_factory=dict)
    age: str = ""
    sort: str = ""
    page: int = 1
    page_size: int = PAGE

    @property
    def order(self) -> str:
        return self.sort if self.sort in SORTS else "relevance" if self.text.strip() else "updated"


@dataclass(frozen=True)
class Row(Listed):
    """A server in a list."""

    rank: float

    @property
    def facet_names(self) -> list[str]:
        return facets.names(self.facets)

    @property
    def namespace(self) -> str:
        return self.name.partition("/")[0]

    @property
    def part(self) -> str:
        return self.name.partition("/")[2]


@dataclass(frozen=True)
class Found:
    """`corrected` says which words were taken for others, `is_widened` that rows with only some words follow."""

    rows: list[Row]
    total: int
    counts: dict[str, dict[str, int]]
    corrected: Mapping[str, str]
    is_widened: bool
    has_more: bool


_ROW = ", ".join(column.name for column in fields(Listed))


def find(search: Search) -> Found:
    asked = matching.question(search.text)
    now = clock.now()
    ages = [now - timedelta(days=days) for _, _, days in facets.AGES]
    with connection.cursor() as cursor:
        if asked is None:
            combinations, is_widened = _everything.combinations(cursor, ages), False
        else:
            asked = _understood(cursor, asked)
            combinations, is_widened = _matching(cursor, asked, ages)
        total, counts = facets.counted(combinations, search.chosen, search.age)
        rows = _rows(cursor, search, asked, is_widened, ages) if total else []
    more = search.page * search.page_size < total and search.page < MAX_PAGES
    return Found(rows, total, counts, asked.corrected if asked else {}, is_widened, more)


def newest(count: int) -> list[Row]:
    """Those whose latest version was published last: one query, from an index."""
    with connection.cursor() as cursor:
        return _rows(cursor, Search(sort="published", page_size=count), None, False, [])


def _understood(cursor: Any, asked: Question) -> Question:
    """With rarities, and with other words where one is unknown and resembles a known one."""
    typed = [term.word for term in asked.terms]
    cursor.execute(
        "SELECT (SELECT greatest(reltuples, 1) FROM pg_class WHERE oid = 'registry_searchentry'::regclass), t.word,"
        # Not "=": the trigram index answers that too, and takes fifty times as long as the primary key.
        " (SELECT max(w.count) FROM registry_searchword w WHERE w.word >= t.word AND w.word <= t.word),"
        " EXISTS (SELECT FROM registry_searchword w WHERE w.word > t.word AND w.word < t.word || '~')"
        " FROM unnest(%s::text[]) t(word)",
        (typed,),
    )
    known = cursor.fetchall()
    counts = {word: count or 0 for _, word, count, _ in known}
    begun = {word for _, word, _, is_begun in known if is_begun and word == typed[-1]}
    total = max(int(known[0][0]), 1)
    doubtful = [
        word for word in typed if counts[word] < _RARE and word not in begun and len(word) > 3 and word.isascii()
    ]
    instead = _alike(cursor, doubtful, counts) if doubtful else {}
    asked = matching.weighed(asked, {**counts, **{word: count for word, (_, count) in instead.items()}}, total)
    return matching.corrected(asked, {word: other for word, (other, _) in instead.items()}) if instead else asked


def _alike(cursor: Any, doubtful: list[str], counts: Mapping[str, int]) -> dict[str, tuple[str, int]]:
    cursor.execute(
        "SELECT t.word, w.word, w.count FROM unnest(%s::text[]) t(word) CROSS JOIN LATERAL"
        " (SELECT word, count FROM registry_searchword ORDER BY word <-> t.word LIMIT 16) w",
        (doubtful,),
    )
    found: dict[str, tuple[int, int, str]] = {}
    for word, other, count in cursor.fetchall():
        apart = distance(word, other, 2)
        if other == word or apart > (1 if len(word) < 6 else 2) or count <= counts[word] * _COMMONER:
            continue
        candidate = (apart, -count, other)
        if word not in found or candidate < found[word]:
            found[word] = candidate
    return {word: (other, -count) for word, (_, count, other) in found.items()}


def _matching(cursor: Any, asked: Question, ages: list[datetime]) -> tuple[list[tuple[int, int, int]], bool]:
    """Counts of those with all words; where they are few, of those with some."""
    combinations = _combinations(cursor, *asked.condition(), ages)
    if len(asked.terms) < 2 or asked.name or sum(count for _, _, count in combinations) >= FEW:
        return combinations, False
    return _combinations(cursor, *asked.condition(is_widened=True), ages), True


def _combinations(cursor: Any, condition: str, given: list[Any], ages: list[datetime]) -> list[tuple[int, int, int]]:
    classes = " ".join(f"WHEN updated_at > %s THEN {place}" for place in range(len(ages)))
    cursor.execute(
        f"SELECT facets, CASE {classes} ELSE {len(ages)} END AS age, count(*) FROM registry_searchentry"
        f" WHERE {_SHOWN} AND {condition} GROUP BY 1, 2",
        [*ages, *given],
    )
    found: list[tuple[int, int, int]] = cursor.fetchall()
    return found


class _Everything:
    """Counts of all servers, which everybody who begins to browse asks for and which are the slowest to make.

    Where there are MANY they may be KEPT_SECONDS old; the rows beside them never are.
    """

    def __init__(self) -> None:
        self._kept: list[tuple[int, int, int]] = []
        self._until = float("-inf")

    def combinations(self, cursor: Any, ages: list[datetime]) -> list[tuple[int, int, int]]:
        now = time.monotonic()
        if now >= self._until:
            self._kept = _combinations(cursor, "true", [], ages)
            has_many = sum(count for _, _, count in self._kept) >= MANY
            self._until = now + KEPT_SECONDS if has_many else now
        return self._kept


_everything = _Everything()


def _rows(cursor: Any, search: Search, asked: Question | None, is_widened: bool, ages: list[datetime]) -> list[Row]:
    rank, given = ("0::float8", list[Any]()) if asked is None or search.order != "relevance" else asked.rank()
    conditions, order = [_SHOWN], SORTS[search.order]
    if asked is not None:
        condition, more = asked.condition(is_widened=is_widened)
        conditions.append(condition)
        given += more
    for mask in search.chosen.values():
        if mask:
            conditions.append("facets & %s <> 0")
            given.append(mask)
    for name, place in {name: place for place, (name, _, _) in enumerate(facets.AGES)}.items():
        if name == search.age:
            conditions.append("updated_at > %s")
            given.append(ages[place])
    if asked is not None and search.order == "relevance":
        order = "rank DESC, name"
        if is_widened:
            order = f"(vector @@ %s::tsquery) DESC, {order}"
            given.append(asked.all_words)
    page = min(max(search.page, 1), MAX_PAGES)
    cursor.execute(
        f"SELECT {_ROW}, {rank} AS rank FROM registry_searchentry WHERE {' AND '.join(conditions)}"
        f" ORDER BY {order} LIMIT %s OFFSET %s",
        [*given, search.page_size, (page - 1) * search.page_size],
    )
    return [Row(*found) for found in cursor.fetchall()]
