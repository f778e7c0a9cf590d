"""The page of tokens, and the page that says what the API can do."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client

from accounts.models import User
from events.actors import OPERATOR
from oauth import scopes
from oauth.api_tokens import api_token_issue
from oauth.models import ApiToken
from tests.api.conftest import ApiClient
from tests.api.described import operations

pytestmark = pytest.mark.django_db
PAGE = "/account/api-tokens"


@pytest.fixture
def browser(alice: User) -> Client:
    client = Client()
    client.force_login(alice)
    return client


def test_token_is_made_shown_once_and_revoked(browser: Client) -> None:
    assert "No tokens" in browser.get(PAGE).content.decode()
    made = browser.post(PAGE, {"note": "CI", "ttl": 86_400, "scopes": ["deployments:read"]})
    assert (made.status_code, "no-store" in made["Cache-Control"]) == (200, True)
    row = ApiToken.objects.get()
    found = re.search(rf"{row.prefix}[\w-]{{30,}}", made.content.decode())
    assert found
    assert row.expires_at - row.created_at == timedelta(days=1)
    api = ApiClient(found[0])
    assert api("GET", "deployments").status == 200
    assert api("POST", "deployments").code == "insufficient_scope"
    later = browser.get(PAGE).content.decode()
    assert row.prefix in later and found[0] not in later
    assert "CI" in later and "last used" in later
    assert browser.post(PAGE, {"action": "revoke", "token": str(row.pk)}).status_code == 302
    assert api("GET", "deployments").status == 401
    assert row.prefix not in browser.get(PAGE).content.decode()


@pytest.mark.parametrize(
    "fields",
    [
        {"ttl": 86_400},
        {"ttl": 5, "scopes": "deployments:read"},
        {"ttl": 86_400, "scopes": "mcp:call"},
        {"ttl": "x" * 900},
    ],
)
def test_bad_forms_make_nothing(browser: Client, fields: dict[str, str]) -> None:
    assert browser.post(PAGE, fields).status_code == 400
    assert not ApiToken.objects.exists()


def test_tokens_are_their_owners(browser: Client, bob: User) -> None:
    row, _ = api_token_issue(actor=OPERATOR, user=bob, scopes=scopes.API_KNOWN, ttl_seconds=60)
    assert row.prefix not in browser.get(PAGE).content.decode()
    for token in (row.pk, "x", ""):
        assert browser.post(PAGE, {"action": "revoke", "token": str(token)}).status_code == 404
    assert ApiToken.objects.get().revoked_at is None


def test_strangers_sign_in_first() -> None:
    assert Client().get(PAGE)["Location"] == f"/accounts/login/?next={PAGE}"
    assert Client(enforce_csrf_checks=True).post(PAGE, {}).status_code == 403
    assert Client().delete(PAGE).status_code in (302, 405)


def test_docs_have_every_operation_and_no_dead_link() -> None:
    response = Client().get("/api/docs")
    text = response.content.decode()
    assert response.status_code == 200
    ids = set(re.findall(r'\bid="([^"]+)"', text))
    assert {operation.name for operation in operations()} <= ids
    assert set(re.findall(r'href="#([^"]+)"', text)) <= ids
    for operation in operations():
        assert f"<code>{operation.path}</code>" in text
    assert "curl -X POST http://127.0.0.1:8000/api/deployments" in text
    assert "<script>" not in text and "style=" not in text
    assert "script-src 'nonce-" in response["Content-Security-Policy"]


def test_the_entrance_leads_to_the_docs(browser: Client) -> None:
    assert browser.get("/api/")["Location"] == "/api/docs"
    assert browser.post("/api/docs").status_code == 405
    assert "/account/api-tokens" in browser.get("/servers/").content.decode()
