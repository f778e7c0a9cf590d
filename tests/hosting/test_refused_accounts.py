"""A remote server that refuses what a user's account at a third party gave: real runner, rows and pages."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client

from accounts.models import User
from accounts.services import user_delete
from common import clock
from events.actors import OPERATOR
from events.models import AuditEntry
from hosting.building import builds
from hosting.credentials.accounts import Chosen, accounts_set
from hosting.credentials.checking import CheckFailed, personal_check
from hosting.credentials.personal import brought_for, personal_for
from hosting.fleet.reconciling import reconcile
from hosting.models import Deployment, DeploymentMember, Runner
from hosting.remotes import care as account_care
from hosting.runner import control
from hosting.runner.seen import SignInAsked
from hosting.services import deployment_delete
from hosting.stream.links import links
from hosting.stream.stream import RunnerPool
from hosting.waiting.selectors import waiting_count
from oauth.models import Connection, Revocation
from oauth.outbound.flow import site_peer
from oauth.outbound.providers import provider_put
from oauth.outbound.rows import secrets_of
from tests.factories import make_queued, make_runner, make_user
from tests.hosting import consent
from tests.hosting.conftest import RunnerProcess
from tests.oauth.elsewhere import Answer, Asked, FakeAuthorizationServer

pytestmark = pytest.mark.django_db(transaction=True)
KEY = "header:Authorization"


@pytest.fixture
def users(db: None) -> dict[str, User]:
    return {name: make_user(name) for name in ("alice", "bob")}


@pytest.fixture
def deployment(users: dict[str, User], far: FakeAuthorizationServer) -> Deployment:
    """A remote server for which each user connects an account; whose token it takes is in `far.good`."""
    wanted = consent.provider_wanted(far, revoke_url="")
    provider_put(site_peer(), actor=OPERATOR, subject_id=None, wanted=wanted)
    made = make_queued(users["alice"], "far", reference=f"remote:{far.resource}")
    builds.version_build(made.versions.get().pk)
    DeploymentMember.objects.create(deployment=made, user=users["bob"])
    accounts_set(actor=OPERATOR, deployment=made, chosen={KEY: Chosen("forge")}, is_own=False)
    return Deployment.objects.select_related("owner", "current_version").get(pk=made.pk)


@pytest.fixture
def connected(
    deployment: Deployment, users: dict[str, User], far: FakeAuthorizationServer, start_runner: Any
) -> Deployment:
    """Both have, a while ago."""
    runner: RunnerProcess = start_runner("r1", "--networks", "127.0.0.0/8", "--ports", str(far.port))
    make_runner(address=runner.address)
    for user in users.values():
        consent.connect(deployment, user, KEY, far, iss=None)
    Connection.objects.update(connected_at=clock.now() - timedelta(minutes=5))
    return deployment


def token_of(deployment: Deployment, user: User) -> str:
    remote = personal_for(deployment.pk, user.pk).personal.remote
    assert remote is not None
    return remote.headers.get("Authorization", "").removeprefix("Bearer ")


@pytest.mark.slow
def test_it_is_renewed_once_and_then_its_user_alone_is_asked(
    connected: Deployment, users: dict[str, User], far: FakeAuthorizationServer
) -> None:
    alice, bob = users["alice"], users["bob"]
    assert personal_check(connected, bob.pk) == 1
    for reason in ("renewed", "again"):
        token = token_of(connected, bob)
        far.good.discard(token)
        with pytest.raises(CheckFailed) as refused:
            personal_check(connected, bob.pk)
        words = refused.value.quoted
        assert "refuses the account or key" in words and "/credentials/" in words and token not in words
        reconcile()
        account_care.accounts_tend()
        row = Connection.objects.get(user=bob)
        assert row.state == ("connected" if reason == "renewed" else "again")
        if reason == "renewed":
            assert personal_check(connected, bob.pk) == 1, "with the new token"
            reconcile()
    assert row.reason == f"127.0.0.1:{far.port} refuses its token"
    assert [one.name for one in brought_for(connected.pk, bob.pk).missing] == ["Authorization"]
    assert (waiting_count(bob.pk), waiting_count(alice.pk)) == (1, 0)
    assert Connection.objects.get(user=alice).state == "connected" and personal_check(connected, alice.pk) == 1
    consent.connect(connected, bob, KEY, far, iss=None)
    reconcile()
    assert Connection.objects.get(user=bob).state == "connected" and personal_check(connected, bob.pk) == 1


def test_what_nobody_asks_for_any_more_is_not_kept(
    deployment: Deployment, users: dict[str, User], far: FakeAuthorizationServer
) -> None:
    """The owner takes the setting away, or the server, while the code is on its way: the token is revoked."""
    client = consent.browser(users["bob"])

    def meanwhile(work: Callable[[], object], ended: int) -> None:
        def answer(asked: Asked) -> Answer:
            try:
                work()
            finally:
                connection.close()  # this thread's
            del far.instead["/token"]
            return far.answer(asked)

        url = consent.agree(client, consent.page_of(deployment, users["bob"]), KEY)
        far.instead["/token"] = answer
        said = far.allow(url, iss=None)
        assert client.get(consent.callback_of(url), said).status_code == 409
        assert not Connection.objects.exists() and Revocation.objects.count() == ended
        assert not AuditEntry.objects.filter(action="account:connect").exists()

    set_to = partial(accounts_set, actor=OPERATOR, deployment=deployment, is_own=False)
    meanwhile(lambda: set_to(chosen={}), 1)
    set_to(chosen={KEY: Chosen("forge")})
    meanwhile(lambda: deployment_delete(actor=OPERATOR, deployment=deployment), 2)


def test_what_is_said_late_of_an_earlier_token_counts_for_nothing(
    deployment: Deployment, users: dict[str, User], far: FakeAuthorizationServer
) -> None:
    bob = users["bob"]
    consent.connect(deployment, bob, KEY, far, iss=None)
    mark = brought_for(deployment.pk, bob.pk).mark
    for asked in (
        SignInAsked(401, "Bearer", 0, str(bob.pk), "another"),
        SignInAsked(401, "Bearer", 0, str(bob.pk)),
        SignInAsked(403, "Bearer", 0, str(bob.pk), mark),
        SignInAsked(401, "Bearer", 0, str(users["alice"].pk), mark),
    ):
        account_care.account_refused(deployment.pk, asked)
        assert Connection.objects.get().state == "connected"
    account_care.account_refused(deployment.pk, SignInAsked(401, "Bearer", 0, str(bob.pk), mark))
    assert Connection.objects.get().state == "again", "one that has just come was never good"


def test_of_two_answers_at_once_the_one_that_is_not_kept_is_revoked(
    deployment: Deployment, users: dict[str, User], far: FakeAuthorizationServer
) -> None:
    consent.connect(deployment, users["bob"], KEY, far, iss=None)
    first = Connection.objects.get()
    Connection.objects.all().delete()
    client = consent.browser(users["bob"])
    url = consent.agree(client, consent.page_of(deployment, users["bob"]), KEY)
    path, said = consent.callback_of(url), far.allow(url, iss=None)
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            first.save(force_insert=True)  # the one that was faster, as far as it has come
            second = pool.submit(_answered, client, path, said)
            _until_somebody_waits()
        assert second.result(20) == 409
    assert Connection.objects.get().pk == first.pk
    lost = Revocation.objects.get()
    assert secrets_of(lost)["access"] in far.good - {secrets_of(first)["access"]}


def _answered(client: Client, path: str, said: Mapping[str, str]) -> int:
    """The status, in a thread that ends with its own connection closed."""
    try:
        return client.get(path, said).status_code
    finally:
        connection.close()


def _until_somebody_waits() -> None:
    """For the transaction of this thread."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE pg_backend_pid() = ANY(pg_blocking_pids(pid))")
            if cursor.fetchone()[0]:
                return
        time.sleep(0.02)
    raise AssertionError("nobody waits")


@pytest.mark.slow
@pytest.mark.parametrize("deed", ["disconnect", "delete"])
def test_what_runs_with_an_account_that_ends_is_ended(connected: Deployment, users: dict[str, User], deed: str) -> None:
    """And nobody else's."""
    alice, bob = users["alice"], users["bob"]
    assert len(_instances()) == 2, "each was tried when it was connected"
    if deed == "disconnect":
        path = f"/credentials/{connected.pk}/disconnect"
        assert consent.browser(bob).post(path, {"key": KEY}).status_code == 302
    else:
        user_delete(actor=OPERATOR, user=bob)
    end = time.monotonic() + 20
    while len(kept := _instances()) == 2:
        assert time.monotonic() < end
        time.sleep(0.05)
    assert personal_check(connected, alice.pk) == 1 and _instances() == kept, "hers runs on"


def _instances() -> set[str]:
    """That the runner has."""

    address = Runner.objects.get().address

    async def ask(pool: RunnerPool) -> set[str]:
        status = await (await pool.link(address)).ask(control.GetStatus())
        return {one.id for placed in status.placements for one in placed.instances}

    return links.run(ask)
