"""Search of the documentation: an index of its sections in memory, made when it is first asked. Pure.

A section is found when every word of the query begins a word of it, of its heading or of its page's title. Words in
headings weigh more, and rare words more than common ones.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

MOST_RESULTS = 30
MOST_WORDS = 8  # of a query; the rest is not looked at
EXCERPT_CHARACTERS = 220
_WORD = re.compile(r"[^\W_]+")
_IN_HEADING, _IN_TITLE, _WHOLE_WORD = 6.0, 4.0, 1.5


@dataclass(frozen=True)
class Entry:
    """A section as it was given: `url` leads to it."""

    url: str
    page: str
    heading: str
    text: str


@dataclass(frozen=True)
class Piece:
    text: str
    is_hit: bool


@dataclass(frozen=True)
class Result:
    entry: Entry
    score: float
    excerpt: tuple[Piece, ...]


class Index:
    def __init__(self, entries: Iterable[Entry]) -> None:
        self._entries = [
            (entry, Counter(words(entry.text)), set(words(entry.heading)), set(words(entry.page))) for entry in entries
        ]
        self._spread = Counter(word for _, text, heading, page in self._entries for word in {*text, *heading, *page})

    def search(self, query: str) -> list[Result]:
        """Best first; nothing for a query without words."""
        wanted = words(query)[:MOST_WORDS]
        if not wanted:
            return []
        found = []
        for entry, text, heading, page in self._entries:
            scores = [self._score(word, text, heading, page) for word in wanted]
            if all(scores):
                found.append(Result(entry, sum(scores), excerpt(entry.text, wanted)))
        found.sort(key=lambda result: -result.score)
        return found[:MOST_RESULTS]

    def _score(self, word: str, text: Counter[str], heading: set[str], page: set[str]) -> float:
        """0 when no word of the section begins with this one."""
        score = sum(self._weight(each, word) * (1 + math.log(n)) for each, n in text.items() if each.startswith(word))
        score += _IN_HEADING * sum(self._weight(each, word) for each in heading if each.startswith(word))
        return score + _IN_TITLE * sum(self._weight(each, word) for each in page if each.startswith(word))

    def _weight(self, word: str, asked: str) -> float:
        rarity = math.log(1 + len(self._entries) / self._spread[word])
        return rarity * (_WHOLE_WORD if word == asked else 1.0)


def words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def excerpt(text: str, wanted: list[str]) -> tuple[Piece, ...]:
    """The part of a text around the first hit, in pieces of which some are hits."""
    flat = " ".join(text.split())
    hits = [match for match in _WORD.finditer(flat) if match[0].lower().startswith(tuple(wanted))]
    start = max(0, hits[0].start() - EXCERPT_CHARACTERS // 4) if hits else 0
    if start:
        start = flat.find(" ", start, hits[0].start()) + 1 or start
    end = min(len(flat), start + EXCERPT_CHARACTERS)
    pieces = [Piece("… ", False)] if start else []
    at = start
    for hit in hits:
        if hit.end() > end:
            break
        pieces += [Piece(flat[at : hit.start()], False), Piece(hit[0], True)]
        at = hit.end()
    pieces.append(Piece(flat[at:end] + (" …" if end < len(flat) else ""), False))
    return tuple(piece for piece in pieces if piece.text)
