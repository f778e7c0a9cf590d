"""Dynamic registration: what is taken, what is left out, and what becomes of it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from common import clock
from hosting.models import Deployment
from oauth.cleaning import purge
from oauth.models import Application, ClientProfile
from tests.oauth.flow import CALLBACK, Flow, resource_of

pytestmark = pytest.mark.django_db

CURSOR = {
    "client_name": "Cursor",
    "redirect_uris": [
        "cursor://anysphere.cursor-mcp/oauth/callback",
        "https://www.cursor.com/agents/mcp/oauth/callback",
        "http://localhost:8787/callback",
    ],
    "grant_types": ["authorization_code", "refresh_token"],
    "response_types": ["code"],
    "token_endpoint_auth_method": "none",
}


def register(**said: Any) -> tuple[int, dict[str, Any]]:
    body = json.dumps({"client_name": "Robo", "redirect_uris": [CALLBACK], **said})
    answer = Client(enforce_csrf_checks=True).post("/oauth/register", body, content_type="application/json")
    assert answer["Access-Control-Allow-Origin"] == "*"
    return answer.status_code, answer.json()


def test_cursor_registers_as_it_does(deployment: Deployment) -> None:
    status, said = register(**CURSOR)
    assert status == 201
    assert {name: said[name] for name in CURSOR} == CURSOR
    assert "client_secret" not in said
    assert not said["client_id"].startswith("https://")
    user = deployment.owner.user
    assert user is not None
    for uri in CURSOR["redirect_uris"]:
        flow = Flow(user, said["client_id"], resource_of(deployment), redirect_uri=uri)
        page = flow.ask()
        assert "Not verified" in page.content.decode()
        answer = flow.decide()
        assert answer["Location"].startswith(uri)
    assert (
        "cursor:"
        in Flow(user, said["client_id"], redirect_uri=CURSOR["redirect_uris"][0]).ask()["Content-Security-Policy"]
    )


def test_client_with_a_secret_has_to_show_it(deployment: Deployment) -> None:
    _, said = register(token_endpoint_auth_method="client_secret_post", grant_types=["authorization_code"])
    user = deployment.owner.user
    assert user is not None
    flow = Flow(user, said["client_id"], resource_of(deployment))
    assert flow.redeem(flow.code())[1]["error"] == "invalid_client"
    assert flow.redeem(flow.code(), client_secret="wrong")[1]["error"] == "invalid_client"
    flow.secret = said["client_secret"]
    assert flow.redeem(flow.code())[0] == 200
    assert flow.secret not in str(list(Application.objects.values()))


def test_what_is_not_offered_is_left_out() -> None:
    grants = [
        "authorization_code",
        "refresh_token",
        "urn:ietf:params:oauth:grant-type:device_code",
        "client_credentials",
    ]
    status, said = register(grant_types=grants, response_types=["code", "token"], scope="openid", foo="bar")
    assert status == 201
    assert said["grant_types"] == ["authorization_code", "refresh_token"]
    assert said["response_types"] == ["code"]
    assert said["token_endpoint_auth_method"] == "client_secret_basic"


@pytest.mark.parametrize(
    "change",
    [
        {"redirect_uris": []},
        {"redirect_uris": None},
        {"redirect_uris": "x"},
        {"redirect_uris": [1]},
        {"redirect_uris": ["javascript:alert(1)"]},
        {"redirect_uris": ["data:text/html,x"]},
        {"redirect_uris": ["http://evil.example/cb"]},
        {"redirect_uris": ["https://*.example/cb"]},
        {"redirect_uris": ["https://a.example/cb#x"]},
        {"redirect_uris": ["https://u:p@a.example/cb"]},
        {"redirect_uris": ["cursor://evil/oauth/callback"]},
        {"redirect_uris": ["cursor://anysphere.cursor-mcp/oauth/callback?x=1"]},
        {"redirect_uris": ["https://a.example/cb x"]},
        {"redirect_uris": [f"https://a.example/{n}" for n in range(30)]},
        {"redirect_uris": ["https://a.example/" + "x" * 600]},
        {"redirect_uris": [CALLBACK, "robo://cb"]},
        {"grant_types": ["client_credentials"]},
        {"grant_types": []},
        {"response_types": ["token"]},
        {"token_endpoint_auth_method": "private_key_jwt", "jwks_uri": "https://a.example/keys"},
        {"token_endpoint_auth_method": "made_up"},
        {"client_name": ["x"]},
    ],
)
def test_bad_registrations_are_refused(change: dict[str, Any]) -> None:
    status, said = register(**change)
    assert status == 400
    assert said["error"] in ("invalid_redirect_uri", "invalid_client_metadata")
    assert not Application.objects.exists()


@pytest.mark.parametrize("body", [b"", b"[]", b"nonsense", b"\xff", b"null"])
def test_bad_bodies_are_refused(body: bytes) -> None:
    answer = Client().post("/oauth/register", body, content_type="application/json")
    assert answer.status_code == 400
    assert Client().post("/oauth/register", b"x" * 70_000, content_type="application/json").status_code == 413


def test_name_is_one_plain_line() -> None:
    _, said = register(client_name="Good\u202egnp.\nBank\x00   <b>x</b>" + "y" * 300)
    assert said["client_name"].startswith("Goodgnp. Bank <b>x</b>") or said["client_name"].startswith("Goodgnp.Bank")
    assert len(said["client_name"]) <= 100


def test_flood_is_stopped_and_cleared_away() -> None:
    """Threat 19."""
    answers = [register()[0] for _ in range(40)]
    assert answers.count(201) <= 30
    assert answers[-1] == 429
    ClientProfile.objects.update(created_at=clock.now() - timedelta(days=8))
    purge()
    assert not Application.objects.exists()


def test_used_clients_stay_while_they_are_used(deployment: Deployment) -> None:
    _, said = register(token_endpoint_auth_method="none")
    user = deployment.owner.user
    assert user is not None
    Flow(user, said["client_id"], resource_of(deployment)).connect()
    ClientProfile.objects.update(created_at=clock.now() - timedelta(days=80))
    purge()
    assert Application.objects.exists()
    ClientProfile.objects.update(last_used_at=clock.now() - timedelta(days=31))
    purge()
    assert not Application.objects.exists()


def test_registration_can_be_closed(settings: Any) -> None:
    settings.SLIPWAY_CLIENT_REGISTRATION = "closed"
    assert register()[0] == 404
    assert "registration_endpoint" not in Client().get("/.well-known/oauth-authorization-server").json()
