"""What a client may send and hold: just below each limit it works, above it the answer says so and when to return."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from common.errors import Unavailable
from hosting.runner.placement import Limits
from mcp_endpoint.admission.in_flight import InFlight, TooManyCallsError
from mcp_endpoint.admission.limits import BODY_BYTES, HEADER_BYTES, HEADERS, STREAMS_PER_PRINCIPAL
from mcp_endpoint.streams import Stream
from tests.mcp_endpoint.conftest import (
    PATH,
    Site,
    Web,
    ask,
    initialize,
    modern,
    placement,
    request,
    session,
    tool,
    until,
)


def test_counting() -> None:
    counted = InFlight(2, 3)
    counted.enter("alice", "d")
    counted.enter("alice", "d")
    with pytest.raises(TooManyCallsError):
        counted.enter("alice", "e")
    counted.enter("bob", "d")
    with pytest.raises(Unavailable):
        counted.enter("bob", "d")
    counted.leave("alice", "d")
    counted.enter("bob", "d")
    assert counted.count == 3
    counted.leave("alice", "d")
    counted.leave("bob", "d")
    counted.leave("bob", "d")
    assert counted.count == 0
    with pytest.raises(TooManyCallsError):
        counted.enter("alice", "d", 3)
    counted.enter("alice", "d", 2)


def check(refused: httpx.Response, status: int, request_id: Any, code: int) -> None:
    assert refused.status_code == status
    assert int(refused.headers["retry-after"]) > 0
    assert (refused.json()["id"], refused.json()["error"]["code"]) == (request_id, code)


async def test_calls_of_a_principal(site: Site) -> None:
    web = await site.web(in_flight=InFlight(2, 10))
    client, other = web.client(), web.client(site.token(client_id="another"))
    await ask(client, tool("echo"))
    slow = [asyncio.create_task(ask(client, tool("slow", id=n, seconds=3))) for n in range(2)]
    await until(lambda: len(web.running.streams) == 2)
    check(await ask(client, tool("echo", id=7)), 429, 7, -32600)
    assert (await ask(other, tool("echo"))).status_code == 200
    assert all("done" in call.text for call in await asyncio.gather(*slow))
    assert (await ask(client, tool("echo"))).status_code == 200


async def test_calls_at_a_deployment(site: Site) -> None:
    web = await site.web(in_flight=InFlight(10, 2))
    clients = [web.client(site.token(client_id=name)) for name in ("a", "b", "c")]
    for client in clients:
        await session(client)
    slow = [asyncio.create_task(client.post(PATH, json=tool("slow", seconds=3))) for client in clients[:2]]
    await until(lambda: len(web.running.streams) == 2)
    check(await clients[2].post(PATH, json=tool("echo", id="x")), 503, "x", -32603)
    # What has no answer of its own goes through.
    note = {"jsonrpc": "2.0", "method": "notifications/roots/list_changed"}
    assert (await clients[2].post(PATH, json=note)).status_code == 202
    assert all("done" in call.text for call in await asyncio.gather(*slow))
    assert (await clients[2].post(PATH, json=tool("echo", id="x"))).status_code == 200


async def test_calls_at_an_instance(site: Site, web: Web) -> None:
    """A burst waits; what had no turn in time is told so as any other limit, or on the stream that has begun."""
    site.world.placement = placement(limits=Limits(in_flight=1, waiting_seconds=0.8))
    client = web.client()
    await session(client)
    slow = asyncio.create_task(client.post(PATH, json=tool("slow", id=1, seconds=4)))
    await until(lambda: len(web.running.streams) == 1)
    late, streamed = await asyncio.gather(
        client.post(PATH, json=tool("echo", id=2)), client.post(PATH, json=tool("echo", id=3, token="t"))
    )
    check(late, 503, 2, -32603)
    assert (streamed.status_code, streamed.headers["content-type"]) == (200, "text/event-stream")
    assert "waiting: 1 calls are running already" in streamed.text and '"id":3,"error"' in streamed.text
    assert "done" in (await slow).text
    burst = await asyncio.gather(*(client.post(PATH, json=tool("echo", id=n, text="x")) for n in range(10, 40)))
    assert all(call.json()["result"] for call in burst)


async def test_every_message_of_a_batch_counts(site: Site) -> None:
    web = await site.web(in_flight=InFlight(2, 10))
    client = web.client()
    await session(client, "2025-03-26")
    fits = [request("ping", id=n) for n in range(2)]
    assert (await client.post(PATH, json=fits)).status_code == 200
    refused = await client.post(PATH, json=[*fits, request("ping", id=2)])
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")


async def test_calls_that_are_abandoned_are_not_counted_any_more(site: Site) -> None:
    web = await site.web(in_flight=InFlight(1, 1))
    client = web.client()
    await ask(client, tool("echo"))
    with pytest.raises(httpx.ReadTimeout):
        await client.post(PATH, **_slow(), timeout=0.6)

    async def is_free() -> bool:
        return (await ask(client, tool("echo"))).status_code == 200

    await until(is_free)


def _slow() -> dict[str, Any]:
    body, headers = modern(tool("slow", seconds=60))
    return {"json": body, "headers": headers}


class Nothing:
    def close(self, *, gone: bool) -> None:
        pass


async def test_streams_of_a_principal(web: Web) -> None:
    client = web.client()
    await session(client)
    async with client.stream("GET", PATH) as response:
        assert response.status_code == 200
        [stream] = web.running.streams._open
    await until(lambda: len(web.running.streams) == 0)
    for _ in range(STREAMS_PER_PRINCIPAL):
        web.running.streams.add(Stream(Nothing(), stream.principal, stream.key))
    refused = await client.get(PATH)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")


async def test_headers(web: Web) -> None:
    client = web.client()
    room = HEADER_BYTES - 2048
    assert (await ask_with(client, {"x-large": "x" * room})).status_code == 200
    assert (await ask_with(client, {"x-large": "x" * (room + 2048)})).status_code == 431
    assert (await ask_with(client, {f"x-{n}": "x" for n in range(HEADERS - 20)})).status_code == 200
    refused = await ask_with(client, {f"x-{n}": "x" for n in range(HEADERS)})
    assert refused.status_code == 431 and "error" in refused.json()


async def ask_with(client: httpx.AsyncClient, headers: dict[str, str]) -> httpx.Response:
    body, mirrored = modern(tool("echo"))
    return await client.post(PATH, json=body, headers={**mirrored, **headers})


async def test_body(web: Web) -> None:
    client = web.client()
    assert "x" * 3_000_000 in (await ask(client, tool("echo", text="x" * 3_000_000))).text
    refused = await ask(client, tool("echo", text="x" * BODY_BYTES))
    assert (refused.status_code, refused.json()["error"]["code"]) == (413, -32600)


async def test_a_quota_that_is_used_up_is_named_to_the_caller(site: Site, web: Web) -> None:
    site.world.placement = placement(owner="alice", owner_instances=1)
    first, second = web.client(), web.client(site.token(client_id="another"))
    await ask(first, tool("echo"))
    slow = asyncio.create_task(ask(first, tool("slow", seconds=4)))
    await until(lambda: len(web.running.streams) == 1)
    refused = await ask(second, tool("echo", id=7))
    check(refused, 503, 7, -32603)
    assert "quota: awake instances" in refused.json()["error"]["message"]
    assert "done" in (await slow).text
    client = web.client(site.token(client_id="a third"))
    assert (await client.post(PATH, json=initialize())).status_code == 200  # a quiet instance gives way
