"""Clients whose id is a document's URL: fetched through the guarded door, kept, noticed when it changes."""

from __future__ import annotations

from typing import Any

import pytest

from common import clock
from events.actors import OPERATOR
from hosting.models import Deployment
from oauth.clients.documents import id_refusal
from oauth.clients.services import client_block
from oauth.models import Application, ClientProfile, Consent
from tests.factories import owner_of
from tests.oauth.flow import CALLBACK, Flow, resource_of
from tests.oauth.peers import WebHost

pytestmark = pytest.mark.django_db


@pytest.fixture
def document(web: WebHost) -> dict[str, Any]:
    return {"client_id": f"{web.url}/client.json", "client_name": "Robo", "redirect_uris": [CALLBACK]}


@pytest.fixture
def flow(deployment: Deployment, document: dict[str, Any]) -> Flow:
    return Flow(owner_of(deployment), document["client_id"], resource_of(deployment))


def stale(flow: Flow) -> None:
    ClientProfile.objects.update(expires_at=clock.now())


def test_program_with_a_document_connects(web: WebHost, document: dict[str, Any], flow: Flow) -> None:
    web.put("/client.json", {**document, "grant_types": ["authorization_code", "refresh_token"]})
    page = flow.ask().content.decode()
    assert "localhost" in page
    assert "Not verified" in page  # its answers go to this computer, where anybody could claim to be it
    tokens = flow.connect()
    assert flow.refresh(tokens["refresh_token"])[0] == 200
    assert web.asked == ["/client.json"]  # once: it is fresh


def test_host_that_gets_its_own_answers_is_verified(web: WebHost, document: dict[str, Any], flow: Flow) -> None:
    flow.redirect_uri = f"{web.url}/callback"
    web.put("/client.json", {**document, "redirect_uris": [flow.redirect_uri]})
    assert "Not verified" not in flow.ask().content.decode()


def test_nothing_is_fetched_for_nobody(web: WebHost, document: dict[str, Any], flow: Flow) -> None:
    """Threat 18: the token endpoint knows a client or refuses it; the consent page wants a person first."""
    web.put("/client.json", document)
    from django.test import Client

    assert Client().get("/oauth/authorize", flow.asked).status_code == 302
    assert flow.redeem("code")[1]["error"] == "invalid_client"
    assert web.asked == []


@pytest.mark.parametrize(
    "change",
    [
        {"client_id": "https://localhost/other.json"},
        {"client_id": None},
        {"client_name": ""},
        {"redirect_uris": []},
        {"redirect_uris": "x"},
        {"redirect_uris": ["javascript:alert(1)"]},
        {"redirect_uris": ["http://evil.example/cb"]},
        {"redirect_uris": ["robo://callback"]},
        {"client_secret": "x"},
        {"client_secret_expires_at": 0},
        {"token_endpoint_auth_method": "client_secret_basic"},
        {"token_endpoint_auth_method": "private_key_jwt"},
        {"token_endpoint_auth_method": "private_key_jwt", "jwks_uri": "http://localhost/keys"},
        {"token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": [{"kty": "oct", "k": "AA"}]}},
        {"grant_types": ["client_credentials"]},
        {"response_types": ["token"]},
    ],
)
def test_bad_documents_make_no_client(web: WebHost, document: dict[str, Any], flow: Flow, change: Any) -> None:
    web.put("/client.json", {**document, **change})
    assert flow.ask().status_code == 400
    assert not Application.objects.exists()


@pytest.mark.parametrize(
    ("status", "body", "fields"),
    [
        (404, b"{}", {}),
        (302, b"", {"Location": "/other.json"}),
        (200, b"not json", {}),
        (200, b"[]", {}),
        (200, b"{}", {"Content_Type": "text/html"}),
        (200, b'{"a": "' + b"x" * 20_000 + b'"}', {}),
    ],
)
def test_bad_answers_make_no_client(
    web: WebHost, document: dict[str, Any], flow: Flow, status: int, body: bytes, fields: dict[str, str]
) -> None:
    web.put("/other.json", document)
    web.put("/client.json", body, status, **fields)
    assert flow.ask().status_code == 400
    assert not Application.objects.exists()
    assert "/other.json" not in web.asked


def test_failure_is_not_asked_for_again_at_once(web: WebHost, document: dict[str, Any], flow: Flow) -> None:
    """Threat 18."""
    for _ in range(3):
        assert flow.ask().status_code == 400
    assert web.asked == ["/client.json"]


def test_one_person_can_not_have_us_fetch_without_end(web: WebHost, flow: Flow) -> None:
    """Threat 18."""
    for number in range(40):
        flow.client_id = f"{web.url}/{number}.json"
        flow.ask()
    assert len(web.asked) <= 20
    assert flow.ask().status_code == 429


def test_private_addresses_are_not_fetched(web: WebHost, document: dict[str, Any], flow: Flow, settings: Any) -> None:
    """Threat 16: the door's own tests have the rest of the table."""
    web.put("/client.json", document)
    settings.SLIPWAY_EGRESS_PRIVATE = []
    assert flow.ask().status_code == 400
    assert web.asked == []


def test_changed_redirects_end_what_was_allowed(web: WebHost, document: dict[str, Any], flow: Flow) -> None:
    web.put("/client.json", {**document, "grant_types": ["authorization_code", "refresh_token"]})
    tokens = flow.connect()
    web.put("/client.json", {**document, "redirect_uris": [CALLBACK, "https://evil.example/cb"]})
    stale(flow)
    flow.ask()
    assert Consent.objects.get().revoked_at is not None
    assert flow.refresh(tokens["refresh_token"])[1]["error"] == "invalid_grant"


def test_changed_name_ends_nothing(web: WebHost, document: dict[str, Any], flow: Flow) -> None:
    web.put("/client.json", document)
    flow.connect()
    web.put("/client.json", {**document, "client_name": "Robo 2"})
    stale(flow)
    assert "Robo 2" in flow.ask().content.decode()
    assert Consent.objects.get().revoked_at is None


def test_change_between_page_and_decision_is_shown_first(web: WebHost, document: dict[str, Any], flow: Flow) -> None:
    web.put("/client.json", document)
    flow.ask()
    web.put("/client.json", {**document, "redirect_uris": [CALLBACK, "https://other.example/cb"]})
    stale(flow)
    before = ClientProfile.objects.get().digest
    answer = flow.person.post(
        "/oauth/authorize", {"decision": "allow", "digest": before, "scope": "mcp:read"}, query_params=flow.asked
    )
    assert answer.status_code == 409


def test_known_client_outlives_a_document_that_is_away(web: WebHost, document: dict[str, Any], flow: Flow) -> None:
    web.put("/client.json", document)
    flow.connect()
    del web.pages["/client.json"]
    stale(flow)
    assert flow.ask().status_code == 200


def test_block_stops_a_client_that_is_known_already(web: WebHost, document: dict[str, Any], flow: Flow) -> None:
    web.put("/client.json", {**document, "grant_types": ["authorization_code", "refresh_token"]})
    tokens = flow.connect()
    client_block(actor=OPERATOR, client_id=flow.client_id)
    assert flow.ask().status_code == 400
    assert flow.refresh(tokens["refresh_token"])[0] in (400, 401)


@pytest.mark.parametrize(
    ("control", "seconds"),
    [("max-age=60", 300), ("max-age=600", 600), ("max-age=999999999", 86_400), ("no-store", 300), ("", 86_400)],
)
def test_freshness_has_bounds(web: WebHost, document: dict[str, Any], flow: Flow, control: str, seconds: int) -> None:
    web.put("/client.json", document, Cache_Control=control)
    flow.ask()
    expires = ClientProfile.objects.get().expires_at
    assert expires is not None
    assert abs((expires - clock.now()).total_seconds() - seconds) < 10


@pytest.mark.parametrize(
    "client_id",
    [
        "https://a.example",
        "https://a.example/",
        "HTTPS://a.example/c",
        "https://A.example/c",
        "https://a.example/../c",
        "https://a.example/./c",
        "https://u@a.example/c",
        "https://a.example/c#f",
        "https://a.example/c?q=1",
        "https://a.example:99999/c",
        "https://[/c",
        "https://a.example/" + "c" * 200,
        "https://ä.example/c",
        "https:///c",
    ],
)
def test_ids_that_are_none(client_id: str) -> None:
    assert id_refusal(client_id)
