"""Every page in the language of marks: what stands outside of them was never given to be translated."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction

from tests.languages.marked import CODE, marked_language
from tests.languages.unmarked import unmarked
from tests.pages.visit import Visit
from tests.pages.visits import visits

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def walked(django_db_setup: None, django_db_blocker: Any) -> Iterator[list[Visit]]:
    with django_db_blocker.unblock(), transaction.atomic():
        with marked_language():
            found = visits(("alice", ""), language=CODE)
        transaction.set_rollback(True)
    yield found


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
