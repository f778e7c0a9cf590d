"""Whose the output is, what is traced of a conversation; bodies and last words reach only whom they are for."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from hosting.runner import control as c
from hosting.runner import frames as f
from hosting.runner import tracing
from hosting.runner.seen import OutputLine
from hosting.runner.upstream import messages as m
from hosting.stream.stream import Attachment
from tests.runner.conftest import Driver, placement

ALICE = "alice cli d1"
_decode = msgspec.json.Decoder(OutputLine).decode


async def tail(driver: Driver) -> list[OutputLine]:
    return (await driver.link.ask(c.GetTail("d1", 500))).lines


def watch(driver: Driver) -> Attachment:
    return driver.link.attach("feed:d1", owner="system", mode=f.Mode.OBSERVE)


async def lines(feed: Attachment, until: str) -> list[OutputLine]:
    found: list[OutputLine] = []
    async with asyncio.timeout(60):
        while not found or until not in found[-1].line:
            event = await feed.next()
            if event.kind is f.Kind.OUTPUT:
                found.append(_decode(event.data))
    return found


async def crash(driver: Driver, owner: str) -> str:
    outcome = await driver.open(tool="crash", owner=owner, isolation=owner).outcome()
    assert outcome.kind is f.Kind.ERROR
    return outcome.data.decode()


@pytest.mark.parametrize(
    ("changes", "owner", "who", "is_open"),
    [
        ({}, ALICE, "alice", False),
        ({"isolation": "principal"}, ALICE, "alice", False),
        ({"isolation": "shared"}, ALICE, "", False),
        ({}, "system", "", False),
        ({"trace_bodies": True}, ALICE, "alice", True),
    ],
)
async def test_whose_a_line_is(driver: Driver, changes: dict[str, Any], owner: str, who: str, is_open: bool) -> None:
    await driver.link.ask(c.Place(placement(**changes)))
    await crash(driver, owner)
    [line] = [line for line in await tail(driver) if line.stream == "stderr"]
    assert (line.line, line.who, line.is_open) == ("about to crash", who, is_open)


async def test_last_words_are_for_the_call_and_not_for_the_state(driver: Driver) -> None:
    """Everybody who may see the deployment reads its state, and the next caller is told why a start waits."""
    await driver.link.ask(c.Place(placement()))
    assert "about to crash" in await crash(driver, ALICE)
    [seen] = (await driver.link.ask(c.GetStatus())).placements
    assert "code 3" in seen.reason and "about to crash" not in seen.reason


@pytest.mark.parametrize("changes", [{"isolation": "shared"}, {"trace_bodies": True}])
async def test_last_words_of_what_is_everybodys(driver: Driver, changes: dict[str, Any]) -> None:
    await driver.link.ask(c.Place(placement(**changes)))
    await crash(driver, ALICE)
    [seen] = (await driver.link.ask(c.GetStatus())).placements
    assert "about to crash" in seen.reason


async def test_a_server_that_does_not_start_is_quoted_to_all(driver: Driver) -> None:
    await driver.link.ask(c.Place(placement(env={"SERVER_MODE": "exit"})))
    await driver.open(tool="echo", owner=ALICE).outcome()
    [seen] = (await driver.link.ask(c.GetStatus())).placements
    assert "SETTING_X is missing" in seen.reason


async def test_messages_are_traced_while_somebody_watches_without_bodies(driver: Driver) -> None:
    await driver.link.ask(c.Place(placement()))
    await driver.open(tool="echo", arguments={"text": "before"}, owner=ALICE).outcome()
    assert [line for line in await tail(driver) if line.stream == "protocol"] == []
    feed = watch(driver)
    await driver.open(tool="echo", arguments={"text": "private words"}, owner=ALICE).outcome()
    seen = await lines(feed, "← result")
    asked, answered = seen[-2:]
    assert asked.line.startswith("→ tools/call ") and asked.line.endswith(" bytes")
    assert answered.line.startswith("← result ")
    assert {line.who for line in (asked, answered)} == {"alice"}
    assert "private words" not in str(seen) + str(await tail(driver))


async def test_bodies_are_traced_where_that_is_on_and_never_secrets(driver: Driver) -> None:
    secret = 'se"cret-é'
    await driver.link.ask(c.Place(placement(trace_bodies=True, masked=[secret])))
    await driver.open(tool="echo", owner=ALICE).outcome()
    feed = watch(driver)
    await driver.open(tool="echo", arguments={"text": f"public words {secret}"}, owner=ALICE).outcome()
    asked, answered = (await lines(feed, "← result"))[-2:]
    for line in (asked, answered):
        assert "public words [secret]" in line.line and "cret-" not in line.line and line.is_open


async def test_bodies_of_callers_without_an_account_are_not_traced(driver: Driver) -> None:
    """Nobody told them. Their sessions are principals of their own; requests by themselves run on nobody's instance."""
    await driver.link.ask(c.Place(placement(trace_bodies=True)))
    session, alone = "anonymous:x7 anonymous-x7 d1", "anonymous anonymous d1"
    await driver.open(tool="echo", owner=session).outcome()
    feed = watch(driver)
    await driver.open(tool="echo", arguments={"text": "words"}, owner=session).outcome()
    await driver.open(tool="echo", arguments={"text": "words"}, owner=alone, isolation="").outcome()
    await driver.open(tool="echo", arguments={"text": "last"}, owner=ALICE).outcome()
    traced = await lines(feed, "last")
    assert not any("words" in line.line for line in traced)
    assert {line.is_open for line in traced if line.who.startswith("anonymous")} == {False}
    assert "result" in traced[-1].line or "tools/call" in traced[-1].line


async def test_a_large_body_is_cut_with_no_half_of_a_secret(driver: Driver) -> None:
    secret = "s3cret-" * 40
    await driver.link.ask(c.Place(placement(trace_bodies=True, masked=[secret])))
    await driver.open(tool="echo", owner=ALICE).outcome()
    feed = watch(driver)
    text = "x" * (64 * 1024 - 100) + secret * 3
    await driver.open(tool="echo", arguments={"text": text}, owner=ALICE).outcome()
    for line in (await lines(feed, "← result"))[-2:]:
        assert 60_000 < len(line.line) < 66_000 and "s3cret" not in line.line
    assert all(len(line.line) <= 4096 for line in await tail(driver))


async def test_a_flood_is_traced_in_part(driver: Driver) -> None:
    await driver.link.ask(c.Place(placement()))
    feed = watch(driver)
    calls = [driver.open(tool="echo", owner=ALICE, arguments={"text": str(n)}) for n in range(400)]
    await asyncio.gather(*(call.outcome() for call in calls))
    traced = [line for line in await tail(driver) if line.stream == "protocol"]
    assert 0 < len(traced) <= 500
    feed.close()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (m.request(7, b'"tools/call"', b'{"name":"a"}'), "→ tools/call 7, 12 bytes"),
        (m.notification("notifications/x"), "→ notifications/x, 0 bytes"),
        (m.response("s1", result=b"{}"), '→ result "s1", 2 bytes'),
        (m.response(3, error=b'{"code":1,"message":""}'), "→ error 3, 23 bytes"),
        (b"rubbish", "→ 7 bytes"),
    ],
)
def test_how_a_message_reads(line: bytes, words: str) -> None:
    assert tracing.sent(line, with_body=False).decode() == words
