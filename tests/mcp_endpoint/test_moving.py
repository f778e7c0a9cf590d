"""A runner that is asked to stop while clients call: none of them notices but those whose session was there."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hosting.runner import control as c
from hosting.stream.stream import RunnerPool, RunnerUnavailableError
from tests.bound import bound
from tests.mcp_endpoint.conftest import SECONDS, Site, ask, session, tool, until

ROOT = Path(__file__).parents[2]


@pytest.fixture
async def second(site: Site) -> AsyncIterator[str]:
    """The address of another runner, which nothing is placed on."""
    address = site.address.replace("r1.sock", "r2.sock")
    words = ["-m", "hosting.runner", "--name", "r2", "--listen", address]
    words += ["--home", str(site.home.parent / "r2"), "--sandbox", "bubblewrap"]
    process = await asyncio.create_subprocess_exec(sys.executable, *bound(*words), cwd=ROOT)
    pool = RunnerPool("probe")

    async def is_there() -> bool:
        try:
            await pool.link(address)
        except RunnerUnavailableError:
            return False
        return True

    await until(is_there)
    await pool.close()
    site.world.addresses.append(address)
    yield address
    process.terminate()
    await process.wait()


async def test_no_new_call_fails_while_a_runner_ends(site: Site, second: str) -> None:
    webs = [await site.web(), await site.web()]
    clients = [web.client(site.token(client_id=f"c{number}")) for number, web in enumerate(webs * 2)]
    is_over, done = asyncio.Event(), 0

    async def work(number: int) -> None:
        nonlocal done
        while not is_over.is_set():
            response = await ask(clients[number], tool("slow", seconds=0.05))
            assert response.status_code == 200, response.text
            assert "done" in response.text, response.text
            done += 1

    async with asyncio.TaskGroup() as group:
        for number in range(len(clients)):
            group.create_task(work(number))
        await until(lambda: done > 20)
        site.runner.terminate()
        await asyncio.wait_for(site.runner.wait(), SECONDS)
        ended = done
        await until(lambda: done > ended + 20)
        is_over.set()
    assert site.world.route is not None
    assert site.world.route.runner_address == second


async def test_a_session_that_was_there_begins_anew_elsewhere(site: Site, second: str) -> None:
    web = await site.web()
    client = web.client()
    await session(client)
    site.runner.terminate()
    await asyncio.wait_for(site.runner.wait(), SECONDS)
    gone = await client.post("/mcp/alice/test", json=tool("echo", text="x"))
    assert gone.status_code in (404, 503), gone.text
    client.headers.pop("mcp-session-id")
    await session(client)
    assert (await client.post("/mcp/alice/test", json=tool("echo", text="hello"))).status_code == 200


async def test_a_drained_runner_s_calls_go_elsewhere_and_its_sessions_stay(site: Site, second: str) -> None:
    web = await site.web()
    client, other = web.client(), web.client(site.token(client_id="other"))
    await session(client)
    pool = RunnerPool("operator")
    link = await pool.link(site.address)
    await link.ask(c.Drain())
    assert (await ask(other, tool("echo", text="hello"))).status_code == 200
    assert site.world.route is not None
    assert site.world.route.runner_address == second
    called = await client.post("/mcp/alice/test", json=tool("echo", text="still here"))
    assert "still here" in called.text
    await pool.close()
