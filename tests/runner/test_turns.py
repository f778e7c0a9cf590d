"""Starts take turns between owners."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from hosting.runner import control as c
from hosting.runner import starter
from hosting.runner.frames import Kind
from hosting.runner.placement import Limits
from hosting.runner.starter import Turns
from tests.runner.conftest import SECONDS, Driver, placement

LONG = 4.0  # what a call of the other owner takes


class Starts:
    """Starts that last until they are told to end."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self.begun: list[str] = []
        self.told: dict[str, int] = {}
        self._ends: dict[str, asyncio.Event] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}

    async def begin(self, owner: str, name: str) -> None:
        self._ends[name] = asyncio.Event()
        self.tasks[name] = asyncio.create_task(self._one(owner, name))
        await asyncio.sleep(0)

    async def _one(self, owner: str, name: str) -> None:
        async with self._turns.turn(owner, lambda ahead: self.told.__setitem__(name, ahead)):
            self.begun.append(name)
            await self._ends[name].wait()

    async def end(self, name: str) -> None:
        self._ends[name].set()
        await self.tasks[name]
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    async def close(self) -> None:
        for task in self.tasks.values():
            task.cancel()
        await asyncio.gather(*self.tasks.values(), return_exceptions=True)


async def test_one_owners_many_do_not_hold_up_anothers_one() -> None:
    starts = Starts(Turns(2))
    for number in range(500):
        await starts.begin("alice", f"a{number}")
    await starts.begin("bob", "b0")
    await starts.begin("carol", "c0")
    assert starts.begun == ["a0", "a1"]
    assert (starts.told["a499"], starts.told["b0"], starts.told["c0"]) == (497, 0, 0)
    for name in ("a0", "a1", "a2"):
        await starts.end(name)
    assert starts.begun == ["a0", "a1", "a2", "b0", "c0"]
    await starts.end("b0")
    await starts.end("c0")
    assert starts.begun[5:] == ["a3", "a4"]
    await starts.close()


async def test_who_gives_up_waiting_loses_nobody_a_turn() -> None:
    starts = Starts(Turns(1))
    for name in ("a0", "a1", "a2"):
        await starts.begin("alice", name)
    starts.tasks["a1"].cancel()
    await asyncio.sleep(0)
    await starts.end("a0")
    assert starts.begun == ["a0", "a2"]
    await starts.end("a2")
    await starts.begin("bob", "b0")
    assert starts.begun[-1] == "b0"
    await starts.close()


async def test_given_a_turn_and_cancelled_at_once_it_passes_on() -> None:
    starts = Starts(Turns(1))
    for name in ("a0", "a1", "a2"):
        await starts.begin("alice", name)
    starts._ends["a0"].set()
    await asyncio.wait({starts.tasks["a0"]})
    starts.tasks["a1"].cancel()  # its turn may have come in this very moment
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert starts.begun[-1] == "a2"
    await starts.close()


async def test_one_that_says_nothing_holds_its_turn_for_a_limited_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starter, "TURN_SECONDS", 0.05)
    starts = Starts(Turns(1))
    await starts.begin("alice", "hangs")
    monkeypatch.setattr(starter, "TURN_SECONDS", SECONDS)  # what begins from here on keeps its turn
    await starts.begin("bob", "b0")
    async with asyncio.timeout(SECONDS):
        while "b0" not in starts.begun:  # noqa: ASYNC110 - time alone brings it
            await asyncio.sleep(0.01)
    await starts.begin("bob", "b1")
    assert "b1" not in starts.begun
    await starts.end("hangs")  # has no turn to give back any more
    assert "b1" not in starts.begun
    await starts.end("b0")
    assert "b1" in starts.begun
    await starts.close()


async def test_closed_nobody_begins_and_opened_they_do() -> None:
    turns = Turns(1)
    starts = Starts(turns)
    turns.close()
    await starts.begin("alice", "a0")
    assert starts.begun == []
    turns.open()
    await asyncio.sleep(0)
    assert starts.begun == ["a0"]
    await starts.close()


async def test_another_owners_call_is_answered_while_five_hundred_wait(driver: Driver) -> None:
    """All of them are cold."""
    await two_owners(driver, max_instances=1000)
    for number in range(500):
        driver.open(tool="echo", isolation=f"u{number}", arguments={"text": "x"})
    print(f"answered after {await bobs(driver):.2f} s")
    (alices,) = [p for p in (await driver.link.ask(c.GetStatus())).placements if p.deployment == "d1"]
    assert sum(1 for i in alices.instances if i.state == "starting") > 300


async def test_another_owners_calls_are_answered_while_five_hundred_run_and_wait(driver: Driver) -> None:
    """Both servers are awake. One owner has as many at once as a deployment may, and as many more behind."""
    limits = Limits(processes=600, in_flight=250, waiting=250, waiting_seconds=SECONDS)  # a thread for each
    await two_owners(driver, limits=limits, max_instances=1)
    await bobs(driver)
    assert await driver.open(tool="echo", arguments={"text": "awake"}).text() == "awake"
    calls = [driver.open(tool="slow", arguments={"seconds": LONG}) for _ in range(500)]
    took = [await bobs(driver)]
    assert await driver.in_flight() == 250
    took += [await bobs(driver) for _ in range(19)]
    print(f"answered after {max(took):.3f} s at most")
    assert max(took) < LONG, "it waited for one of the other owner's"
    assert [await call.text() for call in calls] == ["done"] * 500


async def two_owners(driver: Driver, **alices: Any) -> None:
    await driver.link.ask(c.Place(placement(owner="alice", **alices)))
    await driver.link.ask(c.Place(placement(deployment="d2", label="bob/test", owner="bob")))


async def bobs(driver: Driver) -> float:
    """How long the other owner's one call takes, in seconds."""
    began = time.monotonic()
    call = driver.open(tool="echo", deployment="d2", owner="bob", arguments={"text": "mine"})
    assert await call.text() == "mine"
    return time.monotonic() - began


async def test_the_caller_is_told_that_it_waits(driver: Driver) -> None:
    await driver.link.ask(c.Place(placement(max_instances=100)))
    calls = [driver.open(tool="echo", isolation=f"u{n}", arguments={"text": "x"}) for n in range(3 * starter.AT_ONCE)]
    told = []
    while (event := await calls[-1].attachment.next()).kind is Kind.STATUS:
        told.append(event.data)
    assert event.kind is Kind.RESULT
    assert any(b"waits for its turn" in data for data in told), told
