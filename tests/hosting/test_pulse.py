"""Runners that freeze, are slow or go away, with real processes, and whether they are taken for dead."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Iterator

import pytest

from hosting.fleet.pulse import HELD_UP_SECONDS, MISSES, RESTARTING_MISSES, ROUND_SECONDS, Pulses
from hosting.runner.control import GetStatus
from hosting.stream.stream import RunnerPool
from tests.hosting.conftest import RunnerProcess

ROUND = 0.3  # long enough for a runner that runs to answer, also where others take its processor for a while
NONE: set[str] = set()


@pytest.fixture
async def pool() -> AsyncIterator[RunnerPool]:
    pool = RunnerPool("test")
    yield pool
    await pool.close()


@pytest.fixture
def frozen(runner_process: RunnerProcess) -> Iterator[RunnerProcess]:
    """Freeze it with SIGSTOP; it thaws at the end."""
    yield runner_process
    runner_process.process.send_signal(signal.SIGCONT)


async def heard(pulses: Pulses, pool: RunnerPool, addresses: dict[str, str]) -> None:
    """Until r1 has answered within a round: on a busy machine the first answer may come later."""
    while True:
        await pulses.round(pool, addresses)
        if not pulses._pulses["r1"]._missed:
            return


def test_the_sum_of_the_intervals_is_below_what_was_promised() -> None:
    assert ROUND_SECONDS * (1 + MISSES) <= 8
    assert ROUND_SECONDS * (1 + RESTARTING_MISSES) < 15


@pytest.mark.parametrize("was_connected", [True, False])
async def test_a_frozen_runner_is_silent_and_is_heard_again_when_it_thaws(
    frozen: RunnerProcess, pool: RunnerPool, was_connected: bool
) -> None:
    """The kernel goes on to take connections in for it."""
    pulses, addresses = Pulses(ROUND), {"r1": frozen.address}
    if was_connected:
        await heard(pulses, pool, addresses)
    frozen.process.send_signal(signal.SIGSTOP)
    said = [await pulses.round(pool, addresses) for _ in range(MISSES)]
    assert said == [NONE] * (MISSES - 1) + [{"r1"}]
    frozen.process.send_signal(signal.SIGCONT)
    while await pulses.round(pool, addresses):
        pass
    assert await pulses.round(pool, {}) == NONE
    assert pool.link_now(frozen.address) is None


async def test_a_slow_runner_is_not_silent(frozen: RunnerProcess, pool: RunnerPool) -> None:
    """It answers each question late, some when two more have been asked."""
    pulses, addresses = Pulses(ROUND), {"r1": frozen.address}
    for _ in range(4):
        frozen.process.send_signal(signal.SIGSTOP)
        for _ in range(MISSES - 1):
            assert await pulses.round(pool, addresses) == NONE
        frozen.process.send_signal(signal.SIGCONT)
        await (await pool.link(frozen.address)).ask(GetStatus())  # it runs again, and has answered what came before
        async with asyncio.timeout(60):
            while pulses._pulses["r1"]._missed:
                assert await pulses.round(pool, addresses) == NONE


async def test_rounds_in_which_we_were_held_up_prove_nothing(frozen: RunnerProcess, pool: RunnerPool) -> None:
    pulses, addresses = Pulses(ROUND), {"r1": frozen.address}
    frozen.process.send_signal(signal.SIGSTOP)
    loop = asyncio.get_running_loop()
    loop.call_later(ROUND / 2, time.sleep, HELD_UP_SECONDS + ROUND)
    said = [await pulses.round(pool, addresses) for _ in range(MISSES + 1)]
    assert said == [NONE] * MISSES + [{"r1"}]


async def test_a_killed_runner_is_silent_and_so_is_one_under_anothers_address(
    runner_process: RunnerProcess, pool: RunnerPool
) -> None:
    pulses, addresses = Pulses(ROUND), {"r1": runner_process.address, "other": runner_process.address}
    await heard(pulses, pool, {"r1": runner_process.address})
    rounds = [await pulses.round(pool, addresses) for _ in range(MISSES)]
    assert rounds[-1] == {"other"}
    await heard(pulses, pool, addresses)
    runner_process.kill()
    rounds = [await pulses.round(pool, {"r1": runner_process.address}) for _ in range(MISSES)]
    assert rounds == [NONE] * (MISSES - 1) + [{"r1"}]
