"""A runner that takes nothing new, and one that was asked to stop."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from typing import Any

import pytest

from hosting.runner import control as c
from hosting.runner.frames import Kind, Reason
from hosting.stream.stream import DetachedError, RefusedError
from tests.runner.conftest import SECONDS, Call, Driver, placement, until


async def refused(call: Call) -> str:
    with pytest.raises(DetachedError) as caught:
        await call.outcome()
    return caught.value.reason


async def are_in_flight(driver: Driver, count: int) -> bool:
    return await driver.in_flight() == count


async def test_drained_it_takes_nothing_new_and_sessions_go_on(driver: Driver) -> None:
    await driver.link.ask(c.Place(placement()))
    await driver.session("s1")
    running = driver.open(tool="slow", arguments={"seconds": 0.5})
    assert (await driver.link.ask(c.Drain())).first
    assert (await driver.link.ask(c.GetStatus())).draining
    assert await refused(driver.open(tool="count")) == Reason.DRAINING
    assert await refused(driver.open("initialize", session="s2")) == Reason.DRAINING
    with pytest.raises(RefusedError) as caught:
        await driver.link.ask(c.Place(placement(deployment="d2")))
    assert caught.value.reason == Reason.DRAINING
    assert await driver.open(tool="echo", arguments={"text": "here"}, session="s1").text() == "here"
    assert await running.text() == "done"
    await driver.link.ask(c.Drain(is_on=False))
    assert await driver.open(tool="echo", arguments={"text": "again"}).text() == "again"


async def test_taken_away_with_a_grace_sessions_end_in_their_time(driver: Driver) -> None:
    await driver.link.ask(c.Place(placement()))
    await driver.session("s1")
    assert await driver.open(tool="echo", arguments={"text": "once"}).text() == "once"
    await driver.link.ask(c.Unplace("d1", 1, "moved", grace_seconds=60))
    assert await refused(driver.open(tool="count")) == Reason.UNPLACED
    assert await driver.open(tool="echo", arguments={"text": "here"}, session="s1", epoch=2).text() == "here"
    await driver.link.ask(c.EndSession("s1", "alice"))

    async def is_gone() -> bool:
        return not (await driver.link.ask(c.GetStatus())).placements

    await until(is_gone)


async def test_sigterm_waits_for_running_calls(driver: Driver) -> None:
    await driver.link.ask(c.Place(placement()))
    await driver.session("s1")
    call = driver.open(tool="slow", arguments={"seconds": 5})
    await until(lambda: are_in_flight(driver, 1))
    other = driver.open(tool="slow", arguments={"seconds": 1}, session="s1")
    assert await are_in_flight(driver, 2)
    driver.process.terminate()
    assert await other.text() == "done"
    assert await refused(driver.open(tool="count")) == Reason.DRAINING
    assert await call.text() == "done"
    async with asyncio.timeout(SECONDS):
        assert await driver.process.wait() == 0


async def test_sigterm_waits_no_longer_than_it_may(start_runner: Callable[..., Any]) -> None:
    driver: Driver = await start_runner(more=("--drain-seconds", "0.5"))
    await driver.link.ask(c.Place(placement()))
    call = driver.open(tool="slow", arguments={"seconds": 60})
    await until(lambda: are_in_flight(driver, 1))
    driver.process.terminate()
    outcome = await call.outcome()
    assert outcome.kind is Kind.ERROR
    assert b"the runner is stopping" in outcome.data
    async with asyncio.timeout(SECONDS):
        assert await driver.process.wait() == 0


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
async def test_asked_twice_it_hurries(start_runner: Callable[..., Any], second: signal.Signals) -> None:
    driver: Driver = await start_runner(more=("--drain-seconds", "600"))
    await driver.link.ask(c.Place(placement()))
    call = driver.open(tool="slow", arguments={"seconds": 600})
    await until(lambda: are_in_flight(driver, 1))
    driver.process.terminate()

    async def is_draining() -> bool:  # two signals of one kind at once would be one
        return (await driver.link.ask(c.GetStatus())).draining

    await until(is_draining)
    driver.process.send_signal(second)
    async with asyncio.timeout(SECONDS):
        assert (await call.outcome()).kind is Kind.ERROR
        assert await driver.process.wait() == 0


async def test_what_it_never_saw_may_be_asked_elsewhere(driver: Driver) -> None:
    """Only what the runner may have taken is told that its connection broke."""
    await driver.link.ask(c.Place(placement()))
    assert await driver.open(tool="echo", arguments={"text": "awake"}).text() == "awake"
    driver.process.terminate()
    async with asyncio.timeout(SECONDS):
        while not driver.link.is_held:  # noqa: ASYNC110 - nobody is told
            await asyncio.sleep(0)
    assert await refused(driver.open(tool="count")) == Reason.UNPLACED
    assert await driver.process.wait() == 0
