"""Calls beyond what an instance runs at once: they wait briefly, and then are told that it is busy."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from hosting.runner import control as c
from hosting.runner.frames import EndRule, Kind, Reason
from hosting.runner.placement import Limits
from hosting.stream.stream import DetachedError
from tests.runner.conftest import Call, Driver, placement


def limited(**limits: Any) -> c.Place:
    return c.Place(placement(limits=Limits(**limits), max_instances=1))


def slow(driver: Driver, seconds: float, **fields: Any) -> Call:
    return driver.open(tool="slow", arguments={"seconds": seconds}, **fields)


async def busy(call: Call) -> str:
    with pytest.raises(DetachedError) as caught:
        await call.outcome()
    assert caught.value.reason == Reason.BUSY
    return str(caught.value)


async def in_flight(driver: Driver) -> int:
    (seen,) = (await driver.link.ask(c.GetStatus())).placements
    return sum(instance.in_flight for instance in seen.instances)


@pytest.mark.parametrize("fields", [{"session": "s1"}, {}], ids=["legacy", "modern"])
async def test_a_burst_over_the_limit_loses_no_call(driver: Driver, fields: dict[str, str]) -> None:
    await driver.link.ask(limited(in_flight=4))
    if fields:
        await driver.session()
    calls = [slow(driver, 0.1, **fields) for _ in range(24)]
    assert await asyncio.gather(*(call.text() for call in calls)) == ["done"] * 24


async def test_no_more_than_the_limit_run_at_once(driver: Driver) -> None:
    await driver.link.ask(limited(in_flight=2))
    await driver.session()
    running = [slow(driver, 3, session="s1") for _ in range(2)]
    third = slow(driver, 0, session="s1")
    told = await third.attachment.next()
    assert (told.kind, b"waiting: 2 calls are running already" in told.data) == (Kind.STATUS, True)
    assert await in_flight(driver) == 2
    assert await driver.open("ping", session="s1").outcome()  # waits as well, and has its turn
    for call in (*running, third):
        assert await call.text() == "done"


async def test_a_call_that_has_no_turn_in_time_is_told_that_the_server_is_busy(driver: Driver) -> None:
    await driver.link.ask(limited(in_flight=1, waiting_seconds=0.4))
    await driver.session()
    running = slow(driver, 4, session="s1")
    late = slow(driver, 0, session="s1", exchange="late")
    assert "busy: 1 calls are running already" in await busy(late)
    resumed = await Call(driver.link.attach(late.attachment.exchange, owner="alice")).outcome()
    assert (resumed.kind, b"is busy" in resumed.data) == (Kind.ERROR, True)
    assert await running.text() == "done"
    assert await driver.open(tool="count", session="s1").text() == "1"  # it never ran


async def test_a_task_waits_for_its_turn_however_long_that_takes(driver: Driver) -> None:
    await driver.link.ask(limited(in_flight=1, waiting_seconds=0.2))
    await driver.session()
    running = slow(driver, 1.0, session="s1")
    task = slow(driver, 0, session="s1", exchange="task-t1-1", task="t1", end=EndRule.KEEP)
    kept = slow(driver, 0, session="s1", exchange="k")
    taken = await driver.link.ask(c.Keep(exchange=kept.attachment.exchange, owner="alice", task="t2"))
    assert taken.first
    assert [await call.text() for call in (running, task, kept)] == ["done"] * 3


async def test_only_so_many_wait(driver: Driver) -> None:
    await driver.link.ask(limited(in_flight=1, waiting=1))
    await driver.session()
    running, waiting = slow(driver, 0.5, session="s1"), slow(driver, 0, session="s1")
    assert "1 wait for their turn" in await busy(slow(driver, 0, session="s1"))
    assert [await running.text(), await waiting.text()] == ["done", "done"]


async def test_a_waiting_call_is_cancelled_before_it_ran(driver: Driver) -> None:
    await driver.link.ask(limited(in_flight=1))
    await driver.session()
    running, waiting = slow(driver, 0.5, session="s1"), slow(driver, 0, session="s1", exchange="w")
    await driver.link.ask(c.Cancel(exchange=waiting.attachment.exchange, owner="alice"))
    assert (await waiting.outcome()).kind is Kind.CANCELLED
    assert await running.text() == "done"
    assert await driver.open(tool="count", session="s1").text() == "1"


async def test_calls_that_wait_end_with_their_instance(driver: Driver) -> None:
    await driver.link.ask(limited(in_flight=1))
    await driver.session()
    crashing = driver.open(tool="crash", session="s1")
    waiting = slow(driver, 0, session="s1")
    for call in (crashing, waiting):
        outcome = await call.outcome()
        assert (outcome.kind, b"exited with code 3" in outcome.data) == (Kind.ERROR, True)
