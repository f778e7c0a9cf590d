"""What an answer of another site's is worth."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from oauth.outbound import requests
from oauth.outbound.requests import AnswerRefused, TokenRefused
from tests.oauth.outbound.described import ISSUER, URL


@pytest.mark.parametrize(
    ("answer", "names_itself", "words"),
    [
        ({"code": ["c"], "iss": ["https://evil.example"]}, True, "another site answered"),
        ({"code": ["c"], "iss": ["https://evil.example"]}, False, "another site answered"),
        ({"code": ["c"], "iss": [f"{ISSUER}/"]}, True, "another site answered"),
        ({"code": ["c"], "iss": [""]}, False, "another site answered"),
        ({"code": ["c"]}, True, "does not say who answers"),
        ({"code": ["c", "d"], "iss": [ISSUER]}, True, "twice"),
        ({"code": ["c"], "iss": [ISSUER, "https://evil.example"]}, True, "twice"),
        ({"iss": [ISSUER]}, True, "no code"),
        ({"error": ["access_denied"], "iss": [ISSUER]}, True, "declined"),
        ({"error": ["server_error"], "error_description": ["Down\u202e"], "iss": [ISSUER]}, True, "refused: Down"),
    ],
)
def test_an_answer_that_cant_be_used(answer: dict[str, list[str]], names_itself: bool, words: str) -> None:
    with pytest.raises(AnswerRefused, match=words) as refused:
        requests.code_of(answer, issuer=ISSUER, names_itself=names_itself)
    assert "\u202e" not in refused.value.message


def test_what_another_site_says_is_not_repeated() -> None:
    answer = {"error": ["x"], "error_description": ["call this number"], "iss": ["https://evil.example"]}
    with pytest.raises(AnswerRefused) as refused:
        requests.code_of(answer, issuer=ISSUER, names_itself=False)
    assert "number" not in refused.value.message


def test_what_the_endpoint_has_in_its_query_stays_unless_it_is_ours_to_say() -> None:
    url = requests.authorize_url(
        "https://login.example/a?tenant=7&state=theirs&redirect_uri=https://evil.example",
        client_id="me", redirect_uri="https://us/cb", scopes=(), state="s", verifier="v" * 43, resource=URL,
    )  # fmt: skip
    sent = parse_qs(urlsplit(url).query)
    assert sent["tenant"] == ["7"] and sent["state"] == ["s"] and sent["redirect_uri"] == ["https://us/cb"]
    assert "scope" not in sent and sent["resource"] == [URL]


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, {"access_token": "a", "token_type": "mac"}),
        (200, {"access_token": "a b", "token_type": "Bearer"}),
        (200, {"access_token": "a\r\nX: y", "token_type": "Bearer"}),
        (200, {"access_token": "", "token_type": "Bearer"}),
        (200, {"access_token": ["a"], "token_type": "Bearer"}),
        (200, {"token_type": "Bearer"}),
        (200, {"error": "invalid_grant"}),
        (200, None),
        (302, None),
        (500, {"error": "invalid_grant"}),
    ],
)
def test_no_token_in_an_answer(status: int, body: dict[str, Any] | None) -> None:
    with pytest.raises(TokenRefused) as refused:
        requests.tokens_of(status, body)
    assert refused.value.error == ""  # nothing that would end an account


@pytest.mark.parametrize(
    ("given", "seconds"),
    [(60, 60), ("60", 60), (1.5, 1), (-1, None), ("x", None), (True, None), (10**18, 31_536_000)],
)
def test_how_long_a_token_lasts(given: Any, seconds: int | None) -> None:
    said = {"access_token": "a", "token_type": "bearer", "expires_in": given}
    assert requests.tokens_of(200, said).expires_in == seconds
