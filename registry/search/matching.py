"""What a person typed, as conditions and ranks for PostgreSQL. Pure: all that comes from outside is a parameter.

Each word is looked for by its stem, the last one also as a beginning, for who is still typing. A server matches that
has all words; where few have, those with some of them follow. Words count by how rare they are.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any

from registry.search import words

MAX_QUERY = 200
MAX_WORDS = 8
# Weights of D, C, B, A: README, namespace and keywords, description and tools, name and title.
WEIGHTS = "{0.04,0.25,0.4,1.0}"
OTHERS, BEGUN = 0.6, 0.3  # what a word counts that means the same, and one that is not typed to its end
RARITY = 2.0  # the power of a word's rarity: of two words it decides what a search is about
# A server's name, or its namespace with a dot or two: io.github.acme, com.example/ser
_NAME = re.compile(r"[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+(?:/[A-Za-z0-9._-]*)?")
_NAMESPACE = re.compile(r"\b(?:io|com)\.(?:github|gitlab)\.", re.IGNORECASE)


@dataclass(frozen=True)
class Term:
    """A word of the question: `exact` are stems that mean it, `others` those of words that mean the same, `wide` what
    it may become while it is typed."""

    word: str
    exact: tuple[str, ...]
    others: tuple[str, ...] = ()
    wide: tuple[str, ...] = ()
    weight: float = 1.0

    @property
    def query(self) -> str:
        return _either([*(_quoted(one) for one in (*self.exact, *self.others)), *self.wide])

    @property
    def exact_query(self) -> str:
        return _either([_quoted(one) for one in self.exact])


@dataclass(frozen=True)
class Question:
    text: str
    terms: tuple[Term, ...]
    joined: str = ""
    vendors: tuple[str, ...] = ()
    corrected: Mapping[str, str] = field(default_factory=dict)
    name: str = ""  # a name, or how one begins, in lower case

    @property
    def all_words(self) -> str:
        return " & ".join(f"({term.query})" for term in self.terms)

    @property
    def some_words(self) -> str:
        return _either([term.query for term in self.terms])

    def condition(self, *, is_widened: bool = False) -> tuple[str, list[Any]]:
        """Which rows of registry_searchentry match."""
        query = self.some_words if is_widened else self.all_words
        if self.name:
            return "(vector @@ %s::tsquery OR folded LIKE %s)", [query, f"{_literal(self.name)}%"]
        return "vector @@ %s::tsquery", [query]

    def rank(self) -> tuple[str, list[Any]]:
        """An expression over registry_searchentry, and its parameters."""
        parts, given = [], []
        for term in self.terms:
            # The best of them, not their sum: the last word would count more than the others while it is typed.
            ways: list[tuple[float, str]] = [(1.0, term.exact_query)]
            ways += [(OTHERS, _either([_quoted(one) for one in term.others]))] if term.others else []
            ways += [(BEGUN, _either(list(term.wide)))] if term.wide else []
            ranks = ", ".join([f"%s::float8 * ts_rank('{WEIGHTS}', vector, %s::tsquery)"] * len(ways))
            parts.append(f"%s::float8 * GREATEST({ranks})")
            given += [term.weight, *chain.from_iterable(ways)]
        bonus = (
            "(CASE WHEN compact = %s THEN 0.5 WHEN starts_with(compact, %s) THEN 0.15 ELSE 0 END"
            " + CASE WHEN compact_title = %s THEN 0.4 WHEN starts_with(compact_title, %s) THEN 0.12 ELSE 0 END"
            " + CASE WHEN vendor = ANY(%s) THEN 0.35 ELSE 0 END"
            " + CASE WHEN folded = %s THEN 4 WHEN %s <> '' AND starts_with(folded, %s) THEN 2 ELSE 0 END)"
        )
        given += [self.joined, self.joined, self.joined, self.joined, list(self.vendors)]
        given += [self.name, self.name, self.name]
        return f"({' + '.join(parts)} + {bonus}) * (0.6 + 0.4 * standing)", given


def question(text: str) -> Question | None:
    """None when nothing is asked."""
    typed = " ".join(text.replace("\0", " ").split())[:MAX_QUERY]
    text = _NAMESPACE.sub(" ", typed + (" " if text[-1:].isspace() else ""))
    found = list(dict.fromkeys(words.plain(text)))
    kept = ([word for word in found if word not in words.COMMON] or found)[:MAX_WORDS]
    if not kept:
        return None
    pairs = [words.joined(kept[max(0, i - 1) : i + 2]) for i in range(len(kept))]
    is_open = not text.endswith(" ")
    terms = tuple(_term(word, pairs[i], is_last=is_open and i == len(kept) - 1) for i, word in enumerate(kept))
    name = typed.lower() if _NAME.fullmatch(typed) else ""
    return Question(text, terms, "".join(kept), (*kept, "".join(kept)), name=name)


def _term(word: str, pairs: Sequence[str], *, is_last: bool) -> Term:
    stem = words.stem(word)
    exact = dict.fromkeys([stem, *(words.stem(pair) for pair in pairs)])
    others = tuple(other for one in words.same_as(word) if (other := words.stem(one)) not in exact)
    beginning = [f"{_quoted(stem)}:*"] if is_last and len(stem) > 1 else []
    return Term(word, tuple(exact), others, tuple(beginning))


def weighed(asked: Question, counts: Mapping[str, int], total: int) -> Question:
    """With each word weighed by its rarity among `total` entries."""
    rarities = [_rarity(counts.get(term.word, 0), total) for term in asked.terms]
    most = max(rarities)
    even = [replace(term, weight=(rarity / most) ** RARITY) for term, rarity in zip(asked.terms, rarities, strict=True)]
    return replace(asked, terms=tuple(even))


def corrected(asked: Question, instead: Mapping[str, str]) -> Question:
    """With words that may have been meant beside those that were typed."""
    terms = []
    for term in asked.terms:
        if (other := instead.get(term.word)) is not None:
            term = replace(term, exact=(*term.exact, words.stem(other)))
        terms.append(term)
    meant = [instead.get(term.word, term.word) for term in asked.terms]
    joined = "".join(meant)
    return replace(asked, terms=tuple(terms), joined=joined, vendors=(*meant, joined), corrected=dict(instead))


def api_condition(text: str) -> tuple[str, list[Any]]:
    """For lists that keep another order: over columns of registry_searchentry. A part of the name, or all words."""
    given: list[Any] = [f"%{_literal(text.lower())}%"]
    match = "folded LIKE %s"
    if (asked := question(text)) is not None:
        match += " OR vector @@ %s::tsquery"
        given.append(asked.all_words)
    return match, given


def _literal(text: str) -> str:
    """For LIKE."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _rarity(count: int, total: int) -> float:
    return math.log(1 + (total + 1) / (count + 1))


def _quoted(lexeme: str) -> str:
    """Letters and digits only come here; quoted all the same."""
    return "'" + lexeme.replace("\\", "").replace("'", "") + "'"


def _either(queries: Sequence[str]) -> str:
    return " | ".join(queries)
