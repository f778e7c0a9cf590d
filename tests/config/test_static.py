"""Static files and pages over the wire: packed, and what never changes kept for ever."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from config.static_version import static_version
from tests.stack import ROOT

FOREVER = "max-age=315360000, public, immutable"
CSS = "css/tokens.css"
FILE = (ROOT / "static" / CSS).read_bytes()


@pytest.fixture
def packed() -> Client:
    return Client(headers={"Accept-Encoding": "gzip, br"})


def test_the_version_changes_with_any_file(tmp_path: Path) -> None:
    (tmp_path / "js").mkdir()
    (tmp_path / "js" / "a.js").write_text("1")
    first = static_version(tmp_path)
    assert static_version(tmp_path) == first
    (tmp_path / "js" / "a.js").write_text("2")
    second = static_version(tmp_path)
    (tmp_path / "js" / "a.js").rename(tmp_path / "js" / "b.js")
    assert len({first, second, static_version(tmp_path)}) == 3


def test_a_file_is_packed_and_kept(packed: Client) -> None:
    answer = packed.get(settings.STATIC_URL + CSS)
    assert (answer["Content-Encoding"], answer["Cache-Control"], answer["Vary"]) == ("gzip", FOREVER, "Accept-Encoding")
    assert gzip.decompress(answer.content) == FILE and int(answer["Content-Length"]) == len(answer.content)
    assert "ETag" not in answer
    again = packed.get(settings.STATIC_URL + CSS, headers={"If-Modified-Since": answer["Last-Modified"]})
    assert (again.status_code, again.content) == (304, b"")


def test_who_can_t_unpack_gets_it_as_it_is(packed: Client) -> None:
    plain = Client().get(settings.STATIC_URL + CSS)
    assert plain.content == FILE and "Content-Encoding" not in plain and plain["ETag"]
    part = packed.get(settings.STATIC_URL + CSS, headers={"Range": "bytes=0-9"})
    assert (part.status_code, part.content, "Content-Encoding" in part) == (206, FILE[:10], False)
    assert packed.head(settings.STATIC_URL + CSS)["Content-Length"] == str(len(FILE))


def test_what_is_packed_already_is_left_alone(packed: Client) -> None:
    font = packed.get(settings.STATIC_URL + "fonts/ibm-plex-mono-latin-400-normal.woff2")
    assert font["Cache-Control"] == FOREVER and "Content-Encoding" not in font


@pytest.mark.parametrize("prefix", ["/static/", "/static/0123456789ab/"])
def test_a_page_of_another_version_gets_what_there_is(packed: Client, prefix: str) -> None:
    answer = packed.get(prefix + CSS)
    assert gzip.decompress(answer.content) == FILE and answer["Cache-Control"] == "no-cache"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path", ["/static/", "/static/0123456789ab/", "/static/../manage.py", "/static/x/css/tokens.css"]
)
def test_what_is_no_file_is_not_found(path: str) -> None:
    assert Client().get(path).status_code == 404


@pytest.mark.django_db
def test_pages_are_packed_and_documents_are_not(packed: Client) -> None:
    page = packed.get("/docs/concepts")
    assert page["Content-Encoding"] == "gzip" and b"<!doctype html>" in gzip.decompress(page.content)
    assert "Accept-Encoding" in page["Vary"] and settings.STATIC_URL.encode() in gzip.decompress(page.content)
    assert "Content-Encoding" not in Client().get("/docs/concepts")
    assert "Content-Encoding" not in packed.get("/api/schema")
