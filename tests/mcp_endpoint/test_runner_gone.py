"""The link to a runner breaks in mid-call: the call goes on where the runner did; where that died its client is told.

Clients of the handshake era; a modern call has no session to go on in.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from hosting.runner.control import GetStatus
from tests.mcp_endpoint.conftest import PATH, SECONDS, SentEvent, Site, Web, events, request, session, tool, until

Break = Callable[[], Awaitable[None]]


@pytest.fixture
async def client(web: Web) -> httpx.AsyncClient:
    made = web.client()
    await session(made)
    return made


@pytest.fixture
def link_breaks(site: Site, web: Web) -> Break:
    """As a network between hosts does: the runner is there again at once."""

    async def broken() -> None:
        link = web.running.pool.link_now(site.address)
        assert link is not None
        link.close()

    return broken


@pytest.fixture
async def runner_dies(site: Site) -> AsyncIterator[Break]:
    """With kill -9; it is started again a second later."""
    starting: list[asyncio.Task[None]] = []

    async def again() -> None:
        await asyncio.sleep(1)
        await site.start_runner()

    async def died() -> None:
        site.runner.kill()
        await site.runner.wait()
        starting.append(asyncio.create_task(again()))

    yield died
    await asyncio.gather(*starting)


@asynccontextmanager
async def answer_to(client: httpx.AsyncClient, message: dict[str, Any]) -> AsyncIterator[AsyncIterator[SentEvent]]:
    """The events of a streamed answer, once it has begun."""
    async with client.stream("POST", PATH, json=message) as response:
        found = events(response)
        assert (await anext(found)).retry  # primed
        yield found


async def test_a_call_goes_on_over_a_new_link(client: httpx.AsyncClient, link_breaks: Break) -> None:
    async with answer_to(client, tool("progress", id="p", token="t", steps=20, pause=0.1)) as found:
        seen = [(await anext(found)).json()]
        await link_breaks()
        seen += [event.json() async for event in found]
    assert [each["params"]["progress"] for each in seen[:-1]] == list(range(1, 21))  # none twice, none missing
    assert "result" in seen[-1]


async def test_and_so_does_one_that_is_answered_as_plain_json(client: httpx.AsyncClient, link_breaks: Break) -> None:
    asked = asyncio.create_task(client.post(PATH, json=tool("slow", seconds=0.4)))
    await asyncio.sleep(0.2)
    await link_breaks()
    assert "done" in (await asked).text
    counted = await client.post(PATH, json=tool("count", id=2))
    assert counted.json()["result"]["content"][0]["text"] == "1"


async def test_and_the_rest_of_one_that_is_resumed(client: httpx.AsyncClient, link_breaks: Break) -> None:
    async with answer_to(client, tool("progress", id="p", token="t", steps=20, pause=0.1)) as found:
        first = await anext(found)
    async with client.stream("GET", PATH, headers={"last-event-id": first.id}) as response:
        found = events(response)
        await anext(found)
        seen = [(await anext(found)).json()]
        await link_breaks()
        seen += [event.json() async for event in found]
    assert [each["params"]["progress"] for each in seen[:-1]] == list(range(2, 21))
    assert "result" in seen[-1]


async def test_a_call_whose_runner_died_ends_in_words(client: httpx.AsyncClient, runner_dies: Break) -> None:
    async with answer_to(client, tool("progress", id="p", token="t", steps=100, pause=0.2)) as found:
        await anext(found)
        await runner_dies()
        async with asyncio.timeout(SECONDS):
            *_, last = [event.json() async for event in found]
    assert last["id"] == "p" and last["error"]["data"] == {"reason": "call_lost"}
    assert "lost" in last["error"]["message"]


async def test_one_that_was_not_yet_answered_is_no_404(
    site: Site, web: Web, client: httpx.AsyncClient, runner_dies: Break
) -> None:
    """A client begins anew and calls again at a 404, and this tool may have done its work."""
    asked = asyncio.create_task(client.post(PATH, json=tool("slow", seconds=60)))
    link = await web.running.pool.link(site.address)

    async def runs() -> bool:
        (seen,) = (await link.ask(GetStatus())).placements
        return any(one.in_flight for one in seen.instances)

    await until(runs)
    await runner_dies()
    answer = await asked
    *_, last = [line for line in answer.text.splitlines() if line]
    assert answer.status_code in (200, 503) and "The call was lost" in last


async def test_the_next_call_waits_for_the_runner_and_is_told_to_begin_anew(
    client: httpx.AsyncClient, runner_dies: Break
) -> None:
    await runner_dies()
    answers = await asyncio.gather(*(client.post(PATH, json=request("tools/list", {}, n)) for n in range(20)))
    assert {answer.status_code for answer in answers} == {404}
    del client.headers["mcp-session-id"]
    await session(client)
    assert "hello" in (await client.post(PATH, json=tool("echo", text="hello"))).text


async def test_who_asks_a_runner_at_once_shares_one_attempt(site: Site, web: Web) -> None:
    pool = web.running.pool
    links = await asyncio.gather(*(pool.link(site.address) for _ in range(20)))
    assert len(set(links)) == 1
    links[0].close()
    first = asyncio.create_task(pool.link(site.address))
    second = asyncio.create_task(pool.link(site.address))
    await asyncio.sleep(0)
    first.cancel()
    assert (await second).is_open
    await until(lambda: first.done())
