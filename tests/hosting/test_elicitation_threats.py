"""Whose page it is, whatever address somebody opens (threats 21 and 22): refused, and nothing has changed."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest
from django.test import Client

from accounts.models import User
from common import clock, ids
from hosting.credentials.eliciting import elicitation_decline, elicitation_open
from hosting.models import Deployment, Elicitation
from tests.factories import actor_of, make_user
from tests.hosting.consent import browser
from tests.hosting.waiting import make_asking
from vault.models import Secret

pytestmark = pytest.mark.django_db
VALUE = "hunter2-hunter2"
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@pytest.fixture
def deployment(alice: User, bob: User) -> Deployment:
    return make_asking(alice, bob)


def page_for(deployment: Deployment, user: User) -> Elicitation:
    return elicitation_open(user_id=user.pk, client_id="cli", deployment_id=deployment.pk)


def statuses(who: Client, path: str) -> set[int]:
    """Of opening, answering and declining."""
    return {
        who.get(path).status_code,
        who.post(path, {"v0": VALUE}).status_code,
        who.post(path, {"action": "decline"}).status_code,
    }


def test_u3_threat_21_a_link_that_was_passed_on_opens_for_nobody_else(
    deployment: Deployment, alice: User, bob: User
) -> None:
    hers, his = page_for(deployment, alice), page_for(deployment, bob)
    assert statuses(browser(bob), f"/elicit/{hers.pk}") == {404}, "Bob may use the same server"
    assert statuses(browser(make_user("eve")), f"/elicit/{hers.pk}") == {404}
    for page in (hers, his):
        page.refresh_from_db()
        assert (page.state, page.ended_at) == ("open", None)
    assert not Secret.objects.exists()
    assert browser(alice).get(f"/elicit/{hers.pk}").status_code == 200


def test_threat_22_edited_and_guessed_addresses_open_nothing(deployment: Deployment, alice: User, bob: User) -> None:
    pages = {page_for(deployment, alice).pk, page_for(deployment, bob).pk}
    client, (own,) = browser(bob), Elicitation.objects.filter(user=bob).values_list("pk", flat=True)
    assert len(own) * 6 >= 128 and len({ids.random_token() for _ in range(100)}) == 100
    flipped = {
        own[:at] + ALPHABET[(ALPHABET.index(own[at]) ^ bit) % 64] + own[at + 1 :]
        for at, bit in itertools.product(range(0, len(own), 5), (1, 32))
    }
    assert own not in flipped
    for each in (*flipped, own[:-1], own + "A", own.swapcase(), str(bob.pk), str(deployment.pk), "%00", "..%2F" + own):
        assert client.get(f"/elicit/{each}").status_code == 404, each
        assert client.post(f"/elicit/{each}", {"v0": VALUE}).status_code == 404, each
    assert set(Elicitation.objects.filter(state="open").values_list("pk", flat=True)) == pages
    assert not Secret.objects.exists()


@pytest.mark.parametrize("how", ["late", "declined", "done", "swept"])
def test_threat_22_a_page_that_is_over_takes_nothing(deployment: Deployment, bob: User, how: str) -> None:
    page = page_for(deployment, bob)
    if how == "declined":
        elicitation_decline(actor=actor_of(bob), elicitation=page)
    elif how == "late":
        Elicitation.objects.update(expires_at=clock.now() - timedelta(seconds=1))
    else:
        Elicitation.objects.update(state="done" if how == "done" else "expired", ended_at=clock.now())
    before = Elicitation.objects.values_list("state", "ended_at").get()
    client = browser(bob)
    for given in ({"v0": VALUE}, {"action": "decline"}):
        assert client.post(f"/elicit/{page.pk}", given).status_code == 410
    assert Elicitation.objects.values_list("state", "ended_at").get() == before
    assert not Secret.objects.exists()
