"""What goes over the wire to a remote of the handshake revisions: session, headers, streams and their resumption."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import msgspec
import pytest

from hosting.runner import control as c
from hosting.runner.frames import Kind, Mode
from tests.runner.conftest import SECONDS, Call, Driver
from tests.runner.remote.conftest import place
from tests.runner.remote.servers import FakeRemote, Request, legacy, text


def error_of(data: bytes) -> str:
    return str(json.loads(data)["message"])


def answered(fake: FakeRemote) -> list[dict[str, Any]]:
    """What it was told about its own requests."""
    return [one.message for one in fake.requests if one.body and not one.method]


async def started(driver: Driver, fake: FakeRemote) -> None:
    await place(driver, fake.url)
    await driver.session()


async def test_session_and_revision_are_sent_with_everything_after_the_handshake(
    driver: Driver, fake: FakeRemote
) -> None:
    legacy(fake)
    await started(driver, fake)
    await driver.open(tool="echo", session="s1").text()
    await fake.wait_for("GET")  # which comes on a connection of its own
    first, *others = fake.requests
    assert first.method == "initialize"
    assert not {"mcp-session-id", "mcp-protocol-version"} & first.headers.keys()
    assert first.headers["accept"] == "application/json, text/event-stream"
    assert {one.method or one.verb for one in others} == {"notifications/initialized", "tools/call", "GET"}
    for one in others:
        assert (one.headers["mcp-session-id"], one.headers["mcp-protocol-version"]) == ("s-1", "2025-11-25")
    (stream,) = fake.got("GET")
    assert stream.headers["accept"] == "text/event-stream"


async def test_nothing_of_a_request_overtakes_the_handshake(driver: Driver, fake: FakeRemote) -> None:
    legacy(fake)
    accepted = asyncio.Event()

    @fake.on("notifications/initialized")
    async def initialized(request: Request) -> None:
        await accepted.wait()
        await request.answer(202)

    await started(driver, fake)
    call = driver.open(tool="echo", session="s1")
    await fake.wait_for("notifications/initialized")
    assert not fake.got("tools/call")
    accepted.set()
    await call.text()


async def test_the_owners_headers_are_sent_and_nothing_of_callers(driver: Driver, fake: FakeRemote) -> None:
    legacy(fake)
    await place(driver, fake.url, remote={"headers": {"Authorization": "Bearer owner", "X-Tenant": "é"}})
    await driver.session()
    await driver.open(tool="echo", session="s1").text()
    await fake.wait_for("GET")  # which comes on a connection of its own
    for one in fake.requests:
        assert one.headers["authorization"] == "Bearer owner"
        assert one.headers["x-tenant"].encode("latin-1").decode() == "é"
        assert not {"cookie", "x-forwarded-for", "origin"} & one.headers.keys()


async def test_an_ended_session_is_deleted(driver: Driver, fake: FakeRemote) -> None:
    legacy(fake)
    await started(driver, fake)
    await driver.link.ask(c.EndSession("s1", "alice"))
    assert (await fake.wait_for("DELETE")).headers["mcp-session-id"] == "s-1"


async def test_a_remote_without_sessions_is_given_none(driver: Driver, fake: FakeRemote) -> None:
    legacy(fake, session="")
    await started(driver, fake)
    await driver.open(tool="echo", session="s1").text()
    await driver.link.ask(c.EndSession("s1", "alice"))
    await driver.link.ask(c.GetStatus())
    assert not any("mcp-session-id" in one.headers for one in fake.requests)
    assert not fake.got("DELETE")


async def test_a_session_that_the_remote_forgot_ends_with_the_reason(driver: Driver, fake: FakeRemote) -> None:
    legacy(fake)
    await started(driver, fake)

    @fake.on("tools/call")
    async def gone(request: Request) -> None:
        await request.error(404, -32600, "Session not found")

    call = driver.open(tool="echo", session="s1")
    words = error_of((await call.outcome()).data)
    assert f"127.0.0.1:{fake.port} has ended the session" in words
    assert len(fake.got("tools/call")) == 1
    again = driver.open(tool="echo", session="s1")
    with pytest.raises(Exception, match="no_session"):
        await again.outcome()
    legacy(fake, session="s-2")
    await driver.session("s2")
    assert await driver.open(tool="echo", arguments={"a": 1}, session="s2").text() == '{"a": 1}'


async def test_a_broken_stream_is_resumed_after_its_last_event(driver: Driver, fake: FakeRemote) -> None:
    legacy(fake)

    @fake.on("tools/call")
    async def call(request: Request) -> None:
        await request.stream()
        await request.event(event_id="e0", retry=10)
        token = request.message["params"]["_meta"]["progressToken"]
        body = {"jsonrpc": "2.0", "method": "notifications/progress"}
        await request.event({**body, "params": {"progressToken": token, "progress": 1}}, "e1")
        request.break_off()

    @fake.on("GET")
    async def resume(request: Request) -> None:
        if "last-event-id" not in request.headers:
            await request.answer(405)
            return
        await request.stream()
        if request.headers["last-event-id"] == "e1":
            await request.event(event_id="e2")
            return  # ended in good order, before there was an answer
        number = fake.got("tools/call")[0].message["id"]
        await request.event({"jsonrpc": "2.0", "id": number, "result": text("resumed")}, "e3")

    await started(driver, fake)
    one = driver.open(tool="echo", session="s1", wants_progress=True)
    assert await one.text() == "resumed"
    assert [event.kind for event in one.events] == [Kind.PROGRESS, Kind.RESULT]
    assert len(fake.got("tools/call")) == 1
    resumed = [one.headers["last-event-id"] for one in fake.got("GET") if "last-event-id" in one.headers]
    assert resumed == ["e1", "e2"]


async def test_a_stream_without_ids_is_not_sent_again(driver: Driver, fake: FakeRemote) -> None:
    legacy(fake)

    @fake.on("tools/call")
    async def call(request: Request) -> None:
        await request.stream()
        await request.event({"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "info"}})

    await started(driver, fake)
    words = error_of((await driver.open(tool="echo", session="s1").outcome()).data)
    assert "closed the stream before it had answered; the request is not sent again" in words
    assert len(fake.got("tools/call")) == 1


async def test_the_remotes_own_stream_is_taken_up_where_it_ended(driver: Driver, fake: FakeRemote) -> None:
    legacy(fake)
    changed = {"jsonrpc": "2.0", "method": "notifications/tools/list_changed"}

    @fake.on("GET")
    async def channel(request: Request) -> None:
        await request.stream()
        await request.event(changed, f"c{len(fake.got('GET'))}", retry=10)

    await started(driver, fake)
    call = Call(driver.link.attach("session:s1", owner="alice", mode=Mode.OBSERVE))
    await driver.open(tool="echo", session="s1").text()
    assert (await call.until(Kind.NOTIFICATION)).extra == "notifications/tools/list_changed"
    third = await fake.wait_for("GET", 3)
    assert third.headers["last-event-id"] == "c2"


async def test_questions_outside_of_calls_are_answered_by_post(driver: Driver, fake: FakeRemote) -> None:
    legacy(fake)
    ask, hold = asyncio.Event(), asyncio.Event()

    @fake.on("GET")
    async def channel(request: Request) -> None:
        await request.stream()
        await ask.wait()
        await request.event({"jsonrpc": "2.0", "id": "r1", "method": "ping"})
        await request.event({"jsonrpc": "2.0", "id": "r2", "method": "roots/list"})
        await hold.wait()

    await place(driver, fake.url)
    await driver.session(capabilities=b'{"roots":{}}')
    call = Call(driver.link.attach("session:s1", owner="alice", mode=Mode.OBSERVE))
    await driver.open(tool="echo", session="s1").text()
    ask.set()
    question = await call.until(Kind.INPUT_REQUESTED)
    await driver.link.ask(c.Answer(owner="alice", session="s1", key=question.extra, result=b'{"roots":[]}'))
    async with asyncio.timeout(SECONDS):
        async with fake.arrived:
            await fake.arrived.wait_for(lambda: len(answered(fake)) == 2)
    answers = answered(fake)
    assert {"jsonrpc": "2.0", "id": "r1", "result": {}} in answers
    assert {"jsonrpc": "2.0", "id": "r2", "result": {"roots": []}} in answers
    hold.set()


async def test_a_batch_is_read(driver: Driver, fake: FakeRemote) -> None:
    """2025-03-26 lets a server answer with several messages at once."""
    legacy(fake)

    @fake.on("tools/call")
    async def call(request: Request) -> None:
        note = {"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "info", "data": "x"}}
        answer = {"jsonrpc": "2.0", "id": request.message["id"], "result": text("batched")}
        await request.answer(200, json.dumps([note, answer], indent=1).encode())

    await started(driver, fake)
    one = driver.open(tool="echo", session="s1")
    assert await one.text() == "batched"
    assert [event.kind for event in one.events] == [Kind.LOG, Kind.RESULT]


async def test_cancelling_is_said(driver: Driver, fake: FakeRemote) -> None:
    legacy(fake)
    hold = asyncio.Event()

    @fake.on("tools/call")
    async def call(request: Request) -> None:
        await hold.wait()

    await started(driver, fake)
    one = driver.open(tool="echo", session="s1")
    number = (await fake.wait_for("tools/call")).message["id"]
    await driver.link.ask(c.Cancel(one.attachment.exchange, "alice", "enough"))
    said = await fake.wait_for("notifications/cancelled")
    assert said.message["params"] == {"requestId": number, "reason": "enough"}
    hold.set()


async def test_the_older_transport_is_found(driver: Driver, fake: FakeRemote) -> None:
    """2024-11-05: POST is refused, GET names another address, and answers come on that stream."""
    streams: list[Request] = []
    hold = asyncio.Event()

    @fake.on("GET")
    async def stream(request: Request) -> None:
        await request.stream()
        await request.event("/messages?session=1", name="endpoint")
        streams.append(request)
        await hold.wait()

    async def post(request: Request) -> None:
        if request.path != "/messages?session=1":
            await request.answer(405, b"Method Not Allowed", "text/plain")
            return
        await request.answer(202, b"Accepted", "text/plain")
        if "id" not in request.message:
            return
        result: dict[str, object] = text("older")
        if request.method == "initialize":
            result = {"protocolVersion": "2024-11-05", "capabilities": {}, "serverInfo": {"name": "o", "version": "1"}}
        body = {"jsonrpc": "2.0", "id": request.message["id"], "result": result}
        await streams[-1].event(body, name="message")

    for method in ("initialize", "server/discover", "notifications/initialized", "tools/call"):
        fake.handlers[method] = post
    await started(driver, fake)
    assert await driver.open(tool="echo", session="s1").text() == "older"
    hold.set()  # the stream ends, and the instance with it
    async with asyncio.timeout(SECONDS):
        feed = Call(driver.link.attach("feed:d1", owner="system", mode=Mode.OBSERVE))
        while json.loads((await feed.until(Kind.INSTANCE)).data)["state"] != "failed":
            pass
    (seen,) = (await driver.link.ask(c.GetStatus())).placements
    assert seen.reason == f"127.0.0.1:{fake.port} closed its event stream"
    hold.clear()
    assert await driver.open(tool="echo").text() == "older"
    hold.set()


async def test_the_older_transport_may_not_send_us_elsewhere(driver: Driver, fake: FakeRemote) -> None:
    @fake.on("GET")
    async def stream(request: Request) -> None:
        await request.stream()
        await request.event("http://127.0.0.1:1/messages", name="endpoint")

    for method in ("initialize", "server/discover"):

        @fake.on(method)
        async def post(request: Request) -> None:
            await request.answer(404)

    await place(driver, fake.url)
    words = error_of((await driver.open(tool="echo").outcome()).data)
    assert "answered 404 Not Found" in words


async def test_a_modern_client_is_told_of_progress_by_a_legacy_remote(driver: Driver, fake: FakeRemote) -> None:
    legacy(fake)

    @fake.on("tools/call")
    async def call(request: Request) -> None:
        await request.stream()
        token = request.message["params"]["_meta"]["progressToken"]
        body = {"jsonrpc": "2.0", "method": "notifications/progress"}
        await request.event({**body, "params": {"progressToken": token, "progress": 1}})
        await request.result_event(text("done"))

    await place(driver, fake.url)
    one = driver.open(tool="echo", wants_progress=True)
    assert await one.text() == "done"
    assert [event.kind for event in one.events] == [Kind.PROGRESS, Kind.RESULT]
    assert msgspec.json.decode(one.events[0].data) == {"progress": 1}
