"""Who may see and call a deployment, and tokens for its endpoint."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import User
from events.actors import OPERATOR
from hosting.access.grants import ANONYMOUS, permission_grant
from hosting.access.members import member_add
from hosting.models import Deployment
from oauth.models import EndpointToken
from oauth.services import endpoint_token_issue
from tests.factories import make_deployment
from tests.hosting.consent import browser
from tests.hosting.deployment_pages.forms import EVIL, SECRET, field_of, save_inputs

pytestmark = pytest.mark.django_db


def test_members_come_and_go(client: Client, deployment: Deployment, bob: User) -> None:
    path = "/d/alice/time/access"
    assert client.post(path, {"action": "members", "member": "BOB"}).status_code == 302
    assert browser(bob).get("/d/alice/time/").status_code == 200
    unknown = client.post(path, {"action": "members", "member": "nobody\0"})
    assert unknown.status_code == 400
    assert "member" in unknown.context["members_form"].errors
    client.post(path, {"action": "remove_member", "member": "alice"})
    client.post(path, {"action": "remove_member", "member": "bob"})
    assert browser(bob).get("/d/alice/time/").status_code == 404
    client.post(path, {"action": "visibility", "access": "public"})
    assert browser(bob).get("/d/alice/time/").status_code == 200
    assert client.post(path, {"action": "visibility", "access": "all"}).status_code == 400


def test_anonymous_access_takes_a_permission_and_for_secrets_a_confirmation(
    client: Client, deployment: Deployment, alice: User
) -> None:
    path, post = "/d/alice/time/access", {"action": "anonymous", "is_on": "on"}
    assert "which the operator of this site grants" in client.get(path).content.decode()
    refused = client.post(path, post)
    assert refused.status_code == 400
    assert "An operator of this site can grant it" in str(refused.context["anonymous_form"].errors)
    permission_grant(actor=OPERATOR, user=alice, permission=ANONYMOUS)
    save_inputs(client, **{field_of(client, "API_KEY"): SECRET})
    unconfirmed = client.post(path, post)
    assert "shares_credentials" in unconfirmed.context["anonymous_form"].errors
    assert client.post(path, {**post, "shares_credentials": "on"}).status_code == 302
    deployment.refresh_from_db()
    assert (deployment.is_anonymous, deployment.shares_credentials) == (True, True)
    client.post(path, {"action": "anonymous"})
    deployment.refresh_from_db()
    assert deployment.is_anonymous is False


def test_a_token_is_shown_once_and_revoked(client: Client, deployment: Deployment) -> None:
    path = "/d/alice/time/access"
    response = client.post(path, {"action": "token", "ttl": "3600", "note": EVIL})
    token = response.context["issued"]
    assert token.count(".") == 2
    assert token in response.content.decode()
    assert response["Cache-Control"].startswith("max-age=0")
    page = client.get(path).content.decode()
    assert token not in page
    assert EVIL not in page
    row = EndpointToken.objects.get()
    assert row.resource.endswith("/mcp/alice/time")
    client.post(path, {"action": "revoke_token", "token": str(row.pk)})
    row.refresh_from_db()
    assert row.revoked_at is not None
    for ttl in ("0", "86401", "x", ""):
        assert client.post(path, {"action": "token", "ttl": ttl}).status_code == 400
    for odd in ("", "x", str(deployment.pk)):
        assert client.post(path, {"action": "revoke_token", "token": odd}).status_code == 302


def test_members_have_tokens_of_their_own_and_no_more(client: Client, deployment: Deployment, bob: User) -> None:
    member_add(actor=OPERATOR, deployment=deployment, user=bob)
    path, member = "/d/alice/time/access", browser(bob)
    client.post(path, {"action": "token", "ttl": "3600", "note": "of alice"})
    assert member.post(path, {"action": "token", "ttl": "3600", "note": "of bob"}).context["issued"]
    assert [token.note for token in member.get(path).context["tokens"]] == ["of bob"]
    assert len(client.get(path).context["tokens"]) == 2
    of_alice = EndpointToken.objects.get(note="of alice")
    member.post(path, {"action": "revoke_token", "token": str(of_alice.pk)})
    of_alice.refresh_from_db()
    assert of_alice.revoked_at is None
    for action in ("visibility", "anonymous", "members", "remove_member"):
        answer = member.post(path, {"action": action, "access": "public", "member": "bob"})
        assert answer.status_code == 404
    client.post(path, {"action": "revoke_token", "token": str(EndpointToken.objects.get(note="of bob").pk)})
    assert EndpointToken.objects.get(note="of bob").revoked_at is not None


def test_a_token_of_another_server_is_not_revoked_here(client: Client, deployment: Deployment, bob: User) -> None:
    other = make_deployment(bob)
    row, _ = endpoint_token_issue(
        actor=OPERATOR, user=bob, deployment_id=other.pk, resource="x", scopes=["mcp:read"], ttl_seconds=60
    )
    client.post("/d/alice/time/access", {"action": "revoke_token", "token": str(row.pk)})
    row.refresh_from_db()
    assert row.revoked_at is None
