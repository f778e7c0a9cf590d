"""Refreshing, revoking, and what else ends a token."""

from __future__ import annotations

import pytest
from django.test import Client

from hosting.models import Deployment
from oauth import consents
from oauth.models import Consent
from tests.factories import make_user
from tests.oauth.flow import Flow, make_client, revoked, verify

pytestmark = pytest.mark.django_db


def test_refresh_rotates_and_ends_what_was_before(flow: Flow) -> None:
    first = flow.connect()
    status, second = flow.refresh(first["refresh_token"], resource=flow.resource)
    assert status == 200
    assert second["refresh_token"] != first["refresh_token"]
    assert verify(second["access_token"], flow.resource).aud == flow.resource
    assert revoked(first["access_token"], flow.resource)
    assert not revoked(second["access_token"], flow.resource)


def test_replayed_refresh_token_ends_the_family(flow: Flow) -> None:
    """Threat 10."""
    first = flow.connect()
    _, second = flow.refresh(first["refresh_token"])
    assert flow.refresh(first["refresh_token"])[1]["error"] == "invalid_grant"
    assert revoked(second["access_token"], flow.resource)
    assert flow.refresh(second["refresh_token"])[1]["error"] == "invalid_grant"


def test_refresh_may_ask_for_less_and_never_for_more(flow: Flow) -> None:
    tokens = flow.connect()
    assert flow.refresh(tokens["refresh_token"], scope="mcp:admin")[1]["error"] == "invalid_scope"
    assert flow.refresh(tokens["refresh_token"], scope="mcp:read")[1]["scope"] == "mcp:read"


def test_refresh_token_only_where_it_was_asked_for(flow: Flow) -> None:
    flow.client_id = make_client("Once", grants=["authorization_code"]).client_id
    assert "refresh_token" not in flow.connect()
    flow.scope = "mcp:read offline_access"
    tokens = flow.connect()
    assert "refresh_token" in tokens
    assert verify(tokens["access_token"], flow.resource).scope == {"mcp:read"}


def test_revoking_ends_both_tokens(flow: Flow) -> None:
    for hint in ("access_token", "refresh_token"):
        tokens = flow.connect()
        sent = {"client_id": flow.client_id, "token": tokens[hint]}
        answer = flow.program.post(
            "/oauth/revoke",
            f"client_id={flow.client_id}&token={sent['token']}",
            content_type="application/x-www-form-urlencoded",
        )
        assert answer.status_code == 200
        assert revoked(tokens["access_token"], flow.resource)
        assert flow.refresh(tokens["refresh_token"])[1]["error"] == "invalid_grant"


def test_another_client_revokes_nothing(flow: Flow) -> None:
    tokens = flow.connect()
    other = make_client("Other").client_id
    answer = flow.program.post(
        "/oauth/revoke",
        f"client_id={other}&token={tokens['access_token']}",
        content_type="application/x-www-form-urlencoded",
    )
    assert answer.status_code == 200
    assert not revoked(tokens["access_token"], flow.resource)


def test_disconnecting_ends_everything(flow: Flow) -> None:
    tokens = flow.connect()
    pending = flow.code()
    page = flow.person.get("/account/apps").content.decode()
    assert "Robo" in page and "alice/time" in page
    consent = Consent.objects.get()
    flow.person.post("/account/apps", {"action": "revoke", "consent": str(consent.pk)})
    assert revoked(tokens["access_token"], flow.resource)
    assert flow.refresh(tokens["refresh_token"])[1]["error"] == "invalid_grant"
    assert flow.redeem(pending)[1]["error"] == "invalid_grant"
    assert "Nothing is connected" in flow.person.get("/account/apps").content.decode()


def test_nobody_disconnects_for_others(flow: Flow) -> None:
    tokens = flow.connect()
    bob = Client()
    bob.force_login(make_user("bob"), backend="django.contrib.auth.backends.ModelBackend")
    for consent in (str(Consent.objects.get().pk), "nonsense", ""):
        assert bob.post("/account/apps", {"action": "revoke", "consent": consent}).status_code == 404
    assert not revoked(tokens["access_token"], flow.resource)


def test_blocked_program_may_not_even_ask(flow: Flow) -> None:
    tokens = flow.connect()
    consent = Consent.objects.get()
    flow.person.post("/account/apps", {"action": "block", "consent": str(consent.pk)})
    assert revoked(tokens["access_token"], flow.resource)
    assert "You have blocked it" in flow.ask().content.decode()
    assert flow.decide().status_code == 403
    flow.person.post("/account/apps", {"action": "unblock", "consent": str(consent.pk)})
    assert flow.connect()


def test_account_that_is_switched_off_gets_nothing_more(flow: Flow) -> None:
    tokens = flow.connect()
    flow.user.is_active = False
    flow.user.save()
    assert revoked(tokens["access_token"], flow.resource)
    assert flow.refresh(tokens["refresh_token"])[1]["error"] == "invalid_grant"


def test_server_that_goes_takes_its_consents_along(flow: Flow, deployment: Deployment) -> None:
    from events.actors import OPERATOR

    tokens = flow.connect()
    consents.consents_revoke_for(actor=OPERATOR, resource_id=deployment.pk)
    assert revoked(tokens["access_token"], flow.resource)
    assert flow.refresh(tokens["refresh_token"])[1]["error"] == "invalid_grant"


def test_member_who_is_none_any_more_gets_no_new_token(flow: Flow, deployment: Deployment) -> None:
    from hosting.models import DeploymentMember

    bob = make_user("bob")
    DeploymentMember.objects.create(deployment=deployment, user=bob)
    theirs = Flow(bob, flow.client_id, flow.resource)
    tokens = theirs.connect()
    DeploymentMember.objects.all().delete()
    assert theirs.refresh(tokens["refresh_token"])[1]["error"] == "invalid_grant"
