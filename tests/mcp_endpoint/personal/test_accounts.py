"""A server for which each user connects an account: its tool sees that user's token, and each user's only.

The provider is a fake that speaks OAuth over HTTP; rows, endpoint, pages, runner and child are real.
"""

from __future__ import annotations

import asyncio
import hashlib
import sys
from pathlib import Path
from typing import Any

import pytest

from accounts.models import User
from common import clock
from events.actors import OPERATOR
from hosting.credentials.accounts import Chosen, accounts_set
from hosting.models import Deployment, DeploymentMember
from hosting.remotes import care as account_care
from hosting.runner.control import GetStatus
from oauth.models import Connection
from oauth.outbound.flow import site_peer
from oauth.outbound.providers import Wanted, provider_put
from tests.factories import make_deployment, make_runner
from tests.hosting.consent import callback_of, digest_of
from tests.mcp_endpoint.conftest import PATH, SERVERS, Web, session, tool
from tests.mcp_endpoint.personal.conftest import URL, Browser, client_of, environ, path_of, rows, settled, value
from tests.oauth.elsewhere import FakeAuthorizationServer

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
KEY = "env:FORGE_TOKEN"
# Refuses to start without a token, and tells its digest: the token itself is hidden in all that it says.
GUARD = (
    "import hashlib, os, sys, runpy\n"
    "token = os.environ.get('FORGE_TOKEN', '')\n"
    "if not token.startswith('at-'): sys.exit('no token')\n"
    "os.environ['SEEN'] = hashlib.sha256(token.encode()).hexdigest()\n"
    "runpy.run_path(sys.argv[1], run_name='__main__')"
)


@pytest.fixture
def forge(far: FakeAuthorizationServer) -> FakeAuthorizationServer:
    far.clients["slipway"] = "s3cret"
    return far


@pytest.fixture
def deployment(users: dict[str, User], forge: FakeAuthorizationServer, tmp_path: Path) -> Deployment:
    wanted = Wanted(
        name="forge", kind="typed", title="The Forge", client_id="slipway", client_secret="s3cret", scopes=("repo",),
        authorize_url=f"{forge.url}/authorize", token_url=f"{forge.url}/token",
    )  # fmt: skip
    provider_put(site_peer(), actor=OPERATOR, subject_id=None, wanted=wanted)
    argv = [sys.executable, "-I", "-c", GUARD, str(SERVERS / "legacy.py")]
    read_only = [str(SERVERS), sys.base_prefix, sys.prefix]
    made = make_deployment(users["alice"], "test", argv=argv, read_only=read_only)
    DeploymentMember.objects.create(deployment=made, user=users["bob"])
    make_runner("r1", address=f"unix:{tmp_path}/r1.sock")
    accounts_set(actor=OPERATOR, deployment=made, chosen={KEY: Chosen("forge")}, is_own=False)
    made.refresh_from_db()
    return made


async def connect(user: User, page: str, forge: FakeAuthorizationServer) -> Browser:
    browser = Browser(user)
    text = (await browser.get(page)).content.decode()
    assert "Connect your account at The Forge" in text, text
    url = (await browser.post(f"{page}/connect", key=KEY, digest=digest_of(text)))["Location"]
    answer = await browser.get(callback_of(url), **forge.allow(url, iss=None))
    assert answer.status_code == 302 and answer["Location"] == page
    done = (await browser.get(page)).content.decode()
    assert "Your credentials are stored" in done, done
    return browser


async def asked_page(client: Any, number: int) -> str:
    error = (await client.post(PATH, json=environ("SEEN", number))).json()["error"]
    assert error["code"] == -32042
    return path_of(error["data"]["elicitations"][0]["url"])


def digests(forge: FakeAuthorizationServer) -> set[str]:
    return {hashlib.sha256(token.encode()).hexdigest() for token in forge.good}


async def test_each_users_tool_sees_that_users_token(
    web: Web, users: dict[str, User], forge: FakeAuthorizationServer
) -> None:
    seen = []
    for name in ("bob", "alice"):
        client = client_of(web, users[name])
        await session(client, **URL)
        page = await asked_page(client, 2)  # row 26: whoever else is connected, each is asked for their own
        await connect(users[name], page, forge)
        seen.append(await value(await client.post(PATH, json=environ("SEEN", 3))))
        assert await value(await client.post(PATH, json=environ("FORGE_TOKEN", 4))) == "[secret]"
    assert len(set(seen)) == 2 and set(seen) == digests(forge)


async def test_a_renewed_token_is_what_calls_see_that_begin_then(
    web: Web, users: dict[str, User], forge: FakeAuthorizationServer
) -> None:
    client = client_of(web, users["bob"])
    await session(client, **URL)
    await connect(users["bob"], await asked_page(client, 2), forge)
    first = await value(await client.post(PATH, json=environ("SEEN", 3)))
    running = asyncio.create_task(client.post(PATH, json=tool("slow", 4, seconds=4)))
    link = await web.running.pool.link(web.site.address)

    async def runs() -> bool:
        (seen,) = (await link.ask(GetStatus())).placements
        return any(one.in_flight for one in seen.instances)

    await settled(runs)
    await rows(lambda: Connection.objects.update(refresh_at=clock.now()))
    await rows(account_care.accounts_tend)
    ended = await client.post(PATH, json=environ("SEEN", 5))
    assert ended.status_code == 404, "the session began with the old one"
    assert "done" in (await running).text, "what ran goes on to its end"
    again = client_of(web, users["bob"], "cli")
    await session(again, **URL)
    second = await value(await again.post(PATH, json=environ("SEEN", 6)))
    assert second != first and {first, second} == digests(forge)
