"""A runner that restarts in place: its connections end with the process, sessions and streams are taken up again."""

from __future__ import annotations

import asyncio
import json

from hosting.runner.frames import Kind
from tests.runner.conftest import Driver
from tests.runner.remote.conftest import place
from tests.runner.remote.servers import FakeRemote, Request, legacy, modern, text
from tests.runner.test_restart import restart


async def test_a_session_goes_on_and_so_does_a_stream_with_ids(driver: Driver, fake: FakeRemote) -> None:
    legacy(fake)
    hold = asyncio.Event()

    @fake.on("tools/call")
    async def call(request: Request) -> None:
        if request.message["params"]["name"] == "quick":
            await request.result(text("quick"))
            return
        await request.stream()
        await request.event(event_id="e0", retry=10)
        await hold.wait()

    @fake.on("GET")
    async def resume(request: Request) -> None:
        if request.headers.get("last-event-id") != "e0":
            await request.answer(405)
            return
        await request.stream()
        body = {"jsonrpc": "2.0", "id": fake.got("tools/call")[0].message["id"], "result": text("resumed")}
        await request.event(body)

    await place(driver, fake.url)
    await driver.session()
    slow = driver.open(tool="slow", session="s1")
    await fake.wait_for("tools/call")
    await restart(driver)
    assert await slow.text() == "resumed"
    assert await driver.open(tool="quick", session="s1").text() == "quick"
    assert len(fake.got("initialize")) == 1
    assert {one.headers["mcp-session-id"] for one in fake.requests[1:]} == {"s-1"}
    assert len(fake.got("tools/call")) == 2
    hold.set()


async def test_what_cannot_be_taken_up_fails_and_is_not_sent_again(driver: Driver, fake: FakeRemote) -> None:
    modern(fake)
    hold = asyncio.Event()

    @fake.on("tools/call")
    async def call(request: Request) -> None:
        await hold.wait()

    await place(driver, fake.url)
    slow = driver.open(tool="slow")
    await fake.wait_for("tools/call")
    await restart(driver)
    event = await slow.outcome()
    assert "the runner was restarted while" in json.loads(event.data)["message"]
    assert len(fake.got("tools/call")) == 1
    modern(fake)
    assert await driver.open(tool="echo").text() == "{}"
    hold.set()


async def test_listeners_listen_on(driver: Driver, fake: FakeRemote) -> None:
    modern(fake)
    hold = asyncio.Event()

    @fake.on("subscriptions/listen")
    async def listen(request: Request) -> None:
        await request.stream()
        meta = {"io.modelcontextprotocol/subscriptionId": request.message["id"]}
        params = {"notifications": {"toolsListChanged": True}, "_meta": meta}
        await request.event({"jsonrpc": "2.0", "method": "notifications/subscriptions/acknowledged", "params": params})
        await hold.wait()

    await place(driver, fake.url)
    listener = driver.open("subscriptions/listen", params=b'{"notifications":{"toolsListChanged":true}}')
    await listener.until(Kind.NOTIFICATION)
    await restart(driver)
    assert (await listener.until(Kind.NOTIFICATION)).extra == "notifications/tools/list_changed"
    hold.set()
