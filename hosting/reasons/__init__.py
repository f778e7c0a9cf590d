"""Sentences that rows keep, or that come from modules without Django, in the language of whoever reads a page.

They are written and kept in English, which is what programs get. A page finds the message that a sentence was made of,
and its values. What is not listed here is shown as it is. Pure but for the language.

A message has words of its own between its values: one that is nearly all values would be found in what others wrote.
Such ones are parts, and looked for only where a value of a message is known to be one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from django.utils.translation import get_language, gettext

from common.errors import AppError
from hosting.reasons import builds, calls, instances, packages, references, remotes, sources, states
from hosting.reasons.matching import Matcher

MESSAGES: Final = (
    *states.MESSAGES,
    *packages.MESSAGES,
    *builds.MESSAGES,
    *builds.STEPS,
    *sources.MESSAGES,
    *references.MESSAGES,
    *instances.MESSAGES,
    *remotes.MESSAGES,
    *calls.MESSAGES,
)
PARTS: Final = (
    *states.PARTS,
    *packages.PARTS,
    *builds.PARTS,
    *sources.PARTS,
    *references.PARTS,
    *instances.PARTS,
    *remotes.PARTS,
    *calls.PARTS,
)
# Values that are sentences or parts themselves.
_NESTED: Final = frozenset(
    [
        *("reason", "step", "hint", "notice", "rule", "more", "who", "lack", "label", "output", "leftover", "culprit"),
        *("limit", "size", "said", "examples", "invalid", "launch", "handshake", "legacy", "crowd", "ask", "place"),
        *("unfound", "broken", "kind", "given_up", "how", "quoted", "advice", "packages", "used", "allowed", "quota"),
    ]
)
_AFTER: Final = "; its last lines: "
_BETWEEN: Final = "; "
_sentences, _parts = Matcher(MESSAGES), Matcher(PARTS)


def in_words(sentence: str) -> str:
    """The sentence in the language of this thread's reader."""
    if not sentence or _is_english():
        return sentence
    first, lines, rest = sentence.partition(_AFTER)
    if lines:
        return in_words(first) + gettext("; its last lines: %(lines)s") % {"lines": rest}
    clauses = sentence.split(_BETWEEN)
    if len(clauses) > 1 and all(map(_sentences.find, clauses)):
        return _BETWEEN.join(map(_told, clauses))
    return _told(sentence)


def part_in_words(words: str) -> str:
    """The same of what is no sentence, but known to be a part of one."""
    return words if _is_english() else _part(words)


@contextmanager
def refusals_in_words() -> Iterator[None]:
    """What a module without Django refuses within is told in the language of this thread's reader."""
    try:
        yield
    except AppError as error:
        error.message = in_words(error.message)
        raise


def _is_english() -> bool:
    return (get_language() or "en").partition("-")[0] == "en"


def _told(sentence: str, among: Matcher = _sentences) -> str:
    if (found := among.find(sentence)) is None:
        return sentence
    message, values = found
    said = {name: _part(value) if name in _NESTED else value for name, value in values.items()}
    return gettext(message) % said if said else gettext(message)


def _part(value: str) -> str:
    return _told(value, _parts) if _parts.find(value) is not None else in_words(value)
