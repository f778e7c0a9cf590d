"""Servers that misbehave, in each runtime: their calls end in words and in time, and nobody else's suffer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from config.launch.processes import command_line, descendants
from hosting.runner import control as c
from hosting.runner.frames import Event, Kind
from hosting.runner.placement import Limits
from tests.runner.conftest import SECONDS, Call, Driver, placement, until

LIMITS = Limits(processes=16, memory_bytes=256 * 2**20)


@pytest.fixture(params=["bubblewrap", "insecure"])
def sandbox(request: pytest.FixtureRequest) -> str:
    """The runtime by its name."""
    name: str = request.param
    return name


@pytest.fixture
async def driver(start_runner: Callable[..., Any], sandbox: str) -> Driver:
    """A well-behaved neighbour is awake already."""
    started: Driver = await start_runner(sandbox)
    await started.link.ask(c.Place(placement(deployment="neighbour", label="bob/neighbour")))
    await neighbour(started)
    return started


async def neighbour(driver: Driver) -> None:
    """A call of somebody else is answered."""
    async with asyncio.timeout(SECONDS):
        call = driver.open(tool="echo", deployment="neighbour", owner="bob", arguments={"text": "hello"})
        assert await call.text() == "hello"


async def until_said(driver: Driver, words: str) -> list[str]:
    """The lines of its output, once one has these words."""
    lines: list[str] = []

    async def is_said() -> bool:
        lines[:] = [line.line for line in (await driver.link.ask(c.GetTail("d1", 500))).lines]
        return any(words in line for line in lines)

    await until(is_said)
    return lines


async def begin(driver: Driver, mode: str, **changes: Any) -> Call:
    values = {"era": "legacy", "limits": LIMITS, "env": {"MODE": mode}, **changes}
    await driver.link.ask(c.Place(placement("misbehaving", **values)))
    return driver.open(tool="any")


def words(event: Event) -> str:
    assert event.kind is Kind.ERROR, event
    return str(msgspec.json.decode(event.data)["message"])


def processes_of(driver: Driver) -> set[int]:
    """All that the runner has started."""
    return set(descendants(driver.process.pid))


async def until_gone(pids: set[int]) -> None:
    async def are_gone() -> bool:
        return not [pid for pid in pids if command_line(pid)]

    await until(are_gone)


async def test_one_that_is_never_ready_is_given_up(driver: Driver) -> None:
    before = processes_of(driver)
    call = await begin(driver, "silent", start_seconds=1.0)
    assert "could not start: did not answer within 1 s" in words(await call.outcome())
    await until_gone(processes_of(driver) - before)
    await neighbour(driver)


async def test_one_that_dies_in_mid_call_is_quoted(driver: Driver) -> None:
    call = await begin(driver, "dies")
    said = words(await call.outcome())
    assert "ended during the call: exited with code 7; its last lines: I give up" in said


async def test_one_that_closes_its_output_is_ended(driver: Driver) -> None:
    call = await begin(driver, "closes")
    assert "closed its output" in words(await call.outcome())
    await neighbour(driver)


async def test_one_that_reads_no_more_is_ended_when_too_much_waits_for_it(driver: Driver) -> None:
    call = await begin(driver, "deaf")
    await asyncio.sleep(0.5)
    big = msgspec.json.encode({"name": "any", "arguments": {"text": "x" * 3_000_000}})
    others = [driver.open(params=big) for _ in range(6)]
    for one in (call, *others):
        assert "does not read its input" in words(await one.outcome())
    await neighbour(driver)


async def test_one_that_floods_its_output_ends_no_other_call(driver: Driver) -> None:
    call = await begin(driver, "floods-output")
    await asyncio.sleep(1)
    await neighbour(driver)
    await driver.link.ask(c.Cancel(exchange=call.attachment.exchange, owner="alice"))
    assert (await call.outcome()).kind is Kind.CANCELLED
    await until_said(driver, "lines were dropped: over 200 a second")


async def test_one_that_floods_its_errors_still_answers(driver: Driver) -> None:
    call = await begin(driver, "floods-errors")
    assert await call.text() == "done"
    assert len(await until_said(driver, "lines were dropped")) <= 500
    await neighbour(driver)


async def test_ten_thousand_notifications_a_second_are_taken(driver: Driver) -> None:
    call = await begin(driver, "notifies")
    await neighbour(driver)
    assert await call.text() == "done"


@pytest.mark.parametrize("sandbox", ["bubblewrap"])  # nothing else can hold a process that leaves its session
async def test_what_it_forks_ends_with_it(driver: Driver) -> None:
    before = processes_of(driver)
    call = await begin(driver, "forks")
    assert int(await call.text()) <= LIMITS.processes
    forked = processes_of(driver) - before
    assert len(forked) > 5
    await driver.link.ask(c.Unplace("d1", 1, "enough"))
    await until_gone(forked)


async def test_one_that_ignores_every_wish_to_end_is_ended_by_force(driver: Driver) -> None:
    call = await begin(driver, "stays")
    assert await call.text() == "done"
    (placed,) = [p for p in (await driver.link.ask(c.GetStatus())).placements if p.deployment == "d1"]
    pid = placed.instances[0].pid
    await driver.link.ask(c.Unplace("d1", 1, "enough"))
    await until_gone({pid})


async def test_half_messages_are_put_together(driver: Driver) -> None:
    call = await begin(driver, "babbles")
    assert await call.text() == "é" * 20


@pytest.mark.parametrize("mode", ["floods-output", "floods-errors", "stays", "deaf"])
async def test_the_runner_ends_in_time_whatever_runs(driver: Driver, mode: str) -> None:
    await begin(driver, mode)
    await asyncio.sleep(0.7)
    started = processes_of(driver)
    driver.process.send_signal(2)
    async with asyncio.timeout(SECONDS):
        assert await driver.process.wait() == 0
    await until_gone(started)


@pytest.mark.parametrize("mode", ["floods-output", "floods-errors", "notifies", "babbles"])
async def test_a_restart_in_place_is_not_held_up(driver: Driver, mode: str) -> None:
    call = await begin(driver, mode)
    await asyncio.sleep(0.3)
    await driver.link.ask(c.Restart())

    async def is_restarted() -> bool:
        return bool((await driver.link.ask(c.GetStatus())).restarts)

    await until(is_restarted)
    await neighbour(driver)
    if mode in ("notifies", "floods-errors"):
        assert await call.text() == "done"
    elif mode == "babbles":
        assert await call.text() == "é" * 20
