"""The account of a remote server: its owner agrees here, signs in there, and calls go out with what came back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import connections
from django.test import Client

from accounts.models import User
from common import clock
from events.models import AuditEntry
from hosting import services
from hosting.configuration.configuring import deployment_settings_set
from hosting.kinds.declared import Declared, to_json
from hosting.looks.inspection import deployment_inspect
from hosting.models import Deployment, DeploymentVersion
from hosting.remotes import care as account_care
from oauth.models import Connection, ConnectionAttempt
from tests.factories import actor_of, make_runner, make_user
from tests.hosting.conftest import RunnerProcess
from tests.hosting.consent import asked_of, callback_of, digest_of
from tests.hosting.remote_accounts.signing_in import PAGE, agree, bearer, connect, refused
from tests.oauth.elsewhere import Answer, Asked, FakeAuthorizationServer

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_page_says_plainly_who_and_where(alices: Client, far: FakeAuthorizationServer) -> None:
    page = alices.get(PAGE).content.decode()
    assert f"<strong>127.0.0.1:{far.port}</strong>" in page
    assert far.resource in page and "<code>mcp:read</code>" in page
    assert "/register" not in far.paths() and "/token" not in far.paths()
    assert not ConnectionAttempt.objects.exists()


def test_consent_here_sign_in_there_and_calls_go_out_with_the_token(
    alices: Client, far: FakeAuthorizationServer, deployment: Deployment
) -> None:
    assert bearer(deployment) == ""
    url = agree(alices)
    sent = asked_of(url)
    assert url.startswith(f"{far.url}/authorize?")
    assert (sent["resource"], sent["scope"], sent["code_challenge_method"]) == (far.resource, "mcp:read", "S256")
    answer = alices.get(callback_of(url), far.allow(url))
    assert answer.status_code == 302 and answer["Location"] == "/d/alice/far/"
    assert bearer(deployment) in far.good
    row = Connection.objects.get()
    assert (row.issuer, row.scopes, row.client_source) == (far.url, ["mcp:read"], "registered")
    assert AuditEntry.objects.filter(action="deployment:connect_account").count() == 1
    page = alices.get("/d/alice/far/").content.decode()
    assert "Signed in at" in page and bearer(deployment) not in page


def test_neither_tokens_nor_secrets_are_stored_readably(
    alices: Client, far: FakeAuthorizationServer, deployment: Deployment
) -> None:
    url = agree(alices)
    attempt = ConnectionAttempt.objects.get()
    state = asked_of(url)["state"]
    shown = json.dumps([str(value) for value in vars(attempt).values()])
    assert state not in shown and next(iter(far.clients.values())) not in shown
    alices.get(callback_of(url), far.allow(url))
    row = Connection.objects.get()
    stored = bytes(row.sealed) + json.dumps([str(value) for value in vars(row).values()]).encode()
    for secret in (*far.good, *far.refresh, *far.clients.values()):
        assert secret.encode() not in stored
    assert bearer(deployment) not in json.dumps(list(AuditEntry.objects.values_list("data", flat=True)))


def test_the_runner_calls_with_the_account_and_takes_a_new_token_while_it_runs(
    alices: Client, far: FakeAuthorizationServer, deployment: Deployment, start_runner: Any
) -> None:
    runner: RunnerProcess = start_runner("r1", "--networks", "127.0.0.0/8", "--ports", str(far.port))
    make_runner(address=runner.address)
    deployment_inspect(deployment.pk)
    deployment.refresh_from_db()
    assert deployment.state == "failed" and "asks for sign-in" in deployment.reason
    assert "Sign in there" in alices.get("/d/alice/far/").content.decode()
    connect(alices, far)
    deployment_inspect(deployment.pk)
    deployment.refresh_from_db()
    assert deployment.state == "running"
    before = bearer(deployment)
    Connection.objects.update(refresh_at=clock.now())
    far.good.clear()
    account_care.accounts_tend()
    after = bearer(deployment)
    assert after != before and far.good == {after}
    far.asked.clear()
    deployment_inspect(deployment.pk)
    deployment.refresh_from_db()
    assert deployment.state == "running", deployment.reason
    assert {asked.headers.get("authorization") for asked in far.asked} == {f"Bearer {after}"}


def test_nobody_signs_in_to_an_address_with_a_secret_in_it(
    alices: Client, alice: User, far: FakeAuthorizationServer, deployment: Deployment
) -> None:
    """It would stand in the database and the audit, and in the address that the browser is sent to."""
    room = Declared(name="room", where="variable", is_required=True, is_secret=True)
    DeploymentVersion.objects.update(remote={"url": f"{far.resource}?room={{room}}"}, declared=to_json([room]))
    deployment = Deployment.objects.select_related("owner", "current_version").get()
    deployment_settings_set(actor=actor_of(alice), deployment=deployment, secrets={"variable:room": "hunter2-hunter2"})
    far.asked.clear()
    page = alices.get(PAGE)
    assert "has a secret in it" in page.content.decode() and "hunter2" not in page.content.decode()
    assert alices.post(PAGE, {"digest": "0" * 64}).status_code == 409
    assert far.asked == [] and not ConnectionAttempt.objects.exists()


# --- what is agreed to is what happens


def test_an_offer_that_changed_is_read_again(alices: Client, far: FakeAuthorizationServer) -> None:
    page = alices.get(PAGE).content.decode()
    digest = digest_of(page)
    far.challenge = 'Bearer scope="mcp:read everything"'
    answer = alices.post(PAGE, {"digest": digest})
    assert answer.status_code == 409 and "Please read it again" in answer.content.decode()
    assert not ConnectionAttempt.objects.exists()


@pytest.mark.parametrize("digest", ["", "x", "0" * 64, "0" * 70_000])
def test_a_bad_body_connects_nothing(alices: Client, far: FakeAuthorizationServer, digest: str) -> None:
    assert alices.post(PAGE, {"digest": digest}).status_code in (400, 409)
    assert not ConnectionAttempt.objects.exists()


def test_only_who_manages_it_signs_in_for_it(alices: Client, deployment: Deployment) -> None:
    Deployment.objects.update(access="public")
    bobs = Client()
    bobs.force_login(make_user("bob"))
    for path in (PAGE, "/d/alice/far/account/disconnect", "/d/alice/none/account"):
        assert bobs.get(path).status_code in (404, 405)
        assert bobs.post(path, {"digest": "0" * 64}).status_code == 404
    assert "Account there" not in bobs.get("/d/alice/far/").content.decode()
    assert Client().get(PAGE).status_code == 302  # to sign in here


def test_who_lost_the_server_meanwhile_connects_nothing(
    alices: Client, far: FakeAuthorizationServer, deployment: Deployment
) -> None:
    url = agree(alices)
    services.deployment_delete(actor=actor_of(User.objects.get(username="alice")), deployment=deployment)
    assert alices.get(callback_of(url), far.allow(url)).status_code == 404
    assert "/token" not in far.paths()


def test_an_account_of_a_server_that_is_deleted_meanwhile_is_revoked(
    alices: Client, far: FakeAuthorizationServer, deployment: Deployment
) -> None:
    url, alice = agree(alices), User.objects.get(username="alice")

    def answer(asked: Asked) -> Answer:
        try:
            services.deployment_delete(actor=actor_of(alice), deployment=deployment)
        finally:
            connections.close_all()  # this thread's
        del far.instead["/token"]
        return far.answer(asked)

    far.instead["/token"] = answer
    assert alices.get(callback_of(url), far.allow(url)).status_code == 404
    account_care.accounts_tend()
    assert len(far.revoked) == 1 and not Connection.objects.exists()


def test_a_page_says_what_is_wrong_there(alices: Client, far: FakeAuthorizationServer) -> None:
    for problem in ({"issuer": "https://honest.example"}, {"code_challenge_methods_supported": ["plain"]}):
        far.metadata = problem
        page = alices.get(PAGE).content.decode()
        assert "Nobody can sign in there now" in page and 'name="digest"' not in page
    far.metadata, far.protected = {}, {"resource": "https://other.example/mcp"}
    assert "which is another one" in alices.get(PAGE).content.decode()


def test_a_client_that_was_registered_by_hand(alices: Client, far: FakeAuthorizationServer) -> None:
    far.metadata["registration_endpoint"] = None
    far.clients["by-hand"] = "s3cret/&="
    page = alices.get(PAGE).content.decode()
    assert "does not let programs register themselves" in page and "/connect/callback/" in page
    digest = digest_of(page)
    assert alices.post(PAGE, {"digest": digest}).status_code == 400
    url = agree(alices, client_id="by-hand", client_secret="wrong")
    refused(alices, callback_of(url), far.allow(url))
    far.clients["by-hand"] = "s3cret"
    url = agree(alices, client_id="by-hand", client_secret="s3cret")
    assert alices.get(callback_of(url), far.allow(url)).status_code == 302
    row = Connection.objects.get()
    assert (row.client_id, row.client_source) == ("by-hand", "given")
    assert "s3cret" not in alices.get(PAGE).content.decode()
    again = agree(alices)  # it is known from now on
    assert asked_of(again)["client_id"] == "by-hand"
