"""A remote server to which each user signs in: one session of a client goes on while its user's token is replaced.

The remote is a fake that speaks OAuth and 2025-11-25 over HTTP; rows, endpoint, pages and runner are real.
"""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from accounts.models import User
from common import clock
from events.actors import OPERATOR
from hosting.building import builds
from hosting.credentials.accounts import accounts_set
from hosting.fleet.reconciling import reconcile
from hosting.models import Deployment, DeploymentMember
from hosting.remotes import care as account_care
from hosting.routing import OWN_ACCOUNT
from oauth.models import Connection
from oauth.outbound.flow import site_peer
from oauth.outbound.using import connection_refresh
from tests.factories import make_queued, make_runner
from tests.hosting.consent import callback_of, digest_of
from tests.mcp_endpoint.conftest import PATH, Web, session, tool
from tests.mcp_endpoint.personal.conftest import URL, Browser, client_of, path_of, rows, value
from tests.oauth.elsewhere import Answer, Asked, FakeAuthorizationServer, as_json

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
MORE = 'Bearer error="insufficient_scope", scope="mcp:read files:write"'


class FakeLegacyRemote:
    """A server of the handshake revisions with one session, in the place of the fake's own."""

    def __init__(self, far: FakeAuthorizationServer) -> None:
        self.far = far
        self.greeted: list[str] = []  # with which tokens
        self.called: list[str] = []
        self.refusal: Answer | None = None
        far.instead["/mcp"] = self.answer

    def answer(self, asked: Asked) -> Answer:
        token = asked.headers.get("authorization", "").removeprefix("Bearer ")
        if token not in self.far.good:
            return 401, {"WWW-Authenticate": self.far.challenge}, b""
        if asked.method != "POST":
            return 405, {}, b""
        message = json.loads(asked.body)
        if "id" not in message:
            return 202, {}, b""
        match message["method"]:
            case "initialize":
                self.greeted.append(token)
                info = {"name": "far", "version": "1"}
                result = {"protocolVersion": "2025-11-25", "capabilities": {"tools": {}}, "serverInfo": info}
                return with_result(message, result, {"Mcp-Session-Id": f"s-{len(self.greeted)}"})
            case "tools/list":
                return with_result(message, {"tools": [{"name": "echo", "inputSchema": {"type": "object"}}]})
            case "tools/call":
                if self.refusal is not None:
                    return self.refusal
                self.called.append(token)
                return with_result(message, {"content": [{"type": "text", "text": asked.headers["mcp-session-id"]}]})
        return 400, {"Content-Type": "text/plain"}, b"no session"


def with_result(message: dict[str, Any], result: dict[str, Any], fields: dict[str, str] | None = None) -> Answer:
    status, kind, body = as_json({"jsonrpc": "2.0", "id": message["id"], "result": result})
    return status, {**kind, **(fields or {})}, body


@pytest.fixture
def remote(far: FakeAuthorizationServer) -> FakeLegacyRemote:
    return FakeLegacyRemote(far)


@pytest.fixture
def deployment(users: dict[str, User], remote: FakeLegacyRemote, tmp_path: Path) -> Deployment:
    made = make_queued(users["alice"], "test", reference=f"remote:{remote.far.resource}")
    builds.version_build(made.versions.get().pk)
    DeploymentMember.objects.create(deployment=made, user=users["bob"])
    make_runner("r1", address=f"unix:{tmp_path}/r1.sock")
    accounts_set(actor=OPERATOR, deployment=made, chosen={}, is_own=True)
    made.refresh_from_db()
    return made


@pytest.fixture
def runner_options(far: FakeAuthorizationServer) -> tuple[str, ...]:
    return ("--networks", "127.0.0.0/8", "--ports", str(far.port))


async def connect(user: User, client: Any, far: FakeAuthorizationServer, number: int) -> str:
    """On the page that a call is answered with; what the page said."""
    error = (await client.post(PATH, json=tool("echo", number))).json()["error"]
    assert error["code"] == -32042, error
    page, browser = path_of(error["data"]["elicitations"][0]["url"]), Browser(user)
    text: str = (await browser.get(page)).content.decode()
    url = (await browser.post(f"{page}/connect", key=OWN_ACCOUNT, digest=digest_of(text)))["Location"]
    assert (await browser.get(callback_of(url), **far.allow(url)))["Location"] == page
    assert "Your credentials are stored" in (await browser.get(page)).content.decode()
    return text


async def begun(web: Web, user: User, far: FakeAuthorizationServer) -> tuple[Any, str]:
    """A client in a session for which its user has connected an account, and what a call in it answers."""
    client = client_of(web, user)
    await session(client, **URL)
    await connect(user, client, far, 2)
    return client, await value(await client.post(PATH, json=tool("echo", 3)))


async def test_a_session_goes_on_with_each_token_that_its_user_gets(
    web: Web, users: dict[str, User], remote: FakeLegacyRemote
) -> None:
    bob, far = users["bob"], remote.far
    client, mine = await begun(web, bob, far)
    greeted = list(remote.greeted)

    # Renewed by the site, and the old one is worth nothing any more.
    await rows(lambda: Connection.objects.update(refresh_at=clock.now()))
    far.good.clear()
    await rows(account_care.accounts_tend)
    assert await value(await client.post(PATH, json=tool("echo", 4))) == mine
    assert len(set(remote.called)) == 2 and remote.called[-1] in far.good

    # More is wanted: its user agrees to that, and the call is made in the same session.
    remote.refusal = (403, {"WWW-Authenticate": MORE}, b"")
    words = (await client.post(PATH, json=tool("echo", 5))).text
    assert "wants more than your account may (mcp:read files:write)" in words and "/credentials/" in words
    await rows(reconcile)
    remote.refusal = None
    assert "files:write" in await connect(bob, client, far, 6)
    assert await value(await client.post(PATH, json=tool("echo", 7))) == mine
    assert len(set(remote.called)) == 3

    # Refused for good: its user connects it anew.
    await rows(lambda: Connection.objects.update(connected_at=clock.now() - timedelta(minutes=1), refresh_at=None))
    far.good.clear()
    words = (await client.post(PATH, json=tool("echo", 8))).text
    assert "refuses the account or key that it was called with for you" in words and "/credentials/" in words
    await rows(reconcile)
    await connect(bob, client, far, 9)
    assert await value(await client.post(PATH, json=tool("echo", 10))) == mine
    assert remote.called[-1] in far.good and len(set(remote.called)) == 4
    assert greeted == [one for one in remote.greeted if one in greeted], "the checks alone began sessions of their own"


async def test_a_token_that_did_not_reach_the_runner_is_brought_when_the_old_one_is_refused(
    web: Web, users: dict[str, User], remote: FakeLegacyRemote
) -> None:
    bob, far = users["bob"], remote.far
    client, mine = await begun(web, bob, far)
    far.good.clear()
    row = await rows(Connection.objects.get)
    assert await rows(lambda: connection_refresh(site_peer(), row))  # by a process that was killed then
    assert "refuses the account or key" in (await client.post(PATH, json=tool("echo", 4))).text
    await rows(reconcile)
    assert await value(await client.post(PATH, json=tool("echo", 5))) == mine
    assert (await rows(Connection.objects.get)).serial == row.serial + 1
