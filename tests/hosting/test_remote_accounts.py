"""The account of a remote server: its owner agrees here, signs in there, and calls go out with what came back."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.cache import cache
from django.test import Client

from accounts.models import User
from common import clock
from events.models import AuditEntry
from hosting import builds
from hosting.inspection import deployment_inspect
from hosting.models import Deployment
from hosting.placing import placement_ensure
from hosting.routing import placement_for
from oauth.models import Connection, ConnectionAttempt
from tests.factories import make_queued, make_runner, make_user
from tests.hosting.conftest import RunnerProcess
from tests.oauth.elsewhere import FakeAuthorizationServer

pytestmark = pytest.mark.django_db(transaction=True)
PAGE = "/d/alice/far/account"


@pytest.fixture(autouse=True)
def _nothing_counted() -> None:
    """Limits count in Valkey, which outlives a test."""
    cache.clear()


@pytest.fixture
def far(settings: Any) -> Iterator[FakeAuthorizationServer]:
    with FakeAuthorizationServer() as server:
        settings.SLIPWAY_EGRESS_PRIVATE = ["127.0.0.0/8"]
        settings.SLIPWAY_EGRESS_PORTS = [server.port]
        yield server


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
    digest = re.search(r'name="digest" value="([0-9a-f]{64})"', page.content.decode())
    assert digest, page.content.decode()
    answer = alices.post(PAGE, {"digest": digest[1], **more})
    assert answer.status_code == 302, answer.content.decode()
    return str(answer["Location"])


def callback_of(url: str) -> str:
    """The path of our own address that the answer goes to."""
    return urlsplit(parse_qs(urlsplit(url).query)["redirect_uri"][0]).path


def connect(alices: Client, far: FakeAuthorizationServer) -> Connection:
    url = agree(alices)
    answer = alices.get(callback_of(url), far.allow(url))
    assert answer.status_code == 302, answer.content.decode()
    return Connection.objects.exclude(state="ended").get()


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
    sent = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
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
    state = parse_qs(urlsplit(url).query)["state"][0]
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
