"""Search of the documentation: an index of its sections in memory, made when it is first asked. Pure.

A section is found when every word of the query, or another word for it, begins a word of it, of its heading or of its
page's title. Titles weigh more than headings, headings more than text (BM25, Robertson and Zaragoza 2009, section 3),
rare words more than common ones, and pages that say how to do something more than those that say what was measured.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections import Counter, defaultdict
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
    length: int  # of its text, in words
    heading_words: int
    page_words: int


class Index:
    """Made once; a search then looks only at the words that begin as it asks, and at the sections that have them."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._sections: list[_Section] = []
        self._in_text: dict[str, dict[int, int]] = defaultdict(dict)  # word → section → how often
        self._in_heading: dict[str, list[int]] = defaultdict(list)
        self._in_page: dict[str, list[int]] = defaultdict(list)
        for number, entry in enumerate(entries):
            text, heading, page = Counter(words(entry.text)), set(words(entry.heading)), set(words(entry.page))
            self._sections.append(_Section(entry, text.total(), len(heading), len(page)))
            for word, count in text.items():
                self._in_text[word][number] = count
            for word in heading:
                self._in_heading[word].append(number)
            for word in page:
                self._in_page[word].append(number)
        self._words = sorted({*self._in_text, *self._in_heading, *self._in_page})
        self._length = sum(section.length for section in self._sections) / max(1, len(self._sections)) or 1.0

    def search(self, query: str) -> list[Result]:
        """Best first; nothing for a query without words. Where no section has all of the words, those with the most."""
        typed = words(query)
        asked = [_meant(word) for word in ([one for one in typed if len(one) > 1] or typed)[:MOST_WORDS]]
        scores: dict[int, list[float]] = defaultdict(list)  # by section: of each word that it has
        for one in asked:
            for number, score in self._scores(one).items():
                scores[number].append(score)
        best = max(map(len, scores.values()), default=0)
        sections = self._sections
        hits = [
            (sum(found) * sections[number].entry.weight, sections[number].entry)
            for number, found in sorted(scores.items())
            if len(found) == best
        ]
        hits.sort(key=lambda hit: -hit[0])
        hits = [hit for hit in hits if hit[0] >= hits[0][0] * LEAST_OF_THE_BEST]
        looked_for = [word for one in asked for word in one]
        has_all = best == len(asked)
        return [Result(entry, score, has_all, excerpt(entry.text, looked_for)) for score, entry in _spread(hits)]

    def _scores(self, asked: dict[str, float]) -> dict[int, float]:
        """By section, of those that have a word that begins with what is asked for."""
        often: dict[int, float] = defaultdict(float)
        heading: dict[int, float] = defaultdict(float)
        title: dict[int, float] = defaultdict(float)
        for word in self._beginning(asked):
            match = _match(word, asked)
            for number, count in self._in_text.get(word, {}).items():
                often[number] += count * match
            for number in self._in_heading.get(word, ()):
                heading[number] = max(heading[number], match)
            for number in self._in_page.get(word, ()):
                title[number] = max(title[number], match)
        rarity = math.log(1 + len(self._sections) / max(1, len(often.keys() | heading.keys())))
        found = {}
        for number in often.keys() | heading.keys() | title.keys():
            section = self._sections[number]
            is_beginning = section.entry.heading == section.entry.page
            share = self._share(often.get(number, 0.0), section.length)
            in_heading = _among(heading.get(number, 0.0), section.heading_words)
            in_title = 0.0 if is_beginning else _among(title.get(number, 0.0), section.page_words)
            in_heading *= _IN_TITLE if is_beginning else _IN_HEADING
            found[number] = rarity * (_IN_TEXT * share + in_heading + _OF_THE_PAGE * in_title)
        return found

    def _beginning(self, asked: Iterable[str]) -> set[str]:
        """The words of all sections that begin with one of these."""
        found: set[str] = set()
        for one in asked:
            at = bisect_left(self._words, one)
            while at < len(self._words) and self._words[at].startswith(one):
                found.add(self._words[at])
                at += 1
        return found

    def _share(self, often: float, length: int) -> float:
        return often / (often + _SATURATION * (1 - _LENGTH + _LENGTH * length / self._length))


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


def _among(match: float, count: int) -> float:
    """Of a heading: more where it has few other words."""
    return match / math.sqrt(math.sqrt(max(1, count)))


def _spread(hits: Iterable[tuple[float, Entry]]) -> list[tuple[float, Entry]]:
    """No more than some of each page."""
    taken: Counter[str] = Counter()
    kept = []
    for hit in hits:
        taken[hit[1].page] += 1
        if taken[hit[1].page] <= MOST_OF_A_PAGE:
            kept.append(hit)
    return kept[:MOST_RESULTS]
