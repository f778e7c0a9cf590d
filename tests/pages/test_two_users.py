"""Two users' keys for one server, from call to result: the SDK's client in both eras, each with a person at a browser.

What passes the client are addresses of this site. Links that change hands open nothing, and no key is left anywhere.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp import Client, UrlElicitationRequiredError
from mcp.client import IncomingMessage
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from mcp_types import ElicitCompleteNotification, ElicitResult
from playwright.async_api import Page, expect
from uv import find_uv_bin

from tests.pages.conftest import OpenPage
from tests.pages.test_browser import sign_in_by_link
from tests.stack import Stack

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

SERVER = Path(__file__).parents[1] / "servers" / "keyed.py"
OWNER, USERS = "olga", ("anna", "boris")
KEYS = {"anna": "annas-key-7f3a9c51", "boris": "boris-key-b2e80d46"}
REVISIONS = {"legacy": "2025-11-25", "auto": "2026-07-28"}
WAIT_MS = 60_000
_PEOPLE = """
from accounts.models import User
from accounts.services import user_create
from events.actors import OPERATOR
from hosting.models import Deployment, DeploymentMember
server = Deployment.objects.get(name="{name}")
for name in {users}:
    user = User.objects.filter(username=name).first() or user_create(actor=OPERATOR, name=name)
    DeploymentMember.objects.create(deployment=server, user=user)
"""

Asked = Callable[[str], Awaitable[None]]


class Person:
    """Somebody with a browser, and a program that acts for them."""

    def __init__(self, name: str, page: Page, url: str, token: str) -> None:
        self.name, self.page, self._url, self._token = name, page, url, token
        self.links: list[str] = []
        self.heard: list[str] = []

    async def types_key(self, link: str) -> None:
        await self.page.goto(link)
        await self.page.get_by_label("ACME_KEY").fill(KEYS[self.name])
        await self.page.get_by_role("button", name="Store and try").click()
        done = self.page.get_by_role("heading", name="Your credentials are stored")
        await expect(done).to_be_visible(timeout=WAIT_MS)

    async def is_refused(self, link: str) -> None:
        answer = await self.page.goto(link)
        assert answer is not None and answer.status == 404
        assert await self.page.get_by_label("ACME_KEY").count() == 0

    @asynccontextmanager
    async def program(self, mode: Any, asked: Asked) -> AsyncIterator[Client]:
        async def elicit(context: Any, params: Any) -> ElicitResult:
            assert params.mode == "url"
            self.links.append(params.url)
            await asked(params.url)
            return ElicitResult(action="accept")

        async def hear(message: IncomingMessage) -> None:
            if isinstance(message, ElicitCompleteNotification):
                self.heard.append(message.params.elicitation_id)

        headers = {"Authorization": f"Bearer {self._token}"}
        async with (
            httpx2.AsyncClient(headers=headers, timeout=120) as http,
            Client(
                streamable_http_client(self._url, http_client=http),
                mode=mode,
                elicitation_callback=elicit,
                message_handler=hear,
            ) as client,
        ):
            assert client.protocol_version == REVISIONS[mode]
            yield client

    @asynccontextmanager
    async def older_program(self) -> AsyncIterator[OlderProgram]:
        process = await asyncio.create_subprocess_exec(
            find_uv_bin(), "run", "--isolated", "--no-project", "--with", "mcp>=1.23,<2",
            "python", str(Path(__file__).with_name("sdk1_asked.py")), self._url, self._token,
            stdin=PIPE, stdout=PIPE,
        )  # fmt: skip
        try:
            yield OlderProgram(process)
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()


class OlderProgram:
    """A program of the SDK 1.x (`sdk1_asked.py`)."""

    def __init__(self, process: Process) -> None:
        assert process.stdin is not None and process.stdout is not None
        self._input, self._output = process.stdin, process.stdout

    async def says(self) -> dict[str, Any]:
        async with asyncio.timeout(180):  # it may have to be installed first
            said: dict[str, Any] = json.loads(await self._output.readline())
            return said

    def goes_on(self) -> None:
        self._input.write(b"\n")


async def key_told(client: Client) -> tuple[str, str]:
    result: Any = await client.call_tool("whose", {})
    assert not result.is_error, result
    return result.content[0].text, result.content[1].text


def digest(name: str) -> str:
    return hashlib.sha256(KEYS[name].encode()).hexdigest()


@asynccontextmanager
async def two_people(open_page: OpenPage, stack: Stack, name: str) -> AsyncIterator[list[Person]]:
    stack.secrets.update(KEYS.values())  # looked for in all that it keeps when it stops
    url = stack.manage(
        "host", f"source:{SERVER}", "--owner", OWNER, "--name", name, "--personal", "ACME_KEY", seconds=300
    ).stdout.strip()
    stack.manage("shell", "-c", _PEOPLE.format(name=name, users=USERS))
    async with open_page() as first, open_page() as second:
        pages = dict(zip(USERS, (first, second), strict=True))
        for user, page in pages.items():
            await sign_in_by_link(page, stack, user)
        yield [Person(user, page, url, token_of(stack, user, f"{OWNER}/{name}")) for user, page in pages.items()]


def token_of(stack: Stack, user: str, label: str) -> str:
    return stack.manage("issue_token", "--user", user, "--deployment", label).stdout.strip()


async def refused(client: Client) -> Any:
    with pytest.raises(MCPError) as caught:
        await client.call_tool("whose", {})
    assert caught.value.error.code == -32042
    (asked,) = UrlElicitationRequiredError.from_error(caught.value.error).elicitations
    return asked


async def by_errors(anna: Person, boris: Person) -> None:
    """2025-11-25: -32042, the page, word that it is done to the one who asked, and the call again."""

    async def nobody(url: str) -> None:
        raise AssertionError("a client of 2025-11-25 is told by an error")

    async with anna.program("legacy", nobody) as hers, boris.program("legacy", nobody) as his:
        for_her, for_him = await refused(hers), await refused(his)
        await boris.is_refused(for_her.url)
        await anna.is_refused(for_him.url)
        await anna.types_key(for_her.url)
        assert await key_told(hers) == (digest("anna"), "[secret]")
        assert (await refused(his)).elicitation_id == for_him.elicitation_id
        await boris.types_key(for_him.url)
        assert await key_told(his) == (digest("boris"), "[secret]")
        assert (anna.heard, boris.heard) == ([for_her.elicitation_id], [for_him.elicitation_id])


async def in_the_call(anna: Person, boris: Person) -> None:
    """2026-07-28: the SDK's client asks its person in the middle of the call, which goes on by itself."""
    for person, other in ((anna, boris), (boris, anna)):

        async def asked(url: str, person: Person = person, other: Person = other) -> None:
            await other.is_refused(url)
            await person.types_key(url)

        async with person.program("auto", asked) as client:
            assert await key_told(client) == (digest(person.name), "[secret]")
        assert len(person.links) == 1


async def by_the_older_sdk(anna: Person, boris: Person) -> None:
    """SDK 1.x: its programs run beside this one, each until its person has typed a key."""
    async with anna.older_program() as hers, boris.older_program() as his:
        for_her, for_him = await hers.says(), await his.says()
        assert (for_her["code"], for_him["code"]) == (-32042, -32042) and for_her["url"] != for_him["url"]
        await boris.is_refused(for_her["url"])
        for person, program, asked in ((anna, hers, for_her), (boris, his, for_him)):
            await person.types_key(asked["url"])
            program.goes_on()
            told = await program.says()
            assert told == {"texts": [digest(person.name), "[secret]"], "heard": [asked["id"]]}


@pytest.mark.parametrize("call", [by_errors, in_the_call, by_the_older_sdk])
async def test_each_brings_their_own_and_links_are_of_no_use_to_others(
    open_page: OpenPage, stack: Stack, call: Callable[[Person, Person], Awaitable[None]]
) -> None:
    async with two_people(open_page, stack, call.__name__.replace("_", "-")) as (anna, boris):
        await call(anna, boris)
        await anna.page.goto("/credentials/")
        assert KEYS["anna"] not in await anna.page.content()
