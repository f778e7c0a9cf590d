"""A server to which each user brings a key, hosted for two users, with real rows, a real runner and a real child."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
from django.db import connection
from django.test import Client
from joserfc.jwk import ECKey

from accounts.models import User
from hosting.credentials.personal import personal_set
from hosting.kinds.declared import Declared, to_json
from hosting.models import Deployment, DeploymentMember
from mcp_endpoint.lookup import OrmBackend
from mcp_endpoint.personal.orm import OrmPersons
from tests.factories import actor_of, make_deployment, make_runner, make_user
from tests.mcp_endpoint.conftest import SERVERS, SITE, Site, Web, request

T = TypeVar("T")
HOLD_SECONDS = 0.2  # a call is held so long while its user is at the page
URL: dict[str, Any] = {"elicitation": {"url": {}}}
ALICES, BOBS = "alices-key-0001", "bobs-key-0002"
# Refuses to start without its key, and tells who has it.
WORDS = "Your key of <b>example.org</b>, see https://phish.example"
DECLARED = [
    Declared(name="API_KEY", where="env", is_required=True, is_secret=True, description=WORDS),
    Declared(name="REGION", where="env", is_required=True, choices=("eu", "us")),
]
GUARD = (
    "import os, sys, runpy\n"
    "key = os.environ.get('API_KEY', '')\n"
    "if not key.endswith(('0001', '0002')): sys.exit('API_KEY is refused: ' + key)\n"
    "runpy.run_path(sys.argv[1], run_name='__main__')"
)


@pytest.fixture
def users(transactional_db: None, settings: Any) -> dict[str, User]:
    settings.SLIPWAY_URL = SITE
    return {name: make_user(name) for name in ("alice", "bob")}


@pytest.fixture
def deployment(users: dict[str, User], tmp_path: Path) -> Deployment:
    read_only = [str(SERVERS), sys.base_prefix, sys.prefix]
    argv = [sys.executable, "-I", "-c", GUARD, str(SERVERS / "legacy.py")]
    made = make_deployment(users["alice"], "test", argv=argv, declared=to_json(DECLARED), read_only=read_only)
    DeploymentMember.objects.create(deployment=made, user=users["bob"])
    make_runner("r1", address=f"unix:{tmp_path}/r1.sock")
    personal_set(actor=actor_of(users["alice"]), deployment=made, keys=["env:API_KEY", "env:REGION"])
    made.refresh_from_db()
    return made


@pytest.fixture
def runner_options() -> tuple[str, ...]:
    return ()


@pytest.fixture
async def web(deployment: Deployment, tmp_path: Path, runner_options: tuple[str, ...]) -> AsyncIterator[Web]:
    site = Site(
        OrmBackend(),
        ECKey.generate_key("P-256", {"kid": "k1", "alg": "ES256", "use": "sig"}),
        f"unix:{tmp_path}/r1.sock",
        tmp_path / "r1",
    )
    await site.start_runner(*runner_options)
    yield await site.web(persons=OrmPersons(), hold_seconds=HOLD_SECONDS)
    for each in site.webs:
        await each.stop()
    site.runner.terminate()
    await site.runner.wait()


async def rows(work: Callable[[], T]) -> T:
    """`work` with the database, in a thread of its own."""

    def run() -> T:
        try:
            return work()
        finally:
            connection.close()

    return await asyncio.to_thread(run)


class Browser:
    """One person's, signed in."""

    def __init__(self, user: User) -> None:
        self._client = Client()
        self._user = user
        self._is_in = False

    async def _do(self, method: str, path: str, **given: Any) -> Any:
        def work() -> Any:
            if not self._is_in:
                self._client.force_login(self._user, "django.contrib.auth.backends.ModelBackend")
                self._is_in = True
            return getattr(self._client, method)(path, given)

        return await rows(work)

    async def get(self, path: str, **given: Any) -> Any:
        return await self._do("get", path, **given)

    async def post(self, path: str, **given: Any) -> Any:
        return await self._do("post", path, **given)


def environ(name: str, number: int = 1) -> dict[str, Any]:
    """A call of the tool that tells a variable of its server's environment."""
    return request("tools/call", {"name": "environ", "arguments": {"name": name}}, number)


def path_of(url: str) -> str:
    assert url.startswith(f"{SITE}/elicit/") and "?" not in url and "@" not in url
    assert len(url.rpartition("/")[2]) >= 22, "128 bits"
    return url.removeprefix(SITE)


async def value(response: Any) -> str:
    return str(response.json()["result"]["content"][0]["text"])


def client_of(web: Web, user: User, client_id: str = "cli") -> Any:
    return web.client(web.site.token(str(user.pk), client_id=client_id, jti=f"{user}-{client_id}"))


async def settled(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(10):
        while not await condition():  # noqa: ASYNC110 - what the runner does with it can only be asked
            await asyncio.sleep(0.05)


def listing(number: int = 9) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "method": "tools/list"}
