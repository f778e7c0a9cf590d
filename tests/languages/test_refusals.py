"""Why something was refused, whole, in the language of whoever reads it; programs get it in English."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.utils.translation import override

from common.addresses import HostInvalid, host_name
from common.outbound.errors import UrlRefused
from common.outbound.urls import Rules, target
from hosting.configuration import limits
from hosting.quotas import quotas
from hosting.tasks.questions import question_of
from hosting.templatetags.humane import milliseconds, rate, span
from oauth.clients.documents import id_refusal
from oauth.clients.metadata import KEY, NONE, MetadataInvalid, parse
from oauth.refusals import Refusal
from tests.languages.marked import CODE, marked_language


@pytest.fixture
def elsewhere() -> Iterator[None]:
    with marked_language(), override(CODE):
        yield


@pytest.mark.usefixtures("elsewhere")
def test_why_an_address_leads_nowhere() -> None:
    with pytest.raises(UrlRefused, match="⟦.*⟦not an address in its usual form⟧.*⟧"):
        target("https://127.1/", Rules())
    with pytest.raises(HostInvalid, match="^not a host name$"):
        host_name("-")
    asked = {"method": "elicitation/create", "params": {"mode": "url", "message": "?", "url": "https://a_b-.org/"}}
    assert "⟦not a host name⟧" in question_of("q", asked).refused


@pytest.mark.usefixtures("elsewhere")
def test_what_is_wrong_with_a_programs_description() -> None:
    assert id_refusal("https://app.example.org/") == "⟦it has no path, or one with dots⟧"
    with pytest.raises(MetadataInvalid) as refused:
        parse({"redirect_uris": ["https://a.example/cb"], "token_endpoint_auth_method": "x"}, (NONE, KEY), NONE)
    assert refused.value.message.startswith("token_endpoint_auth_method has to be one of none, ")
    assert refused.value.for_people.startswith("⟦token_endpoint_auth_method has to be one of none, ")


@pytest.mark.usefixtures("elsewhere")
@pytest.mark.parametrize(
    ("uris", "words"),
    [
        ([], "redirect_uris is missing."),
        (
            ["https://a.example/cb#x"],
            "The redirect URIs can't be registered. ⟦'https://a.example/cb#x' has a fragment.⟧",
        ),
        (
            [f"https://a.example/{n}" for n in range(21)],
            "The redirect URIs can't be registered. ⟦There are more than 20.⟧",
        ),
    ],
)
def test_what_is_wrong_with_redirect_addresses(uris: list[str], words: str) -> None:
    with pytest.raises(Refusal) as refused:
        parse({"redirect_uris": uris}, (NONE, KEY), NONE)
    assert refused.value.code == "invalid_redirect_uri"
    assert refused.value.for_people == f"⟦{words}⟧"
    assert refused.value.message == re.sub("[⟦⟧]", "", words)


def test_sizes_and_their_numbers_are_of_their_readers_language() -> None:
    said = [
        limits.words(64 * 1024, True),
        limits.words(32 * 1024**2, True),
        quotas.words("store_bytes", 1.255 * 1024**3),
    ]
    assert [*said, quotas.words("build_seconds", 90)] == ["64 KiB", "32 MiB", "1.25 GiB", "1.5 minutes"]
    with marked_language(), override(CODE):
        said = [limits.words(32 * 1024**2, True), quotas.words("store_bytes", 1.255 * 1024**3)]
        assert [*said, quotas.words("build_seconds", 90)] == ["⟦32 MiB⟧", "⟦1,25 GiB⟧", "⟦1,5 minutes⟧"]


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.4, "0.4 s"), (12, "12 s"), (200, "3 min 20 s"), (7500, "2 h 5 min"), (356_400, "4 d 3 h")]
)
def test_units_are_translated_and_in_english_as_ever(seconds: float, words: str) -> None:
    assert (span(seconds), milliseconds(3_200), milliseconds(1_250_000)) == (words, "3.2 ms", "1.25 s")
    with marked_language(), override(CODE):
        marked = "".join(f"⟦{part}⟧" if part.isalpha() else part for part in words.replace(" ", "\0 \0").split("\0"))
        assert (span(seconds), milliseconds(3_200)) == (marked.replace(".", ","), "3,2 ⟦ms⟧")
        assert (rate(1234.5), rate(0.5)) == ("1\xa0234 ⟦a second⟧", "30 ⟦a minute⟧")
    assert (rate(1234.5), rate(0.5)) == ("1,234 a second", "30 a minute")
