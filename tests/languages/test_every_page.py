"""Every page in the language of marks: what stands outside of them was never given to be translated."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction

from tests.languages.marked import CODE, marked_language, outside
from tests.languages.reading import read
from tests.pages.visit import Visit
from tests.pages.visits import visits

pytestmark = pytest.mark.django_db
_GAP = "\x00"  # between two texts
_WORD = re.compile(r"[A-Za-z]{2,}")
# What the walk's rows hold, and what belongs to no language.
_DATA = re.compile(
    r"pypi:mcp-server-time|npm:demo|slipway_api_\S+|https?://\S*|What it does|Works\."
    r"|\b(?:alice|bob\d+|acme\d*|time\d+|work\d*|server\d+|weather|demo|Forge|c1)\b"
    r"|\borg\.example[\w./-]*|\b(?:[\w.]+\.)?example\.org\b|\b[A-Z]+(?:_[A-Z]+)+\b|\b[a-z]+:[a-z_:]+\b"
    r"|\b[A-Z2-7]{32}\b|[\w.]+/[\w./{}-]+|[\w-]+\.(?:json|md|py|toml|txt|zip)\b|\S+@\S+"
)
_NAMES = frozenset(
    [
        *("Slipway", "MCP", "API", "JSON", "URL", "OAuth", "OpenAPI", "PyPI", "npm", "NuGet", "Cargo", "GitHub"),
        *("HTTP", "UTC", "MiB", "GiB", "KB", "MB", "ms", "min", "stdio", "SSE", "Streamable", "curl", "Python"),
        *("Claude", "Code", "VS", "Cursor", "Google", "Slack", "Notion", "README"),
    ]
)
# Sentences of modules that know nothing of Django, and of libraries that have no catalogue.
_STAYS_ENGLISH = frozenset(
    [
        "time",  # an example of a name
        "Missing client id parameter",  # oauthlib, of a request that a program made
        "This offers no package from or that speaks and no remote",  # hosting.kinds
    ]
)


@pytest.fixture(scope="module")
def walked(django_db_setup: None, django_db_blocker: Any) -> Iterator[list[Visit]]:
    with django_db_blocker.unblock(), transaction.atomic():
        with marked_language():
            found = visits(("alice", ""), language=CODE)
        transaction.set_rollback(True)
    yield found


def unmarked(body: str) -> list[str]:
    """Words of ours that are in no marks. A sentence with elements in it has one mark before the first of them and the
    other behind the last."""
    page = read(body, CODE)
    left = [*outside(_GAP.join(page.texts)).split(_GAP), *(outside(text) for text in page.spoken)]
    kept = ([word for word in _WORD.findall(_DATA.sub(" ", text)) if word not in _NAMES] for text in left)
    return [found for words in kept if (found := " ".join(words)) and found not in _STAYS_ENGLISH]


def test_every_word_of_a_page_is_translated(walked: list[Visit]) -> None:
    shown = [visit for visit in walked if visit.is_shown]
    assert len({visit.name for visit in shown}) > 50
    found: defaultdict[str, set[str]] = defaultdict(set)
    for visit in shown:
        for words in unmarked(visit.body.decode()):
            found[words].add(visit.name)
    assert not found, "\n".join(f"{words} ({', '.join(sorted(names))})" for words, names in found.items())


def test_a_sentence_without_marks_is_found() -> None:
    page = (
        f'<html lang="{CODE}"><p title="Shown on hover">⟦Saved <b>⟦5 minutes ago⟧</b>⟧ by Slipway <code>a b</code></p>'
    )

    assert unmarked(page) == ["by", "Shown on hover"]


def test_numbers_in_drawings_are_written_as_programs_do(walked: list[Visit]) -> None:
    """This language writes 12,5; a drawing that does so is broken."""
    number = re.compile(r'\s(?:x|y|[xy][12]|c[xy]|r|width|height|value|max)="\d+,\d+"')
    assert [(visit.name, found) for visit in walked for found in number.findall(visit.body.decode())] == []
