"""The account of a remote server: its owner agrees here, signs in there, and calls go out with what came back."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from django.db.models import F
from django.test import Client

from accounts.models import User
from common import clock
from common.errors import Conflict
from events.actors import OPERATOR
from events.models import AuditEntry
from hosting import services
from hosting.access.anonymous import anonymous_set
from hosting.access.grants import ANONYMOUS, permission_grant
from hosting.building import builds
from hosting.configuration.configuring import deployment_settings_set
from hosting.fleet.placing import placement_ensure
from hosting.kinds.declared import Declared, to_json
from hosting.looks.inspection import deployment_inspect
from hosting.models import Deployment, DeploymentVersion
from hosting.remotes import care as account_care
from hosting.routing import placement_for
from hosting.runner.seen import SignInAsked
from oauth.models import Connection, ConnectionAttempt
from oauth.outbound import vault
from oauth.outbound.flow import site_peer
from oauth.outbound.using import connection_refresh, given_up
from tests.factories import actor_of, make_queued, make_runner, make_user
from tests.hosting.conftest import RunnerProcess
from tests.hosting.consent import asked_of, callback_of, digest_of
from tests.oauth.elsewhere import Answer, Asked, FakeAuthorizationServer

pytestmark = pytest.mark.django_db(transaction=True)
PAGE = "/d/alice/far/account"


@pytest.fixture
def alice(db: None) -> User:
    return make_user("alice")


@pytest.fixture
def deployment(alice: User, far: FakeAuthorizationServer) -> Deployment:
    found = make_queued(alice, "far", reference=f"remote:{far.resource}")
    builds.version_build(found.versions.get().pk)
    make_runner()
    placement_ensure(found.pk)
    return Deployment.objects.select_related("owner", "current_version").get(pk=found.pk)


@pytest.fixture
def alices(alice: User, deployment: Deployment) -> Client:
    made = Client()
    made.force_login(alice)
    return made


def agree(alices: Client, **more: str) -> str:
    """Reads the page and presses its button: where the browser goes."""
    page = alices.get(PAGE)
    assert page.status_code == 200
    answer = alices.post(PAGE, {"digest": digest_of(page.content.decode()), **more})
    assert answer.status_code == 302, answer.content.decode()
    return str(answer["Location"])


def connect(alices: Client, far: FakeAuthorizationServer) -> Connection:
    url = agree(alices)
    answer = alices.get(callback_of(url), far.allow(url))
    assert answer.status_code == 302, answer.content.decode()
    return Connection.objects.get()


def bearer(deployment: Deployment) -> str:
    remote = placement_for(deployment.pk)[1].remote
    assert remote is not None
    return remote.bearer


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


# --- what an answer has to be


def refused(alices: Client, path: str, said: dict[str, str], status: int = 400) -> str:
    answer = alices.get(path, said)
    page = answer.content.decode()
    assert answer.status_code == status, page
    assert "Not connected" in page
    return page


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


# --- where a token goes


def test_a_token_goes_to_the_address_that_was_agreed_to_only(
    alices: Client, far: FakeAuthorizationServer, deployment: Deployment
) -> None:
    connect(alices, far)
    assert bearer(deployment)
    version = services.deployment_deploy(
        actor=actor_of(User.objects.get(username="alice")), deployment=deployment, reference=f"remote:{far.url}/other"
    )
    builds.version_build(version.pk)
    placement_ensure(deployment.pk)
    assert bearer(deployment) == ""
    assert "another address" in alices.get("/d/alice/far/").content.decode()


def test_a_row_that_was_changed_opens_nothing(
    alices: Client, far: FakeAuthorizationServer, deployment: Deployment
) -> None:
    row = connect(alices, far)
    Connection.objects.filter(pk=row.pk).update(issuer="https://evil.example")
    assert bearer(deployment) == ""
    assert Connection.objects.get().state == "again"
    with pytest.raises(Exception, match="sealing key"):
        vault.unseal(row.sealed, bound_to=["other"])


def test_anonymous_callers_use_no_account_unless_its_owner_said_so(
    alices: Client, alice: User, far: FakeAuthorizationServer, deployment: Deployment
) -> None:
    permission_grant(actor=OPERATOR, user=alice, permission=ANONYMOUS)
    anonymous_set(actor=actor_of(alice), deployment=deployment, is_on=True)
    connect(alices, far)
    deployment.refresh_from_db()
    assert not deployment.is_anonymous
    with pytest.raises(Conflict, match="an account elsewhere"):
        anonymous_set(actor=actor_of(alice), deployment=deployment, is_on=True)


# --- while it lasts


def test_one_refresh_at_a_time(
    alices: Client, far: FakeAuthorizationServer, deployment: Deployment, django_db_blocker: Any
) -> None:
    """A refresh token that comes twice would end the family there."""
    connect(alices, far)
    Connection.objects.update(expires_at=clock.now() - timedelta(seconds=1))
    found: list[str] = []

    def ask() -> None:
        try:
            found.append(bearer(deployment))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    refreshes = [asked for asked in far.asked if asked.form.get("grant_type") == "refresh_token"]
    assert len(refreshes) == 1 and refreshes[0].form["resource"] == far.resource
    assert len(set(found)) == 1 and found[0] in far.good
    assert Connection.objects.get().state == "connected"


def test_while_one_asks_for_a_new_token_nobody_else_does(alices: Client, far: FakeAuthorizationServer) -> None:
    """The answer is held until all others have seen that somebody is at it."""
    connect(alices, far)
    row, asked_at_once = Connection.objects.get(), 4
    left, found = threading.Semaphore(0), list[bool]()

    def answer(asked: Asked) -> Answer:
        for _ in range(asked_at_once - 1):
            left.acquire(timeout=5)
        far.instead.pop("/token", None)
        return far.answer(asked)

    def ask() -> None:
        try:
            found.append(connection_refresh(site_peer(), row))
            left.release()
        finally:
            connections.close_all()

    far.instead["/token"] = answer
    threads = [threading.Thread(target=ask) for _ in range(asked_at_once)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [False, False, False, True]
    assert Connection.objects.get().serial == row.serial + 1


def test_what_is_learned_late_changes_nothing_that_came_since(alices: Client, far: FakeAuthorizationServer) -> None:
    """Another token came while the answer was on its way: neither it nor a refusal of the old one is written."""
    connect(alices, far)
    row = Connection.objects.get()

    def answer(asked: Asked) -> Answer:
        try:
            Connection.objects.update(serial=F("serial") + 1)
        finally:
            connections.close_all()  # this thread's
        del far.instead["/token"]
        return far.answer(asked)

    far.instead["/token"] = answer
    assert not connection_refresh(site_peer(), row) and not given_up(row, "it was refused")
    now = Connection.objects.get()
    assert (now.serial, now.state, bytes(now.sealed)) == (row.serial + 1, "connected", bytes(row.sealed))


def test_a_grant_that_was_withdrawn_needs_its_person_again(
    alices: Client, far: FakeAuthorizationServer, deployment: Deployment
) -> None:
    connect(alices, far)
    far.refresh.clear()
    Connection.objects.update(refresh_at=clock.now())
    account_care.accounts_tend()
    row = Connection.objects.get()
    assert (row.state, row.refresh_at) == ("again", None) and "invalid_grant" in row.reason
    assert bearer(deployment) == ""
    page = alices.get("/d/alice/far/").content.decode()
    assert "needs you again" in page and "does not renew it any more" in page
    assert connect(alices, far).state == "connected"


def test_a_token_endpoint_that_is_away_is_asked_again_later(
    alices: Client, far: FakeAuthorizationServer, deployment: Deployment
) -> None:
    connect(alices, far)
    Connection.objects.update(refresh_at=clock.now())
    far.instead["/token"] = lambda _: (503, {}, b"")
    account_care.accounts_tend()
    row = Connection.objects.get()
    assert (row.state, row.failures) == ("connected", 1)
    serial = row.serial
    assert row.refresh_at is not None and row.refresh_at > clock.now()
    assert bearer(deployment) in far.good  # it lasts for a while yet
    del far.instead["/token"]
    Connection.objects.update(refresh_at=clock.now())
    account_care.accounts_tend()
    row = Connection.objects.get()
    assert (row.serial, row.failures) == (serial + 1, 0)


def test_a_token_that_the_server_refuses_is_refreshed_once_and_then_given_up(
    alices: Client, far: FakeAuthorizationServer, deployment: Deployment
) -> None:
    connect(alices, far)
    Connection.objects.update(connected_at=clock.now() - timedelta(minutes=5))
    serial = Connection.objects.get().serial
    refusal = SignInAsked(401, "Bearer", serial)
    account_care.account_refused(deployment.pk, refusal)
    account_care.accounts_tend()
    assert Connection.objects.get().serial == serial + 1
    account_care.account_refused(deployment.pk, refusal)  # of the earlier one: nothing
    assert Connection.objects.get().state == "connected"
    account_care.account_refused(deployment.pk, SignInAsked(401, "Bearer", serial + 1))
    assert Connection.objects.get().state == "again"


def test_a_late_refusal_of_an_account_that_was_ended_is_not_about_the_next_one(
    alices: Client, far: FakeAuthorizationServer, deployment: Deployment
) -> None:
    """Runners repeat what was refused until they have another token, which is with the next call."""
    refusal = SignInAsked(401, "Bearer", connect(alices, far).serial)
    alices.post("/d/alice/far/account/disconnect")
    account_care.accounts_tend()
    connect(alices, far)
    account_care.account_refused(deployment.pk, refusal)
    assert Connection.objects.get().state == "connected"


def test_a_server_that_wants_more_says_what(
    alices: Client, far: FakeAuthorizationServer, deployment: Deployment
) -> None:
    serial = connect(alices, far).serial
    challenge = 'Bearer error="insufficient_scope", scope="mcp:read files:write"'
    account_care.account_refused(deployment.pk, SignInAsked(403, challenge, serial))
    row = Connection.objects.get()
    assert (row.state, row.asked_scopes) == ("connected", ["files:write"])
    assert "wants more than the account may: files:write" in alices.get("/d/alice/far/").content.decode()
    url = agree(alices)
    assert asked_of(url)["scope"] == "mcp:read files:write"
    alices.get(callback_of(url), far.allow(url))
    row = Connection.objects.get()
    assert (row.scopes, row.asked_scopes) == (["mcp:read", "files:write"], [])


def test_a_server_that_asks_only_for_some_calls_is_offered_to_be_signed_in_to(
    alices: Client, far: FakeAuthorizationServer, deployment: Deployment
) -> None:
    challenge = f'Bearer resource_metadata="{far.url}/.well-known/oauth-protected-resource/mcp", scope="other"'
    account_care.account_refused(deployment.pk, SignInAsked(401, challenge, 0))
    assert "asks you to sign in" in alices.get("/d/alice/far/").content.decode()
    assert "<code>other</code>" in alices.get(PAGE).content.decode()


def test_disconnecting_forgets_here_and_revokes_there(
    alices: Client, far: FakeAuthorizationServer, deployment: Deployment
) -> None:
    connect(alices, far)
    refresh = set(far.refresh)
    assert alices.post("/d/alice/far/account/disconnect").status_code == 302
    assert bearer(deployment) == ""
    account_care.accounts_tend()
    assert far.revoked == refresh and not Connection.objects.exists()
    alices.post("/d/alice/far/account/disconnect")  # nothing there any more, and nothing happens
    assert AuditEntry.objects.filter(action="deployment:disconnect_account").count() == 1


def test_an_account_that_is_replaced_is_not_revoked_with_the_grant_of_the_new_one(
    alices: Client, far: FakeAuthorizationServer, deployment: Deployment
) -> None:
    connect(alices, far)
    connect(alices, far)
    account_care.accounts_tend()
    assert far.revoked == set() and Connection.objects.count() == 1


def test_an_account_elsewhere_than_the_new_one_is_revoked(
    alices: Client, far: FakeAuthorizationServer, deployment: Deployment, settings: Any
) -> None:
    """SEP-2352: the server has changed to another issuer, where nothing of the earlier one is used."""
    first = connect(alices, far)
    with FakeAuthorizationServer() as other:
        settings.SLIPWAY_EGRESS_PORTS = [far.port, other.port]
        far.protected["authorization_servers"] = [other.url]
        other.resource = far.resource
        second = connect(alices, other)
        assert second.issuer == other.url and second.client_id != first.client_id
        account_care.accounts_tend()
        assert len(far.revoked) == 1 and not other.revoked
        assert Connection.objects.get().pk == second.pk


def test_an_account_whose_server_is_deleted_is_revoked(
    alices: Client, alice: User, far: FakeAuthorizationServer, deployment: Deployment
) -> None:
    connect(alices, far)
    services.deployment_delete(actor=actor_of(alice), deployment=deployment)
    account_care.accounts_tend()
    assert len(far.revoked) == 1 and not Connection.objects.exists()
