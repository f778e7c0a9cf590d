"""The documentation on the site: contents, pages, search, for everybody."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.test import Client

from documentation.library import library, library_of

pytestmark = pytest.mark.django_db


def test_contents_lead_to_every_page(client: Client) -> None:
    assert client.get("/docs")["Location"] == "/docs/"
    text = client.get("/docs/").content.decode()
    for page in library().pages:
        assert f'href="{page.url}"' in text
        answer = client.get(page.url)
        assert answer.status_code == 200
        assert page.content.title and page.content.lead


def test_a_page_names_those_beside_it(client: Client) -> None:
    first, second, third = library().pages[:3]
    text = client.get(second.url).content.decode()
    assert f'rel="prev" href="{first.url}"' in text and f'rel="next" href="{third.url}"' in text
    assert 'rel="prev"' not in client.get(first.url).content.decode()
    assert 'rel="next"' not in client.get(library().pages[-1].url).content.decode()


def test_an_unknown_page_is_404_in_words(client: Client) -> None:
    for path in ("/docs/nothing", "/docs/nothing.md", "/docs/..%2fREADME"):
        assert client.get(path).status_code == 404
    assert "no such page in the documentation" in client.get("/docs/nothing").content.decode()


def test_contents_of_a_page_can_be_folded(client: Client) -> None:
    for path in ("/docs/hosting", "/api/docs"):
        assert '<details class="contents">' in client.get(path).content.decode()


def test_pages_take_no_posts(client: Client) -> None:
    for path in ("/docs/", "/docs/search", "/docs/architecture", "/docs/architecture.md"):
        assert client.post(path).status_code == 405


def test_programs_get_markdown(client: Client) -> None:
    answer = client.get("/docs/architecture.md")
    assert answer["Content-Type"] == "text/markdown; charset=utf-8"
    assert answer.content.startswith(b"# Architecture")


def test_search_finds_a_section_by_beginnings_of_words(client: Client) -> None:
    text = client.get("/docs/search", {"q": "RESTART in plac"}).content.decode()
    assert 'href="/docs/architecture#restart-in-place"' in text
    assert "<mark>" in text


@pytest.mark.parametrize("query", ["", "  ", "?!", "zzzzunheardof", "x" * 5000, "\0", "<b>zzz"])
def test_search_for_nothing_says_what_to_do(client: Client, query: str) -> None:
    answer = client.get("/docs/search", {"q": query})
    assert answer.status_code == 200
    assert b"<b>zzz" not in answer.content and b'class="empty"' in answer.content


def test_a_file_that_no_list_names_is_a_page_at_the_end(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    for name in ("concepts", "zebra", "apple"):
        (tmp_path / f"docs/{name}.md").write_text(f"# {name}\n\nWords.\n")
    found = library_of(tmp_path, "https://slipway.example")
    assert [page.source.slug for page in found.pages] == ["concepts", "apple", "zebra"]
    assert [group for group, _ in found.groups()] == ["Start", "Further pages"]
