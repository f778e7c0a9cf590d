"""Threat 40: a session that was taken over, or left open, makes no keys and changes no rules."""

from __future__ import annotations

import time
from typing import Any

import pytest
from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from django.test import Client

from accounts.models import User
from accounts.organizations import service_account_create
from accounts.reauthentication import SIGNED_IN_AT
from accounts.services import organization_create
from events.actors import OPERATOR
from oauth.models import ApiToken, Application, ClientPolicy, EndpointToken, TrustedIdp
from tests.accounts.test_organizations import signed_in
from tests.factories import PASSWORD, actor_of, make_deployment, make_user

pytestmark = pytest.mark.django_db

# What is sent where, and what there is more of afterwards.
DEEDS: dict[str, tuple[str, dict[str, Any], Any]] = {
    "API token": ("/account/api-tokens", {"action": "issue", "ttl": 86400, "scopes": "deployments:read"}, ApiToken),
    "endpoint token": ("/d/alice/time/access", {"action": "token", "ttl": 3600}, EndpointToken),
    "endpoint token of the connect panel": ("/d/alice/time/", {"ttl": 3600}, EndpointToken),
    "client of a program": (
        "/organizations/acme/programs", {"action": "client", "account": "Acme-bot", "scopes": "mcp:read"}, Application,
    ),
    "token of a program": (
        "/organizations/acme/programs",
        {"action": "token", "account": "Acme-bot", "ttl": 86400, "scopes": "deployments:read"},
        ApiToken,
    ),
    "trusted provider": (
        "/organizations/acme/identity",
        {"action": "trust", "issuer": "https://a.example", "jwks_uri": "https://a.example/k", "scopes": "mcp:read"},
        TrustedIdp,
    ),
    "rules": ("/organizations/acme/rules", {"action": "rules", "clients": "good.example"}, ClientPolicy),
}  # fmt: skip
GO_ON = {"rules", "trusted provider"}  # by themselves, after it
each_deed = pytest.mark.parametrize("deed", DEEDS)


@pytest.fixture
def alice() -> User:
    user = make_user("alice", password=PASSWORD)
    acme = organization_create(actor=OPERATOR, name="Acme", owner=user)
    service_account_create(actor=actor_of(user), organization=acme, name="bot", role="member")
    make_deployment(user)
    return user


def sign_in() -> Client:
    client = Client()
    assert client.post("/accounts/login/", {"login": "alice", "password": PASSWORD}).status_code == 302
    return client


def let_time_pass(client: Client, seconds: float = 3600) -> None:
    session = client.session
    session[SIGNED_IN_AT] = time.time() - seconds
    for record in session.get(AUTHENTICATION_METHODS_SESSION_KEY, []):
        record["at"] = time.time() - seconds
    session.save()


@each_deed
def test_what_opens_doors_asks_for_the_password_again(alice: User, deed: str) -> None:
    path, sent, made = DEEDS[deed]
    client = sign_in()
    let_time_pass(client)
    answer = client.post(path, sent)
    assert answer.status_code == 302 and answer["Location"].startswith("/accounts/reauthenticate/?next=")
    assert not made.objects.exists()
    wrong = client.post(answer["Location"], {"password": "a guess"})
    assert wrong.status_code == 200 and not made.objects.exists()
    assert client.post(path, sent)["Location"] == answer["Location"]
    done = client.post(answer["Location"], {"password": PASSWORD, "next": path})
    assert done.status_code == 302 and done["Location"].lower().startswith(path)
    if deed not in GO_ON:
        assert client.post(path, sent).status_code == 200
    assert made.objects.count() == 1


@each_deed
def test_who_has_just_signed_in_is_not_asked(alice: User, deed: str) -> None:
    path, sent, made = DEEDS[deed]
    assert "/reauthenticate/" not in sign_in().post(path, sent).get("Location", "")
    assert made.objects.count() == 1


@pytest.mark.parametrize("deed", sorted(DEEDS.keys() - GO_ON))
def test_page_says_so_before_a_form_is_filled_in(alice: User, deed: str) -> None:
    client = sign_in()
    assert "Confirm that it is you" not in client.get(DEEDS[deed][0]).content.decode()
    let_time_pass(client)
    assert "Confirm that it is you" in client.get(DEEDS[deed][0]).content.decode()


def test_taking_back_asks_nothing(alice: User) -> None:
    client = sign_in()
    client.post(*DEEDS["API token"][:2])
    let_time_pass(client)
    client.post("/account/api-tokens", {"action": "revoke", "token": str(ApiToken.objects.get().pk)})
    assert not ApiToken.objects.filter(revoked_at=None).exists()


def test_api_by_a_session_makes_no_keys_either(alice: User) -> None:
    client = sign_in()
    path, sent = "/api/deployments/alice/time/tokens", {"ttl_seconds": 3600, "scopes": ["mcp:read"], "note": ""}
    assert client.post(path, sent, content_type="application/json").status_code == 201
    let_time_pass(client)
    answer = client.post(path, sent, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (403, "confirm_first")
    assert EndpointToken.objects.count() == 1


def test_a_server_is_given_no_secrets_either(alice: User) -> None:
    """Whose address may be known: a secret that is replaced leads its calls to somebody else's account."""
    client = sign_in()
    page, sent = "/d/alice/time/settings", {"section": "inputs", "blank0_name": "API_KEY", "blank0_value": "theirs"}
    let_time_pass(client)
    refused = client.post(page, sent)
    assert refused.status_code == 400 and "Confirm that it is you before" in refused.content.decode()
    assert "Confirm that it is you" in client.get(page).content.decode()
    by_api = client.patch(
        "/api/deployments/alice/time/settings", {"secrets": {"env:API_KEY": "theirs"}}, content_type="application/json"
    )
    assert (by_api.status_code, by_api.json()["code"]) == (403, "confirm_first")
    assert client.post(page, {**sent, "blank0_shown": "on"}).status_code == 302  # plain, and shown there
    assert sign_in().post(page, {**sent, "blank0_name": "OTHER"}).status_code == 302
    assert b"OTHER" in client.get(page).content


def test_each_way_to_sign_in_counts_for_a_while(alice: User) -> None:
    """A one-time link, another site, a passkey: of none of them but the password allauth's page of confirming knows."""
    client = signed_in(alice)
    assert client.post("/account/api-tokens", DEEDS["API token"][1]).status_code == 200
    let_time_pass(client, 601)
    assert "/reauthenticate/" in client.post("/account/api-tokens", DEEDS["API token"][1])["Location"]


def test_who_has_nothing_to_prove_it_with_is_let_pass() -> None:
    """Another site vouches for them, and they can't be sent there again."""
    client = signed_in(make_user("carl"))
    let_time_pass(client)
    assert client.post("/account/api-tokens", DEEDS["API token"][1]).status_code == 200
