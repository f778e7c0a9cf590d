"""A web process that stops: what its clients are told, and that nothing is lost which could have been kept."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

import httpx
import pytest
import uvicorn

from config.launch import serve
from mcp_endpoint import app
from tests.mcp_endpoint.conftest import META, PATH, Site, Web, events, modern, request, session, tool, until


@pytest.fixture
async def stopping(web: Web, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[serve._Server]:
    """The server that production runs, before the parts of `web`. `web.port` leads to it."""
    monkeypatch.setattr(app, "_running", web.running)
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(
        app.application,
        lifespan="off",
        log_config=None,
        timeout_graceful_shutdown=serve.GRACE_SECONDS,
    )
    server = serve._Server(config)
    task = asyncio.create_task(server._serve([listener]))  # `serve` would take the signals of the tests' process
    await until(lambda: server.started)
    web.port = listener.getsockname()[1]
    yield server
    server.should_exit = True
    await task


async def opened(stream: AsyncIterator[object]) -> None:
    await anext(stream)


async def test_sigterm_ends_streams_in_good_order(site: Site, web: Web, stopping: serve._Server) -> None:
    client = web.client()
    await session(client)
    body, headers = modern(request("subscriptions/listen", {"notifications": {"toolsListChanged": True}}, "L"))
    one_time = web.client()
    async with (
        client.stream("POST", PATH, json=tool("slow", id="s", seconds=6)) as legacy,
        one_time.stream("POST", PATH, json=body, headers=headers) as listening,
    ):
        call, listen = events(legacy), events(listening)
        primed = await anext(call)
        await opened(listen)
        message, mirrored = modern(tool("slow", id="m", seconds=2))
        short = asyncio.create_task(one_time.post(PATH, json=message, headers=mirrored))
        await until(lambda: len(web.running.streams) == 3)
        stopping.should_exit = True  # what SIGTERM does
        assert [event async for event in call] == []  # long before its result
        [ended] = [event.json() async for event in listen]
    assert ended["id"] == "L" and ended["result"]["_meta"] == {META + "subscriptionId": "L"}
    assert "done" in (await short).text  # a call that nobody could resume was let come to its end
    other = (await site.web()).client(**{name: client.headers[name] for name in ("mcp-session-id",)})
    async with other.stream("GET", PATH, headers={"last-event-id": primed.id}) as response:
        assert "done" in [event async for event in events(response)][-1].data


async def test_call_that_outlasts_the_grace_is_told_so(web: Web, stopping: serve._Server) -> None:
    body, headers = modern(tool("slow", id="m", seconds=60))
    client: httpx.AsyncClient = web.client()
    late = asyncio.create_task(client.post(PATH, json=body, headers=headers))
    await until(lambda: len(web.running.streams) == 1)
    stopping.should_exit = True
    response = await late
    assert '"id":"m","error"' in response.text and "Call again" in response.text


async def test_stream_that_opens_while_stopping_ends_at_once(web: Web) -> None:
    client = web.client()
    await session(client)
    web.running.streams.drain(60)
    async with client.stream("GET", PATH) as response:
        primed = [event async for event in events(response)]
    assert [event.id for event in primed] == ["c:start"]
