"""Sentences of rows and of the runner in another language, and that those listed are really written somewhere."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils import translation

from hosting.reasons import MESSAGES, in_words
from tests.languages.marked import CODE, marked_language, outside

HOSTING = Path(__file__).resolve().parents[2] / "hosting"
_GAP = "\0"


def written() -> Iterator[str]:
    """Every text in hosting's Python, with a gap for each value in it."""
    for path in HOSTING.rglob("*.py"):
        if path.name != "reasons.py":
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield node.value
                elif isinstance(node, ast.JoinedStr):
                    parts = (part.value if isinstance(part, ast.Constant) else _GAP for part in node.values)
                    yield "".join(str(part) for part in parts)


def test_every_message_is_one_that_is_written() -> None:
    found = {re.sub(r"%\(\w+\)s", _GAP, message): message for message in MESSAGES}
    assert [found[text] for text in found.keys() - set(written())] == []


@pytest.mark.parametrize(
    "sentence",
    [
        "stopped by its owner",
        "There is no package mcp-tiem on PyPI. Check the spelling of its name.",
        "There is no version 9.0 of demo on PyPI. The newest one is 1.2.",
        "exited with code 1; its last lines: KeyError: 'A'",
        "version 2 could not be built, so version 1 still serves: The package index didn't answer. Try again later.",
        "running: 2 instances, 1 of an earlier version",
    ],
)
def test_a_sentence_is_told_in_the_language_of_its_reader(sentence: str) -> None:
    assert in_words(sentence) == sentence
    with marked_language(), translation.override(CODE):
        said = in_words(sentence)
    assert outside(said) == ""
    assert re.sub("[⟦⟧]", "", said) == sentence


def test_a_sentence_that_is_not_known_stays_as_it_is() -> None:
    with marked_language(), translation.override(CODE):
        assert in_words("something else went wrong: 100 %") == "something else went wrong: 100 %"
        assert in_words("") == ""
