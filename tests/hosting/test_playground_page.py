"""The Playground's page and its token: who gets one, what it opens, and who is refused."""

from __future__ import annotations

import time

import pytest
from django.core.cache import cache
from django.test import Client

from accounts.models import Membership, User
from accounts.services import organization_create
from events.actors import OPERATOR
from events.models import AuditEntry
from hosting.models import Deployment
from hosting.playground.tokens import LIMIT, TTL_SECONDS
from hosting.routing import resource_url
from hosting.states import State
from mcp_endpoint.lookup import verifier
from oauth.models import EndpointToken
from oauth.selectors import client_names
from oauth.services import PLAYGROUND_CLIENT
from tests.factories import make_deployment, make_user

pytestmark = pytest.mark.django_db
PAGE = "/d/alice/time/playground"
TOKEN = "/d/alice/time/playground/token"


@pytest.fixture(autouse=True)
def _counts_anew() -> None:
    cache.clear()


@pytest.fixture
def deployment(alice: User) -> Deployment:
    return make_deployment(alice)


@pytest.fixture
def client(alice: User, deployment: Deployment) -> Client:
    return as_user(alice)


def as_user(user: User, *, checks: bool = False) -> Client:
    client = Client(enforce_csrf_checks=checks)
    client.force_login(user)
    return client


def test_a_token_opens_this_server_for_this_person_and_ten_minutes(
    client: Client, alice: User, deployment: Deployment
) -> None:
    answer = client.post(TOKEN)
    assert answer.status_code == 200 and "no-store" in answer["Cache-Control"]
    claims = verifier()(answer.json()["token"], resource_url("alice", "time"), time.time())
    row = EndpointToken.objects.get()
    assert (claims.sub, claims.client_id, claims.jti) == (str(alice.pk), PLAYGROUND_CLIENT, row.jti)
    assert claims.scope == {"mcp:read", "mcp:call"}
    assert 0 < claims.exp - time.time() <= TTL_SECONDS == answer.json()["seconds"] == 600
    assert row.deployment_id == deployment.pk
    entry = AuditEntry.objects.get(action="endpoint_token:issue")
    assert (entry.actor, entry.data["ttl_seconds"]) == (f"user:{alice.pk}", 600)
    assert client_names([PLAYGROUND_CLIENT]) == {PLAYGROUND_CLIENT: "Playground"}


def test_it_is_listed_and_revoked_like_others(client: Client) -> None:
    client.post(TOKEN)
    assert "Playground" in client.get("/d/alice/time/access").content.decode()
    client.post("/d/alice/time/access", {"action": "revoke_token", "token": str(EndpointToken.objects.get().pk)})
    assert EndpointToken.objects.get().revoked_at is not None


def test_without_the_sites_own_form_there_is_no_token(alice: User, deployment: Deployment) -> None:
    assert as_user(alice, checks=True).post(TOKEN).status_code == 403
    assert as_user(alice).get(TOKEN).status_code == 405
    assert Client().post(TOKEN).status_code == 302  # to the sign-in page
    assert not EndpointToken.objects.exists()


def test_somebody_elses_server_is_not_there(deployment: Deployment) -> None:
    bob = as_user(make_user("bob"))
    assert [bob.get(PAGE).status_code, bob.post(TOKEN).status_code] == [404, 404]
    assert bob.post("/d/alice/nothing/playground/token").status_code == 404
    assert not EndpointToken.objects.exists()


def test_who_may_only_look_is_told_so(alice: User) -> None:
    acme = organization_create(actor=OPERATOR, name="acme", owner=alice)
    viewer = make_user("vera")
    Membership.objects.create(organization=acme, user=viewer, role="viewer")
    found = make_deployment(alice)
    Deployment.objects.filter(pk=found.pk).update(owner=acme.name)
    client = as_user(viewer)
    page = client.get("/d/acme/time/playground")
    assert page.status_code == 200
    assert "You may look, but not call" in page.content.decode() and "data-playground" not in page.content.decode()
    refused = client.post("/d/acme/time/playground/token")
    assert (refused.status_code, refused.json()["code"]) == (403, "call_forbidden")


def test_too_many_tokens_are_refused_in_words(client: Client) -> None:
    assert {client.post(TOKEN).status_code for _ in range(LIMIT)} == {200}
    refused = client.post(TOKEN)
    assert refused.status_code == 429 and "Try again in" in refused.json()["message"]


def test_a_stopped_server_says_so_and_loads_no_program(client: Client, deployment: Deployment) -> None:
    Deployment.objects.filter(pk=deployment.pk).update(state=State.STOPPED)
    page = client.get(PAGE).content.decode()
    assert "It can&#x27;t be called now" in page or "It can't be called now" in page
    assert "js/playground" not in page


def test_only_this_page_may_play_what_it_made_itself(client: Client) -> None:
    policy = client.get(PAGE)["Content-Security-Policy"]
    assert "media-src 'self' blob:" in policy and "script-src 'nonce-" in policy
    assert "blob:" not in client.get("/d/alice/time/")["Content-Security-Policy"]
