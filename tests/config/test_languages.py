"""Which language a page speaks, and that programs are always spoken to in English."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.utils import translation
from django.utils.translation import trans_real

from config import env
from config.languages import LanguageMiddleware
from tests.languages.marked import CLOSE, CODE, OPEN, marked_language

pytestmark = pytest.mark.django_db
MAIN = f"{OPEN}Skip to content{CLOSE}"


@pytest.fixture
def visitor() -> Iterator[Client]:
    with marked_language():
        yield Client(headers={"accept-language": f"{CODE}, en;q=0.5"})


def words(client: Client, path: str) -> str:
    return client.get(path).content.decode()


def test_with_english_alone_nothing_varies_with_the_language() -> None:
    answer = Client(headers={"accept-language": "de, eo;q=0.5"}).get("/docs/")

    page = answer.content.decode()
    assert '<html lang="en"' in page and "/language/" not in page
    assert "Accept-Language" not in answer.headers["Vary"] and "Content-Language" not in answer.headers


def test_english_alone_is_activated_too() -> None:
    found: list[bool] = []
    translation.deactivate()

    def get_response(request: HttpRequest) -> HttpResponse:
        # `get_language` says "en" either way: only Django's own variable tells whether one was activated.
        found.append(hasattr(trans_real._active, "value"))  # type: ignore[attr-defined]
        return HttpResponse()

    LanguageMiddleware(get_response)(RequestFactory().get("/docs/"))

    assert found == [True]


def test_a_page_speaks_what_the_browser_asks_for(visitor: Client) -> None:
    answer = visitor.get("/docs/")

    page = answer.content.decode()
    assert f'<html lang="{CODE}"' in page and MAIN in page and f'src="/language/{CODE}.js"' in page
    assert answer.headers["Content-Language"] == CODE
    assert {"Accept-Language", "Cookie"} <= {name.strip() for name in answer.headers["Vary"].split(",")}
    assert translation.get_language() == "en"  # for whatever this thread does next


def test_a_language_that_is_not_there_becomes_english(visitor: Client) -> None:
    answer = visitor.get("/docs/", headers={"accept-language": "de"})

    assert '<html lang="en"' in answer.content.decode() and answer.headers["Content-Language"] == "en"


def test_a_choice_counts_for_more_than_the_browser(visitor: Client) -> None:
    chosen = visitor.post("/language/", {"language": "en", "next": "/docs/"})
    back = visitor.post("/language/", {"language": "de", "next": "https://elsewhere.example.org/"})

    assert (chosen.status_code, chosen.headers["Location"]) == (302, "/docs/")
    assert visitor.cookies["slipway_language"]["httponly"] and visitor.cookies["slipway_language"]["samesite"] == "Lax"
    assert back.headers["Location"] == "/"
    visitor.cookies["slipway_language"] = "en"
    assert '<html lang="en"' in words(visitor, "/docs/")


def test_an_error_page_speaks_it_too(visitor: Client) -> None:
    page = words(visitor, "/docs/nothing")

    assert f'<html lang="{CODE}"' in page and f"{OPEN}There is nothing here{CLOSE}" in page


@pytest.mark.parametrize(
    "path",
    ["/api/deployments", "/api/nothing", "/.well-known/oauth-authorization-server", "/registry/feed", "/docs/api.md"],
)
def test_what_a_program_reads_is_english_and_does_not_vary(visitor: Client, path: str) -> None:
    asked, plain = visitor.get(path), Client().get(path)

    assert asked.status_code == plain.status_code and asked.headers.get("Vary") == plain.headers.get("Vary")
    assert OPEN not in asked.content.decode() and "Content-Language" not in asked.headers


def test_scripts_get_what_they_say_in_the_language_of_the_address(visitor: Client) -> None:
    answer = visitor.get(f"/language/{CODE}.js")

    assert answer.headers["Content-Type"].startswith("text/javascript") and b"django.gettext" in answer.content
    assert answer.headers["Cache-Control"] == "public, max-age=600" and "Vary" not in answer.headers
    assert visitor.get("/language/de.js").status_code == 404


def test_a_language_needs_a_catalogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = tmp_path / "pt_BR/LC_MESSAGES/django.mo"
    monkeypatch.setenv("SLIPWAY_LANGUAGES", "en, pt-br")

    with pytest.raises(ImproperlyConfigured, match=r"SLIPWAY_LANGUAGES is 'pt-br'.*pt_BR/LC_MESSAGES/django\.mo"):
        env.languages("SLIPWAY_LANGUAGES", tmp_path)
    compiled.parent.mkdir(parents=True)
    compiled.touch()
    assert env.languages("SLIPWAY_LANGUAGES", tmp_path) == [("en", "English"), ("pt-br", "Português Brasileiro")]
    monkeypatch.setenv("SLIPWAY_LANGUAGES", "")
    assert env.languages("SLIPWAY_LANGUAGES", tmp_path) == [("en", "English")]


def test_a_language_is_one_that_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLIPWAY_LANGUAGES", "tlh")

    with pytest.raises(ImproperlyConfigured, match="SLIPWAY_LANGUAGES is 'tlh'"):
        env.languages("SLIPWAY_LANGUAGES", tmp_path)
