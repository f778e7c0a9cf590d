"""An account that a user connects for a server: consent here, then there; whose token goes where, and whose not."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from accounts.models import User
from common import clock
from events.models import AuditEntry
from hosting.credentials.accounts import Chosen
from hosting.credentials.personal import brought_for, personal_for
from hosting.models import Deployment, DeploymentMember
from hosting.routing import placement_for
from oauth.models import Connection, ConnectionAttempt, Provider
from tests.hosting.consent import SECRET, agree, asked_of, browser, callback_of, digest_of, page_of
from tests.hosting.own_accounts.choosing import KEY, choose, connect, token_of
from tests.oauth.elsewhere import FakeAuthorizationServer

pytestmark = pytest.mark.django_db


def test_consent_here_then_there_and_the_token_is_the_users_alone(
    deployment: Deployment, provider: Provider, forge: FakeAuthorizationServer, alice: User, bob: User
) -> None:
    assert [one.name for one in brought_for(deployment.pk, bob.pk).missing] == ["FORGE_TOKEN"]
    client, page = browser(bob), page_of(deployment, bob)
    shown = client.get(page)
    assert f"form-action 'self' {forge.url}" in shown["Content-Security-Policy"], "a browser may follow the redirect"
    text = shown.content.decode()
    assert "Connect your account at The Forge" in text and "<code>repo</code>" in text and "the operator" in text
    assert f"127.0.0.1:{forge.port}" in text and 'name="v0"' not in text and SECRET not in text
    assert not ConnectionAttempt.objects.exists() and forge.asked == []
    url = agree(client, page, KEY)
    asked = asked_of(url)
    assert url.startswith(f"{forge.url}/authorize?") and asked["client_id"] == "slipway" and asked["scope"] == "repo"
    assert asked["code_challenge_method"] == "S256" and "resource" not in asked
    assert asked["redirect_uri"].endswith(f"/connect/callback/{provider.server['callback']}")
    answer = client.get(callback_of(url), forge.allow(url, iss=None))
    assert answer["Location"] == page
    row = Connection.objects.get()
    assert (row.user_id, row.name, row.provider_id, row.server_url) == (bob.pk, KEY, provider.pk, "")
    token = token_of(deployment, bob)
    assert token in forge.good and token in personal_for(deployment.pk, bob.pk).personal.tokens
    assert brought_for(deployment.pk, bob.pk).missing == ()
    # Row 26: another user has none of it, and neither has what is for everybody.
    assert [one.name for one in brought_for(deployment.pk, alice.pk).missing] == ["FORGE_TOKEN"]
    assert token_of(deployment, alice) == "" and "FORGE_TOKEN" not in placement_for(deployment.pk)[1].env
    assert token not in str(list(Connection.objects.values())) + str(list(AuditEntry.objects.values()))
    assert AuditEntry.objects.filter(action="account:connect").get().data["name"] == KEY
    assert AuditEntry.objects.filter(action="account:use").exists()


# --- row 2: what an answer is worth


def test_a_state_of_before_the_consent_is_none(
    deployment: Deployment, forge: FakeAuthorizationServer, bob: User
) -> None:
    """Whatever somebody brings to the callback before Connect was pressed was never made here."""
    client, page = browser(bob), page_of(deployment, bob)
    client.get(page)
    key = Provider.objects.get().server["callback"]
    for state in ("", "x", "A" * 43):
        assert client.get(f"/connect/callback/{key}", {"code": "c", "state": state}).status_code == 400
    assert not Connection.objects.exists() and "/token" not in forge.paths()


def test_an_answer_counts_once_in_that_browser_for_that_user(
    deployment: Deployment, forge: FakeAuthorizationServer, alice: User, bob: User
) -> None:
    client, page = browser(bob), page_of(deployment, bob)
    url = agree(client, page, KEY)
    said = forge.allow(url, iss=None)
    for other in (browser(bob), browser(alice), Client()):
        assert other.get(callback_of(url), said).status_code == 400
    assert "/token" not in forge.paths()
    assert client.get(callback_of(url), said).status_code == 302
    assert client.get(callback_of(url), said).status_code == 400
    assert forge.paths().count("/token") == 1


def test_a_foreign_issuer_or_address_gets_no_code(
    deployment: Deployment, forge: FakeAuthorizationServer, bob: User
) -> None:
    client, page = browser(bob), page_of(deployment, bob)
    url = agree(client, page, KEY)
    assert client.get(callback_of(url), forge.allow(url, iss="https://evil.example")).status_code == 400
    url = agree(client, page, KEY)
    assert client.get("/connect/callback/0123456789abcdef", forge.allow(url, iss=None)).status_code == 400
    url = agree(client, page, KEY)
    ConnectionAttempt.objects.update(expires_at=clock.now() - timedelta(seconds=1))
    assert client.get(callback_of(url), forge.allow(url, iss=None)).status_code == 400
    assert "/token" not in forge.paths() and not Connection.objects.exists()


def test_nothing_is_redeemed_for_a_page_that_is_over_or_a_server_that_is_lost(
    deployment: Deployment, forge: FakeAuthorizationServer, bob: User
) -> None:
    client, page = browser(bob), page_of(deployment, bob)
    url = agree(client, page, KEY)
    client.post(page, {"action": "decline"})
    assert client.get(callback_of(url), forge.allow(url, iss=None)).status_code == 410
    url = agree(client, page_of(deployment, bob), KEY)
    choose(deployment, chosen={"env:OTHER_TOKEN": Chosen("forge")})
    assert client.get(callback_of(url), forge.allow(url, iss=None)).status_code == 409
    choose(deployment)
    url = agree(client, page_of(deployment, bob), KEY)
    DeploymentMember.objects.all().delete()
    assert client.get(callback_of(url), forge.allow(url, iss=None)).status_code == 404
    assert "/token" not in forge.paths()


def test_nobody_is_sent_away_from_a_page_that_is_over(
    deployment: Deployment, forge: FakeAuthorizationServer, bob: User
) -> None:
    client, page = browser(bob), page_of(deployment, bob)
    digest = digest_of(client.get(page).content.decode())
    client.post(page, {"action": "decline"})
    assert client.post(f"{page}/connect", {"key": KEY, "digest": digest})["Location"] == page
    assert not ConnectionAttempt.objects.exists()


def test_only_its_user_agrees_and_only_to_what_was_shown(
    deployment: Deployment, forge: FakeAuthorizationServer, alice: User, bob: User
) -> None:
    client, page = browser(bob), page_of(deployment, bob)
    digest = digest_of(client.get(page).content.decode())
    assert browser(alice).post(f"{page}/connect", {"key": KEY, "digest": digest}).status_code == 404
    assert Client(enforce_csrf_checks=True).post(f"{page}/connect").status_code == 403
    choose(deployment, "repo", "admin")
    for data in ({"key": KEY, "digest": digest}, {"key": "env:OTHER", "digest": digest}, {"key": KEY}, {}):
        assert client.post(f"{page}/connect", data)["Location"] == page
    assert client.get(f"{page}/connect").status_code == 405
    assert not ConnectionAttempt.objects.exists()


def test_who_is_not_signed_in_connects_and_disconnects_nothing(
    deployment: Deployment, forge: FakeAuthorizationServer, bob: User
) -> None:
    page = page_of(deployment, bob)
    digest = digest_of(browser(bob).get(page).content.decode())
    answer = Client().post(f"{page}/connect", {"key": KEY, "digest": digest})
    assert answer.status_code == 302 and answer["Location"].startswith("/accounts/login/")
    assert not ConnectionAttempt.objects.exists()
    connect(deployment, bob, forge)
    answer = Client().post(f"/credentials/{deployment.pk}/disconnect", {"key": KEY})
    assert answer.status_code == 302 and answer["Location"].startswith("/accounts/login/")
    assert Connection.objects.get().state == "connected"
