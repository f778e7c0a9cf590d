"""What a request leaves behind for the deployment's owner, and that nothing waits or fails because of it."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import Any

import pytest

from hosting.usage.calls import CallRow
from mcp_endpoint.admission.limits import BODY_BYTES
from mcp_endpoint.records import writing as r
from mcp_endpoint.records.metrics import LIVE
from tests.mcp_endpoint.conftest import (
    ALICE,
    BOB,
    PATH,
    Site,
    Web,
    ask,
    placement,
    request,
    session,
    tool,
    until,
)


async def written(site: Site, count: int) -> list[CallRow]:
    await until(lambda: len(site.world.calls) >= count)
    calls: list[CallRow] = site.world.calls
    assert len(calls) == count, calls
    return calls


async def test_a_legacy_clients_calls(site: Site, web: Web) -> None:
    client = web.client()
    began = time.time()
    await session(client)
    await client.post(PATH, json=request("tools/list"))
    body = tool("echo", text="x" * 1000)
    answered = await client.post(PATH, json=body)
    await client.post(PATH, json=request("ping"))
    await client.post(PATH, json=tool("no such tool"))
    await client.post(PATH, json=request("resources/read", {"uri": "file:///x"}))
    opened, listed, called, failed, unknown = await written(site, 5)
    assert [row.method for row in site.world.calls[:3]] == ["initialize", "tools/list", "tools/call"]
    assert (opened.was_cold, listed.was_cold) == (True, False)
    assert (called.tool, called.sub, called.client, called.era) == ("echo", ALICE, "cli", "legacy")
    assert (called.deployment_id, called.version_id, called.status) == ("d1", "v1", "ok")
    assert called.bytes_in == int(answered.request.headers["content-length"])
    assert called.bytes_out == len(answered.content) > 1000
    assert began <= opened.at <= called.at <= time.time() and 0 < called.microseconds < 5_000_000
    assert (failed.tool, failed.status) == ("no such tool", "tool_error")
    assert (unknown.tool, unknown.status) == ("file:///x", "error")


async def test_a_modern_clients_calls(site: Site, web: Web) -> None:
    client = web.client(site.token(BOB))
    assert site.world.route is not None
    site.world.route = replace(site.world.route, access="public")
    await ask(client, request("server/discover", {}))
    await ask(client, tool("echo", text="a"))
    await ask(client, tool("no such tool"))
    await ask(client, request("prompts/get", {"name": "p"}))
    found, called, failed, unknown = await written(site, 4)
    assert (found.method, found.tool, found.was_cold, found.sub) == ("server/discover", "", True, BOB)
    assert (called.tool, called.era, called.status, called.was_cold) == ("echo", "modern", "ok", False)
    assert (failed.status, unknown.method, unknown.tool, unknown.status) == ("tool_error", "prompts/get", "p", "error")


async def test_streamed_calls_are_counted_whole(site: Site, web: Web) -> None:
    client = web.client()
    await session(client)
    streamed = await client.post(PATH, json=tool("progress", token="t", steps=3, pause=0.1))
    _, row = await written(site, 2)
    assert (row.tool, row.status) == ("progress", "ok")
    assert row.bytes_out == len(streamed.content) and row.microseconds > 300_000


async def test_who_goes_away_early(site: Site, web: Web) -> None:
    legacy, modern = web.client(), web.client()
    await session(legacy)
    await ask(modern, tool("echo"))
    await written(site, 2)
    for client, send in (
        (legacy, legacy.post(PATH, json=tool("slow", seconds=20))),
        (modern, ask(modern, tool("slow", seconds=20))),
    ):  # noqa: E501
        task = asyncio.create_task(send)
        await until(lambda: len(web.running.streams) == 1)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await client.aclose()
        await until(lambda: len(web.running.streams) == 0)
    *_, left, cancelled = await written(site, 4)
    assert (left.tool, left.status) == ("slow", "left")
    assert (cancelled.tool, cancelled.status) == ("slow", "cancelled")


async def test_what_the_site_refuses_or_fails(site: Site, web: Web) -> None:
    client = web.client()
    await client.post(PATH, json=tool("echo"), headers={"mcp-session-id": "rubbish"})
    await client.post(PATH, json=tool("echo"))
    assert site.world.route is not None
    site.world.route = replace(site.world.route, runner_address="")
    site.world.addresses = []
    await asyncio.sleep(1)
    assert (await ask(client, tool("echo"))).status_code == 503
    rows = await written(site, 3)
    assert [row.status for row in rows] == ["refused", "refused", "error"]


async def test_nothing_is_kept_of_those_who_do_not_get_in(site: Site, web: Web) -> None:
    await web.client(None).post(PATH, json=tool("echo"))
    await web.client(site.token(BOB)).post(PATH, json=tool("echo"))
    large = b" " * (BODY_BYTES + 1)
    await web.client().post(PATH, content=large, headers={"content-type": "application/json"})
    await web.client().post(PATH, content=b"{", headers={"content-type": "application/json"})
    await ask(web.client(), tool("echo"))
    [row] = await written(site, 1)
    assert row.tool == "echo"


async def test_a_batch_is_as_many_records_as_it_has_calls(site: Site, web: Web) -> None:
    client = web.client()
    await session(client, "2025-03-26")
    batch = [
        tool("echo", id=1),
        {"jsonrpc": "2.0", "method": "notifications/x"},
        tool("none", id=2),
        request("no/such", id=3),
    ]
    assert (await client.post(PATH, json=batch)).status_code == 200
    rows = {row.method + row.tool: row.status for row in (await written(site, 4))[1:]}
    assert rows == {"tools/callecho": "ok", "tools/callnone": "tool_error", "no/such": "error"}


async def test_records_wait_for_the_database(site: Site, web: Web) -> None:
    client = web.client()
    await ask(client, tool("echo"))
    await written(site, 1)
    site.world.is_down = True
    dropped = LIVE.records_dropped
    records = web.running.records
    records._waiting = 3
    for _ in range(4):
        assert (await ask(client, tool("echo"))).status_code == 200
    await until(lambda: records._is_failing)
    assert len(records._rows) == 3 and LIVE.records_dropped - dropped == 1
    site.world.is_down = False
    await written(site, 4)


async def test_what_is_left_is_written_at_the_end(site: Site) -> None:
    web = await site.web()
    web.running.records._seconds = 60
    await web.running.records.stop()
    web.running.records._is_ending.clear()
    web.running.records.start()
    await ask(web.client(), tool("echo"))
    assert site.world.calls == []
    await web.running.records.stop()
    assert len(site.world.calls) == 1


@pytest.mark.parametrize(
    ("response", "is_error"),
    [
        (b'{"jsonrpc":"2.0","id":1,"result":{"content":[],"isError":true}}', True),
        (b'{"jsonrpc":"2.0","id":1,"result":{"isError" : \n true,"content":[]}}', True),
        (b'{"jsonrpc":"2.0","id":1,"result":{"content":[],"isError":false}}', False),
        (b'{"jsonrpc":"2.0","id":1,"result":{"content":[]}}', False),
        (b'{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"\\"isError\\":true"}]}}', False),
        (b'{"jsonrpc":"2.0","id":1,"result":{"content":[{"text":"\\"isError\\":1"}],"isError":true}}', True),
        (b'{"result":{"content":["' + b"x" * 1_000_000 + b'"],"isError":true}}', True),
        (b'{"result":{"isError":true,"content":["' + b"x" * 1_000_000 + b'"]}}', True),
        (b'{"result":{"content":["' + b"x" * 1_000_000 + b'"],"isError":false}}', False),
    ],
)
def test_tool_errors_are_told_from_the_bytes(response: bytes, is_error: bool) -> None:
    assert r.is_tool_error(response) is is_error


def route() -> Any:
    from hosting.routing import Route

    return Route("d1", "v1", "alice", "test", "private", frozenset(), "ready", "", 1, "", "", placement().isolation)
