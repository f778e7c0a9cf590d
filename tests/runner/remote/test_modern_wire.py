"""What goes over the wire to a stateless remote: mirrored headers, cancellation by closing, listeners."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from hosting.runner import control as c
from hosting.runner.frames import Kind
from tests.runner.conftest import MODERN, SECONDS, Driver
from tests.runner.remote.conftest import place
from tests.runner.remote.servers import FakeRemote, Request, modern, text

META = "io.modelcontextprotocol/"
ACKNOWLEDGED = "notifications/subscriptions/acknowledged"
CHANGED = "notifications/tools/list_changed"


def tool(name: str, **properties: Any) -> dict[str, Any]:
    return {"name": name, "inputSchema": {"type": "object", "properties": properties}}


def mirrored(header: str, kind: str = "string") -> dict[str, Any]:
    return {"type": kind, "x-mcp-header": header}


def lists(fake: FakeRemote, *tools: dict[str, Any]) -> None:
    @fake.on("tools/list")
    async def answer(request: Request) -> None:
        await request.result({"resultType": "complete", "tools": list(tools), "ttlMs": 0, "cacheScope": "private"})


async def test_every_request_says_in_its_headers_what_it_is(driver: Driver, fake: FakeRemote) -> None:
    modern(fake)
    await place(driver, fake.url)
    await driver.open(tool="echo").text()
    await driver.open("prompts/get", params=b'{"name":" caf\\u00e9"}').outcome()
    await driver.open("resources/read", params=b'{"uri":"file:///a b"}').outcome()
    discover, call, prompt, resource = fake.requests
    assert [one.headers["mcp-method"] for one in fake.requests] == [one.method for one in fake.requests]
    for one in fake.requests:
        assert one.headers["mcp-protocol-version"] == MODERN == one.message["params"]["_meta"][META + "protocolVersion"]
        assert "mcp-session-id" not in one.headers
    assert "mcp-name" not in discover.headers
    assert call.headers["mcp-name"] == "echo"
    assert prompt.headers["mcp-name"] == "=?base64?IGNhZsOp?="
    assert resource.headers["mcp-name"] == "file:///a b"


async def test_mirrored_arguments_follow_the_listed_schemas(driver: Driver, fake: FakeRemote) -> None:
    modern(fake)
    where = {"type": "object", "properties": {"zone": mirrored("Zone", "integer")}}
    lists(fake, tool("run", region=mirrored("Region"), dry=mirrored("Dry", "boolean"), where=where, plain={}))
    await place(driver, fake.url)
    await driver.open("tools/list").outcome()
    arguments = {"region": "Österreich", "dry": True, "where": {"zone": 7}, "plain": "x"}
    await driver.open(tool="run", arguments=arguments).text()
    await driver.open(tool="run", arguments={"region": None}).text()
    full, empty = fake.got("tools/call")
    assert full.headers["mcp-param-region"] == "=?base64?w5ZzdGVycmVpY2g=?="
    assert (full.headers["mcp-param-dry"], full.headers["mcp-param-zone"]) == ("true", "7")
    assert "mcp-param-plain" not in full.headers
    assert not [name for name in empty.headers if name.startswith("mcp-param-")]


async def test_a_tool_with_a_broken_annotation_is_left_out(driver: Driver, fake: FakeRemote) -> None:
    modern(fake)
    lists(fake, tool("good", a=mirrored("A")), tool("twice", a=mirrored("A"), b=mirrored("a")), tool("plain"))
    await place(driver, fake.url)
    listed = json.loads((await driver.open("tools/list").outcome()).data)
    assert [one["name"] for one in listed["tools"]] == ["good", "plain"]
    assert listed["ttlMs"] == 0
    lines = [line.line for line in (await driver.link.ask(c.GetTail("d1"))).lines]
    assert "the tool 'twice' is left out: x-mcp-header 'A' is given twice" in lines


async def test_a_call_refused_for_its_headers_is_sent_again_once(driver: Driver, fake: FakeRemote) -> None:
    modern(fake)
    lists(fake, tool("run", region=mirrored("Region")))

    @fake.on("tools/call")
    async def call(request: Request) -> None:
        if request.headers.get("mcp-param-region") == "eu" and request.message["params"]["arguments"]["region"] == "eu":
            await request.result({"resultType": "complete", **text("ran")})
        else:
            await request.error(400, -32020, "Header mismatch")

    await place(driver, fake.url)
    assert await driver.open(tool="run", arguments={"region": "eu"}).text() == "ran"
    assert [one.method for one in fake.requests][1:] == ["tools/call", "tools/list", "tools/call"]
    error = json.loads((await driver.open(tool="run", arguments={"region": "us"}).outcome()).data)
    assert error["code"] == -32020
    assert len(fake.got("tools/call")) == 3  # nothing was learnt, so the same request is not sent again


async def test_cancelling_closes_the_stream_and_says_nothing(driver: Driver, fake: FakeRemote) -> None:
    modern(fake)
    gone = asyncio.Event()

    @fake.on("tools/call")
    async def call(request: Request) -> None:
        await request.stream()
        try:
            while True:
                await request.send(b": still here\n\n")
                await asyncio.sleep(0.02)
        except ConnectionError:
            gone.set()

    await place(driver, fake.url)
    one = driver.open(tool="echo")
    await fake.wait_for("tools/call")
    one.attachment.close(gone=True)
    async with asyncio.timeout(SECONDS):
        await gone.wait()
    assert not fake.got("notifications/cancelled")


async def test_a_listener_goes_on_when_its_stream_breaks(driver: Driver, fake: FakeRemote) -> None:
    modern(fake)
    hold = asyncio.Event()

    @fake.on("subscriptions/listen")
    async def listen(request: Request) -> None:
        number = request.message["id"]
        await request.stream()
        params = {"notifications": {"toolsListChanged": True}, "_meta": {META + "subscriptionId": number}}
        await request.event({"jsonrpc": "2.0", "method": ACKNOWLEDGED, "params": params}, retry=10)
        if len(fake.got("subscriptions/listen")) == 1:
            request.break_off()
        else:
            await hold.wait()

    await place(driver, fake.url)
    call = driver.open("subscriptions/listen", params=b'{"notifications":{"toolsListChanged":true}}')
    assert (await call.until(Kind.NOTIFICATION)).extra == ACKNOWLEDGED
    assert (await call.until(Kind.NOTIFICATION)).extra == CHANGED  # nobody listened for a while
    hold.set()


async def test_a_remote_has_one_listen_stream_for_all_listeners(driver: Driver, fake: FakeRemote) -> None:
    modern(fake)
    gone = asyncio.Event()

    @fake.on("subscriptions/listen")
    async def listen(request: Request) -> None:
        number, wanted = request.message["id"], request.message["params"]["notifications"]
        await request.stream()
        params = {"notifications": wanted, "_meta": {META + "subscriptionId": number}}
        await request.event({"jsonrpc": "2.0", "method": ACKNOWLEDGED, "params": params})
        try:
            while True:
                await request.send(b": still here\n\n")
                await asyncio.sleep(0.02)
        except ConnectionError:
            assert "resourcesListChanged" not in wanted  # the older one
            gone.set()

    await place(driver, fake.url)
    for wanted in ("toolsListChanged", "resourcesListChanged"):
        call = driver.open("subscriptions/listen", params=json.dumps({"notifications": {wanted: True}}).encode())
        acknowledged = await call.until(Kind.NOTIFICATION)
        assert json.loads(acknowledged.data) == {"notifications": {wanted: True}}
    async with asyncio.timeout(SECONDS):
        await gone.wait()
    filters = [one.message["params"]["notifications"] for one in fake.got("subscriptions/listen")]
    assert filters == [{"toolsListChanged": True}, {"toolsListChanged": True, "resourcesListChanged": True}]


async def test_an_error_with_a_status_is_handed_through(driver: Driver, fake: FakeRemote) -> None:
    modern(fake)

    @fake.on("tools/call")
    async def call(request: Request) -> None:
        await request.error(404, -32601, "Method not found")

    await place(driver, fake.url)
    error = json.loads((await driver.open(tool="echo").outcome()).data)
    assert (error["code"], error["message"]) == (-32601, "Method not found")


@pytest.mark.parametrize("status", [400, 404, 405, 501])
async def test_a_remote_that_refuses_the_probe_is_asked_for_the_handshake(
    driver: Driver, fake: FakeRemote, status: int
) -> None:
    @fake.on("server/discover")
    async def discover(request: Request) -> None:
        await request.answer(status, b"no", "text/plain")

    @fake.on("initialize")
    async def initialize(request: Request) -> None:
        await request.result(
            {"protocolVersion": "2025-06-18", "capabilities": {}, "serverInfo": {"name": "f", "version": "1"}}
        )

    @fake.on("tools/call")
    async def call(request: Request) -> None:
        assert request.headers["mcp-protocol-version"] == "2025-06-18"
        await request.result(text("old"))

    await place(driver, fake.url)
    assert await driver.open(tool="echo").text() == "old"
