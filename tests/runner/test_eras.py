"""Every combination of client era and server era, at the level of exchanges."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from hosting.runner import control as c
from hosting.runner.frames import Kind, Mode
from tests.runner.conftest import LEGACY, MODERN, SECONDS, Call, Driver, placement


async def test_modern_client_legacy_server_gets_modern_results(driver: Driver) -> None:
    await driver.link.ask(c.Place(placement("legacy")))
    discovered = msgspec.json.decode((await driver.open("server/discover").outcome()).data)
    assert discovered["resultType"] == "complete"
    assert MODERN in discovered["supportedVersions"]
    assert discovered["_meta"]["io.modelcontextprotocol/serverInfo"]["name"] == "legacy"
    listed = msgspec.json.decode((await driver.open("tools/list").outcome()).data)
    assert (listed["resultType"], listed["ttlMs"], listed["cacheScope"]) == ("complete", 0, "private")
    assert "ask" in [tool["name"] for tool in listed["tools"]]


async def test_legacy_client_modern_server_gets_a_handshake(driver: Driver) -> None:
    await driver.link.ask(c.Place(placement("modern")))
    result = msgspec.json.decode(await driver.session())
    assert result["protocolVersion"] == LEGACY
    assert result["serverInfo"]["name"] == "modern"
    assert await driver.open(tool="echo", arguments={"text": "hi"}, session="s1").text() == "hi"
    assert (await driver.open("ping", session="s1").outcome()).data == b"{}"


async def test_legacy_client_is_asked_what_a_modern_server_wants_to_know(driver: Driver) -> None:
    await driver.link.ask(c.Place(placement("modern")))
    await driver.session(capabilities=b'{"elicitation":{}}')
    call = driver.open(tool="ask", session="s1")
    question = await call.until(Kind.INPUT_REQUESTED)
    assert msgspec.json.decode(question.data)["method"] == "elicitation/create"
    result = b'{"action":"accept","content":{"name":"Ada"}}'
    await driver.link.ask(c.Answer(owner="alice", session="s1", key=question.extra, result=result))
    assert msgspec.json.decode(await call.text()) == {"action": "accept", "content": {"name": "Ada"}}


async def test_modern_client_modern_server_is_handed_the_question_as_it_is(driver: Driver) -> None:
    await driver.link.ask(c.Place(placement("modern")))
    call = driver.open(tool="ask", native_input=True, capabilities=b'{"elicitation":{}}')
    result = msgspec.json.decode((await call.outcome()).data)
    assert result["resultType"] == "input_required"
    assert result["requestState"] == "state-1"


@pytest.mark.parametrize("server", ["legacy", "modern"])
async def test_who_asked_people_says_so(driver: Driver, server: str) -> None:
    await driver.link.ask(c.Place(placement(server)))
    for tool, asks in (("echo", False), ("ask", True)):
        await driver.open(tool=tool, native_input=True).outcome()
        (seen,) = (await driver.link.ask(c.GetStatus())).placements
        assert [one.asks_people for one in seen.instances] == [asks]


async def test_a_modern_server_is_told_each_requests_own_client(driver: Driver) -> None:
    await driver.link.ask(c.Place(placement("modern")))
    for capabilities in (b'{"sampling":{}}', b"{}"):
        call = driver.open(
            tool="meta", capabilities=capabilities, client=b'{"name":"c","version":"9"}', log_level="info"
        )
        meta = msgspec.json.decode(await call.text())
        assert meta["io.modelcontextprotocol/clientCapabilities"] == msgspec.json.decode(capabilities)
        assert meta["io.modelcontextprotocol/clientInfo"] == {"name": "c", "version": "9"}
        assert meta["io.modelcontextprotocol/logLevel"] == "info"
    (seen,) = (await driver.link.ask(c.GetStatus())).placements
    assert len(seen.instances) == 1


async def test_trace_context_is_carried_on(driver: Driver) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    await driver.link.ask(c.Place(placement("modern")))
    assert msgspec.json.decode(await driver.open(tool="meta", trace=trace).text())["traceparent"] == trace


@pytest.mark.parametrize("revision", ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"])
@pytest.mark.parametrize("server", ["legacy", "modern"])
async def test_every_handshake_revision_is_answered_in_kind(driver: Driver, server: str, revision: str) -> None:
    await driver.link.ask(c.Place(placement(server)))
    assert msgspec.json.decode(await driver.session(revision=revision))["protocolVersion"] == revision


async def test_progress_tokens_of_two_calls_on_one_child_are_not_mixed(driver: Driver) -> None:
    await driver.link.ask(c.Place(placement("legacy")))
    calls = [
        driver.open(tool="progress", arguments={"steps": steps, "pause": 0.02}, wants_progress=True) for steps in (3, 5)
    ]
    for call, steps in zip(calls, (3, 5), strict=True):
        await call.outcome()
        progress = [msgspec.json.decode(e.data) for e in call.events if e.kind is Kind.PROGRESS]
        assert [p["progress"] for p in progress] == list(range(1, steps + 1))
        assert all(p["total"] == steps and "progressToken" not in p for p in progress)


async def test_a_modern_client_listens_to_a_legacy_server(driver: Driver) -> None:
    await driver.link.ask(c.Place(placement("legacy")))
    params = msgspec.json.encode({"notifications": {"toolsListChanged": True, "promptsListChanged": True}})
    call: Call = driver.open("subscriptions/listen", params=params)
    first = await call.until(Kind.NOTIFICATION)
    assert first.extra == "notifications/subscriptions/acknowledged"
    assert msgspec.json.decode(first.data)["notifications"] == {"toolsListChanged": True}


async def instance_stops(driver: Driver) -> None:
    feed = Call(driver.link.attach("feed:d1", owner="system", mode=Mode.OBSERVE))
    async with asyncio.timeout(SECONDS):
        while msgspec.json.decode((await feed.until(Kind.INSTANCE)).data)["state"] != "stopped":
            pass


@pytest.mark.parametrize("server", ["legacy", "modern"])
async def test_listeners_let_the_server_sleep_and_are_brought_up_to_date_when_it_wakes(
    driver: Driver, server: str
) -> None:
    await driver.link.ask(c.Place(placement(server, idle_seconds=0.2)))
    call: Call = driver.open(
        "subscriptions/listen", params=msgspec.json.encode({"notifications": {"toolsListChanged": True}})
    )
    assert (await call.until(Kind.NOTIFICATION)).extra == "notifications/subscriptions/acknowledged"
    await instance_stops(driver)
    assert await driver.open(tool="echo", arguments={"text": "woken"}).text() == "woken"
    assert (await call.until(Kind.NOTIFICATION)).extra == "notifications/tools/list_changed"


async def test_listeners_end_in_good_order_when_a_new_version_comes(driver: Driver) -> None:
    await driver.link.ask(c.Place(placement("legacy")))
    call: Call = driver.open(
        "subscriptions/listen", params=msgspec.json.encode({"notifications": {"toolsListChanged": True}})
    )
    await call.until(Kind.NOTIFICATION)
    await driver.link.ask(c.Place(placement("legacy", epoch=2)))
    assert msgspec.json.decode((await call.outcome()).data)["resultType"] == "complete"


async def test_a_sleeping_listener_whose_client_goes_is_forgotten(driver: Driver) -> None:
    await driver.link.ask(c.Place(placement("legacy", idle_seconds=0.2)))
    params = msgspec.json.encode({"notifications": {"toolsListChanged": True}})
    call: Call = driver.open("subscriptions/listen", params=params)
    await call.until(Kind.NOTIFICATION)
    await instance_stops(driver)
    page = Call(driver.link.attach(call.attachment.exchange, owner="alice", mode=Mode.OBSERVE))
    call.attachment.close(gone=True)
    assert (await page.outcome()).kind is Kind.CANCELLED


async def test_a_server_that_ends_at_the_probe_is_asked_as_a_legacy_one(driver: Driver) -> None:
    await driver.link.ask(c.Place(placement("brittle")))
    listed = msgspec.json.decode((await driver.open("tools/list").outcome()).data)
    assert [tool["name"] for tool in listed["tools"]] == ["only"]
    (seen,) = (await driver.link.ask(c.GetStatus())).placements
    assert [instance.era for instance in seen.instances] == ["legacy"]
