"""Search of the documentation: an index of its sections in memory, made when it is first asked. Pure.

A section is found when every word of the query, or another word for it, begins a word of it, of its heading or of its
page's title. Titles weigh more than headings, headings more than text (BM25, Robertson and Zaragoza 2009, section 3),
rare words more than common ones, and pages that say how to do something more than those that say what was measured.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass

MOST_RESULTS = 20
LEAST_OF_THE_BEST = 0.2  # of its score: what has less only makes the list long
MOST_OF_A_PAGE = 3  # a long page must not take the place of all others
MOST_WORDS = 8  # of a query; the rest is not looked at
EXCERPT_CHARACTERS = 220
# What people type → what the documentation calls it.
OTHER_WORDS = {
    "approve": ("approval",),
    "auth": ("sign", "token"),
    "authentication": ("sign", "token"),
    "container": ("sandbox",),
    "deploy": ("host",),
    "docker": ("container", "sandbox"),
    "crash": ("wrong", "dies"),
    "env": ("environment", "settings"),
    "error": ("wrong",),
    "fail": ("wrong", "refused"),
    "install": ("start", "host"),
    "kubernetes": ("runners",),
    "login": ("sign", "token"),
    "logout": ("sign",),
    "oauth": ("sign", "token"),
    "password": ("sign",),
    "quota": ("limit",),
    "rate": ("limit",),
    "restore": ("backup",),
    "secret": ("credential",),
    "timeout": ("limit", "long"),
    "trouble": ("wrong",),
    "upgrade": ("update",),
    "webhook": ("events",),
}
_WORD = re.compile(r"[^\W_]+")
_HYPHENATED = re.compile(r"[^\W_]+(?:-[^\W_]+)+")
_IN_TITLE, _IN_HEADING, _IN_TEXT, _OF_THE_PAGE = 10.0, 7.0, 4.0, 1.5
_WHOLE_WORD, _BEGINNING, _OTHER_WORD = 1.0, 0.7, 0.6
_SATURATION, _LENGTH = 1.2, 0.75  # BM25's k1 and b


@dataclass(frozen=True)
class Entry:
    """A section as it was given: `url` leads to it. `weight` (0 to 1) is its page's among all."""

    url: str
    page: str
    heading: str
    text: str
    weight: float = 1.0


@dataclass(frozen=True)
class Piece:
    text: str
    is_hit: bool


@dataclass(frozen=True)
class Result:
    entry: Entry
    score: float
    has_all: bool  # of the words that were asked for
    excerpt: tuple[Piece, ...]


@dataclass(frozen=True)
class _Section:
    entry: Entry
    text: Counter[str]
    length: int  # in words
    heading: frozenset[str]
    page: frozenset[str]


class Index:
    def __init__(self, entries: Iterable[Entry]) -> None:
        self._sections = [_section(entry) for entry in entries]
        self._length = sum(section.length for section in self._sections) / max(1, len(self._sections)) or 1.0

    def search(self, query: str) -> list[Result]:
        """Best first; nothing for a query without words. Where no section has all of the words, those with the most."""
        typed = words(query)
        asked = [_meant(word) for word in ([one for one in typed if len(one) > 1] or typed)[:MOST_WORDS]]
        hits: list[tuple[int, float, Entry]] = []
        rarities = [self._rarity(one) for one in asked]
        for section in self._sections:
            scores = [rare * self._score(section, one) for one, rare in zip(asked, rarities, strict=True)]
            if any(scores):
                hits.append((sum(map(bool, scores)), sum(scores) * section.entry.weight, section.entry))
        best = max((count for count, _, _ in hits), default=0)
        found = sorted((hit for hit in hits if hit[0] == best), key=lambda hit: -hit[1])
        found = [hit for hit in found if hit[1] >= found[0][1] * LEAST_OF_THE_BEST]
        looked_for = [word for one in asked for word in one]
        has_all = best == len(asked)
        return [Result(entry, score, has_all, excerpt(entry.text, looked_for)) for _, score, entry in _spread(found)]

    def _rarity(self, asked: dict[str, float]) -> float:
        having = sum(any(_match(word, asked) for word in (*one.text, *one.heading)) for one in self._sections)
        return math.log(1 + len(self._sections) / max(1, having))

    def _score(self, section: _Section, asked: dict[str, float]) -> float:
        """0 when no word of the section begins with what is asked for."""
        often = sum(count * _match(word, asked) for word, count in section.text.items())
        share = often / (often + _SATURATION * (1 - _LENGTH + _LENGTH * section.length / self._length))
        in_heading, in_title = _among(section.heading, asked), _among(section.page, asked)
        is_beginning = section.entry.heading == section.entry.page
        heading = (_IN_TITLE if is_beginning else _IN_HEADING) * in_heading
        return _IN_TEXT * share + heading + (0.0 if is_beginning else _OF_THE_PAGE * in_title)


def words(text: str) -> list[str]:
    """Those with a hyphen also in one: a time-out is a timeout."""
    lower = text.lower()
    return _WORD.findall(lower) + [one.replace("-", "") for one in _HYPHENATED.findall(lower)]


def excerpt(text: str, wanted: Collection[str]) -> tuple[Piece, ...]:
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


def _section(entry: Entry) -> _Section:
    text = Counter(words(entry.text))
    return _Section(entry, text, text.total(), frozenset(words(entry.heading)), frozenset(words(entry.page)))


def _meant(word: str) -> dict[str, float]:
    """What may stand in its place, with how much that counts."""
    return {**dict.fromkeys(OTHER_WORDS.get(word, ()), _OTHER_WORD), word: _WHOLE_WORD}


def _match(word: str, asked: dict[str, float]) -> float:
    """Of one word: the best of what is asked for. A plural counts as whole."""
    return max(
        (
            weight * (_WHOLE_WORD if word in (one, f"{one}s") else _BEGINNING)
            for one, weight in asked.items()
            if word.startswith(one)
        ),
        default=0.0,
    )


def _among(found: frozenset[str], asked: dict[str, float]) -> float:
    """Of a heading: more where it has few other words."""
    return max((_match(word, asked) for word in found), default=0.0) / math.sqrt(math.sqrt(max(1, len(found))))


def _spread(hits: Iterable[tuple[int, float, Entry]]) -> list[tuple[int, float, Entry]]:
    """No more than some of each page."""
    taken: Counter[str] = Counter()
    kept = []
    for hit in hits:
        taken[hit[2].page] += 1
        if taken[hit[2].page] <= MOST_OF_A_PAGE:
            kept.append(hit)
    return kept[:MOST_RESULTS]
