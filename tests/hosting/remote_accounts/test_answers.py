"""What an answer to a remote server's sign-in has to be."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from accounts.models import User
from common import clock
from oauth.models import Connection
from tests.factories import make_user
from tests.hosting.consent import callback_of
from tests.hosting.remote_accounts.signing_in import PAGE, agree, refused
from tests.oauth.elsewhere import FakeAuthorizationServer

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_answer_in_the_name_of_another_issuer_gets_no_code_sent_anywhere(
    alices: Client, far: FakeAuthorizationServer
) -> None:
    """Threat 9: mix-up. Nothing leaves for the token endpoint."""
    url = agree(alices)
    page = refused(alices, callback_of(url), far.allow(url, iss="https://honest.example"))
    assert "another site answered" in page
    assert "/token" not in far.paths() and not Connection.objects.exists()
    assert far.allow(url)["state"]  # the state is used up all the same
    refused(alices, callback_of(url), far.allow(url))


def test_an_answer_that_does_not_say_who_answers(alices: Client, far: FakeAuthorizationServer) -> None:
    """Threat 9: where the issuer always says it."""
    url = agree(alices)
    assert "does not say who answers" in refused(alices, callback_of(url), far.allow(url, iss=None))
    assert "/token" not in far.paths()


def test_an_answer_at_another_issuers_address(alices: Client, far: FakeAuthorizationServer) -> None:
    """Threat 9: of an issuer that never says who it is, the address of the answer does."""
    far.metadata["authorization_response_iss_parameter_supported"] = None
    url = agree(alices)
    refused(alices, "/connect/callback/0123456789abcdef", far.allow(url, iss=None))
    assert "/token" not in far.paths()
    url = agree(alices)
    assert alices.get(callback_of(url), far.allow(url, iss=None)).status_code == 302


def test_another_browser_brings_the_answer(alices: Client, alice: User, far: FakeAuthorizationServer) -> None:
    """Threat 2: Alice's own session elsewhere, and no session at all."""
    url = agree(alices)
    other = Client()
    refused(other, callback_of(url), far.allow(url))
    other.force_login(alice)
    refused(other, callback_of(url), far.allow(url))
    other.get(PAGE)  # even one that began to sign in itself
    agree(other)
    refused(other, callback_of(url), far.allow(url))
    assert "/token" not in far.paths()
    assert alices.get(callback_of(url), far.allow(url)).status_code == 302


def test_another_person_brings_the_answer(alices: Client, far: FakeAuthorizationServer) -> None:
    url = agree(alices)
    session = alices.session["remote_accounts"]
    bobs = Client()
    bobs.force_login(make_user("bob"))
    kept = bobs.session
    kept["remote_accounts"] = session
    kept.save()
    refused(bobs, callback_of(url), far.allow(url))
    assert "/token" not in far.paths()


def test_a_state_counts_once_and_for_ten_minutes(
    alices: Client, far: FakeAuthorizationServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = agree(alices)
    said = far.allow(url)
    assert alices.get(callback_of(url), said).status_code == 302
    refused(alices, callback_of(url), {**said, "code": far.allow(url)["code"]})
    url = agree(alices)
    later = clock.now() + timedelta(minutes=11)
    monkeypatch.setattr(clock, "now", lambda: later)
    refused(alices, callback_of(url), far.allow(url))
    assert far.paths().count("/token") == 1


@pytest.mark.parametrize("said", [{}, {"state": ""}, {"state": "x" * 5000, "code": "c"}, {"code": "\0", "state": "\0"}])
def test_an_answer_that_belongs_to_nothing(alices: Client, far: FakeAuthorizationServer, said: dict[str, str]) -> None:
    agree(alices)
    refused(alices, f"/connect/callback/{'0' * 16}", said)
    assert "/token" not in far.paths()


def test_markup_of_others_is_text(alices: Client, far: FakeAuthorizationServer) -> None:
    """Threat 30: what a server elsewhere says is shown on pages of ours, and never as more than words."""
    evil = "<script>alert(1)</script>"
    far.challenge = f'Bearer scope="{evil}"'
    page = alices.get(PAGE)
    assert evil not in page.content.decode() and "Set-Cookie" not in page.headers
    url = agree(alices)
    answer = alices.get(callback_of(url), far.allow(url, code=None, error="x", error_description=evil))
    assert answer.status_code == 400 and evil not in answer.content.decode()
    assert "&lt;script&gt;" in answer.content.decode()
