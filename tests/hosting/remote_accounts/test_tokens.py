"""Where a remote server's token goes, and how it is renewed and refused."""

from __future__ import annotations

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
from hosting.fleet.placing import placement_ensure
from hosting.models import Deployment
from hosting.remotes import care as account_care
from hosting.routing import route_by_id
from hosting.runner.seen import SignInAsked
from oauth.models import Connection
from oauth.outbound import vault
from oauth.outbound.flow import site_peer
from oauth.outbound.using import connection_refresh, given_up
from tests.factories import actor_of
from tests.hosting.consent import asked_of, callback_of
from tests.hosting.remote_accounts.signing_in import PAGE, agree, bearer, connect
from tests.oauth.elsewhere import Answer, Asked, FakeAuthorizationServer

pytestmark = pytest.mark.django_db(transaction=True)


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
            left.acquire(timeout=60)
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
    refresh, epoch = set(far.refresh), route_by_id(deployment.pk).epoch
    assert alices.post("/d/alice/far/account/disconnect").status_code == 302
    assert bearer(deployment) == ""
    assert route_by_id(deployment.pk).epoch > epoch, "what runs has the token, and ends"
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
