"""Search of the documentation: what people type, and which section they are shown first."""

from __future__ import annotations

import pytest

from documentation.search import MOST_OF_A_PAGE, Entry, Index
from documentation.views import _index


def test_headings_and_rare_words_come_first() -> None:
    found = Index(
        [
            Entry("/a", "Page", "Other", "token token token common"),
            Entry("/b", "Page", "Tokens", "common"),
            Entry("/c", "Page", "Other", "common"),
        ]
    )
    assert [result.entry.url for result in found.search("tok")] == ["/b", "/a"]
    assert len(found.search("common")) == 3
    assert [(result.entry.url, result.has_all) for result in found.search("tok absent")] == [
        ("/b", False),
        ("/a", False),
    ]
    assert found.search("absent") == [] and found.search("?!") == []


def test_an_excerpt_is_about_the_hit() -> None:
    text = "before " * 60 + "the needle lies here " + "after " * 60
    (result,) = Index([Entry("/a", "Page", "Heading", text)]).search("needl")
    assert [piece.text for piece in result.excerpt if piece.is_hit] == ["needle"]
    assert sum(len(piece.text) for piece in result.excerpt) < 300


def test_what_a_page_is_called_comes_before_what_it_says() -> None:
    found = Index(
        [
            Entry("/notes", "Notes", "Figures", "backup " * 50),
            Entry("/a#b", "Operating", "Backup", "How to"),
            Entry("/b", "Backup", "Backup", "Why"),
        ]
    )
    assert [result.entry.url for result in found.search("backup")] == ["/b", "/a#b", "/notes"]


def test_pages_of_less_weight_come_later() -> None:
    notes = Entry("/notes", "Figures", "Tokens", "token " * 50, weight=0.2)
    found = Index([notes, Entry("/a", "Clients", "Other", "a token")])
    assert [result.entry.url for result in found.search("token")] == ["/a", "/notes"]


def test_one_page_does_not_take_the_place_of_others() -> None:
    many = [Entry(f"/long#{n}", "Long", f"Token {n}", "token") for n in range(20)]
    found = Index([*many, Entry("/short", "Short", "About a token", "a token")]).search("token")
    assert len(found) == MOST_OF_A_PAGE + 1 and found[-1].entry.url == "/short"


def test_words_with_hyphens_are_found_in_one() -> None:
    found = Index([Entry("/a", "Page", "Other", "a time-out of a minute")])
    assert all(found.search(query) for query in ("timeout", "time-out", "time out"))


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("token", "/docs/api#a-token"),
        ("api token", "/docs/publishing#with-an-api-token"),
        ("oauth", "/docs/clients#signing-in-or-a-token"),
        ("login", "/docs/clients#signing-in-or-a-token"),
        ("host", "/docs/hosting"),
        ("npm", "/docs/hosting#what-can-be-hosted"),
        ("claude", "/docs/clients#claude-code"),
        ("backup", "/docs/operating#backup"),
        ("restore", "/docs/operating#backup"),
        ("timeout", "/docs/clients#long-calls"),
        ("private", "/docs/hosting#who-may-call-it"),
        ("publish", "/docs/publishing"),
        ("limit", "/docs/architecture#limits"),
        ("error", "/docs/hosting#when-something-is-wrong"),
        ("webhook", "/docs/api#events"),
        ("docker", "/docs/architecture#sandbox"),
    ],
)
def test_words_that_people_type_lead_to_what_they_look_for(query: str, wanted: str) -> None:
    first = [result.entry.url for result in _index().search(query)[:3]]
    assert wanted in first
    assert not any(url.startswith(("/docs/benchmarks", "/docs/changes")) for url in first)
