"""Which of many messages a sentence was made of, and with which values. Pure.

One way through each sentence: they quote what others wrote, who must not make this slow. Nor do many messages: a
sentence is held against those alone that begin as it does, and those that begin with a value.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

_VALUE = re.compile(r"%\((\w+)\)s")
_BEGINNING: Final = 4  # characters that messages are told apart by
# What is a number in a message, so that a sentence with other words there is another one.
_NUMBERS: Final = frozenset(("count", "number", "serving", "seconds"))
_WORDS: Final = frozenset(("host",))  # what has no blank in it, likewise


@dataclass(frozen=True)
class _Message:
    """`literals` stand around the values: one more than there are `names`."""

    text: str
    literals: tuple[str, ...]
    names: tuple[str, ...]

    @property
    def own_words(self) -> int:
        """How much of it is its own, in characters."""
        return sum(map(len, self.literals))

    def values(self, sentence: str) -> dict[str, str] | None:
        """What stands between the literals; None where the sentence is another one."""
        first, *others = self.literals
        if not sentence.startswith(first) or not sentence.endswith(self.literals[-1]):
            return None
        found, at = {}, len(first)
        for number, (name, literal) in enumerate(zip(self.names, others, strict=True), start=1):
            is_last = number == len(self.names)
            end = sentence.find(literal, at) if not is_last else len(sentence) - len(literal)
            if end < at or not _may_be(name, sentence[at:end]):
                return None
            found[name], at = sentence[at:end], end + len(literal)
        return found if at == len(sentence) else None


def _may_be(name: str, value: str) -> bool:
    if name in _NUMBERS:
        return value.replace(".", "").isdecimal()
    return name not in _WORDS or " " not in value


class Matcher:
    """Looks sentences up in a list of messages, whose values are written %(name)s."""

    def __init__(self, messages: Iterable[str]) -> None:
        self._plain: set[str] = set()
        beginning: defaultdict[str, list[_Message]] = defaultdict(list)
        for text in messages:
            literals, names = tuple(_VALUE.split(text)[::2]), tuple(_VALUE.split(text)[1::2])
            if not names:
                self._plain.add(text)
            else:
                key = literals[0][:_BEGINNING] if len(literals[0]) >= _BEGINNING else ""
                beginning[key].append(_Message(text, literals, names))
        anywhere = beginning.pop("", [])
        self._anywhere = _longest_first(anywhere)
        self._beginning = {key: _longest_first([*found, *anywhere]) for key, found in beginning.items()}

    def find(self, sentence: str) -> tuple[str, dict[str, str]] | None:
        """The message and its values. Of several that fit it is the one with the most words of its own."""
        if sentence in self._plain:
            return sentence, {}
        for anchor, message in self._beginning.get(sentence[:_BEGINNING], self._anywhere):
            if anchor in sentence and (values := message.values(sentence)) is not None:
                return message.text, values
        return None


def _longest_first(messages: list[_Message]) -> tuple[tuple[str, _Message], ...]:
    """Each behind the longest of its literals, by which most sentences are told to be others in no time."""
    ordered = sorted(messages, key=lambda each: each.own_words, reverse=True)
    return tuple((max(each.literals, key=len), each) for each in ordered)
