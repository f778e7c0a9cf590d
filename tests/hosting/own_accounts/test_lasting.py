"""Accounts while they last: renewed, away, widened, and asked for again."""

from __future__ import annotations

from datetime import timedelta

import pytest

from accounts.models import User
from common import clock
from events.actors import OPERATOR
from hosting.credentials.accounts import Chosen
from hosting.credentials.personal import brought_for, personal_for
from hosting.models import Deployment, Elicitation
from hosting.remotes import care as account_care
from hosting.waiting.selectors import waiting_count
from oauth.models import Connection
from oauth.outbound.flow import site_peer
from oauth.outbound.providers import provider_put
from tests.hosting.consent import browser, page_of
from tests.hosting.consent import provider_wanted as wanted
from tests.hosting.own_accounts.choosing import KEY, choose, connect, token_of
from tests.oauth.elsewhere import FakeAuthorizationServer

pytestmark = pytest.mark.django_db


def test_a_renewed_token_is_another_mark_and_a_refused_account_is_asked_for_again(
    deployment: Deployment, forge: FakeAuthorizationServer, bob: User
) -> None:
    connect(deployment, bob, forge)
    first, mark = token_of(deployment, bob), brought_for(deployment.pk, bob.pk).mark
    assert personal_for(deployment.pk, bob.pk).personal.mark == mark != ""
    Connection.objects.update(refresh_at=clock.now())
    account_care.accounts_tend()
    second = token_of(deployment, bob)
    assert first != second in forge.good and brought_for(deployment.pk, bob.pk).mark != mark
    forge.refresh.clear()
    Connection.objects.update(refresh_at=clock.now())
    account_care.accounts_tend()
    assert [one.name for one in brought_for(deployment.pk, bob.pk).missing] == ["FORGE_TOKEN"]
    assert token_of(deployment, bob) == ""
    assert waiting_count(bob.pk) == 1, "the page that it has, and nothing twice"
    Elicitation.objects.update(state="done")
    client = browser(bob)
    assert waiting_count(bob.pk) == 1 and "needs your account at" in client.get("/waiting/").content.decode()
    text = client.get(page_of(deployment, bob)).content.decode()
    assert "It needs you again" in text and "does not renew it any more" in text
    connect(deployment, bob, forge)
    assert brought_for(deployment.pk, bob.pk).missing == ()


def test_a_token_that_has_expired_is_renewed_before_it_is_counted(
    deployment: Deployment, forge: FakeAuthorizationServer, bob: User
) -> None:
    connect(deployment, bob, forge)
    Connection.objects.update(expires_at=clock.now() - timedelta(seconds=1))
    mark = brought_for(deployment.pk, bob.pk).mark
    own = personal_for(deployment.pk, bob.pk).personal
    assert own.mark == mark and own.env["FORGE_TOKEN"] in forge.good
    assert sum(asked.form.get("grant_type") == "refresh_token" for asked in forge.asked) == 1
    Connection.objects.update(expires_at=clock.now() - timedelta(seconds=1), refresh_at=None)
    assert brought_for(deployment.pk, bob.pk).missing != ()


def test_a_site_that_is_away_is_not_asked_with_each_call(
    deployment: Deployment, forge: FakeAuthorizationServer, bob: User
) -> None:
    """Each would wait for it as long as an answer may take."""
    connect(deployment, bob, forge)
    Connection.objects.update(expires_at=clock.now() - timedelta(seconds=1))
    forge.asked.clear()
    forge.instead["/token"] = lambda _: (503, {}, b"")
    for _ in range(3):
        assert brought_for(deployment.pk, bob.pk).missing == ()
    assert forge.paths() == ["/token"]
    del forge.instead["/token"]
    Connection.objects.update(refresh_at=clock.now())
    assert token_of(deployment, bob) in forge.good and forge.paths() == ["/token"] * 2


def test_more_scopes_are_asked_for_one_by_one(
    deployment: Deployment, forge: FakeAuthorizationServer, bob: User
) -> None:
    connect(deployment, bob, forge)
    choose(deployment, "repo", "gist")
    assert brought_for(deployment.pk, bob.pk).missing != () and token_of(deployment, bob) == ""
    text = browser(bob).get(page_of(deployment, bob)).content.decode()
    assert "More is wanted than you agreed to: gist." in text and text.count(">new<") == 1
    row = connect(deployment, bob, forge)
    assert row.requested_scopes == ["repo", "gist"] and token_of(deployment, bob)


def test_another_package_gets_no_token_of_what_was_connected_before(
    deployment: Deployment, forge: FakeAuthorizationServer, bob: User
) -> None:
    connect(deployment, bob, forge)
    deployment.versions.update(reference="pypi:another")
    assert brought_for(deployment.pk, bob.pk).missing != () and token_of(deployment, bob) == ""
    text = browser(bob).get(page_of(deployment, bob)).content.decode()
    assert "This is not the server any more that you connected it for" in text and "pypi:another" in text
    connect(deployment, bob, forge)
    assert brought_for(deployment.pk, bob.pk).missing == () and token_of(deployment, bob) in forge.good


def test_another_provider_is_another_account(deployment: Deployment, forge: FakeAuthorizationServer, bob: User) -> None:
    connect(deployment, bob, forge)
    provider_put(site_peer(), actor=OPERATOR, subject_id=None, wanted=wanted(forge, name="second"))
    choose(deployment, chosen={KEY: Chosen("second", ("repo",))})
    assert brought_for(deployment.pk, bob.pk).missing != () and token_of(deployment, bob) == ""
    assert "wants another account now" in browser(bob).get(page_of(deployment, bob)).content.decode()
