"""Links to a runner that freezes: what waits on them ends in time, and one that is only slow keeps them."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator

import pytest

from hosting.runner.control import GetStatus
from hosting.runner.frames import Reason
from hosting.stream import heartbeat
from hosting.stream.stream import DetachedError, RunnerPool, RunnerUnavailableError
from tests.hosting.conftest import RunnerProcess

BEAT = 0.4  # a runner that runs says something within it, also where others take its processor for a while


@pytest.fixture
async def pool(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[RunnerPool]:
    monkeypatch.setattr(heartbeat, "BEAT_SECONDS", BEAT)
    pool = RunnerPool("test")
    yield pool
    await pool.close()


async def test_what_waits_on_a_frozen_runner_ends_in_words(runner_process: RunnerProcess, pool: RunnerPool) -> None:
    link = await pool.link(runner_process.address)
    feed = link.attach("feed:none", owner="nobody")  # it is refused, once somebody reads it
    runner_process.process.send_signal(signal.SIGSTOP)
    try:
        waiting = link.attach("session:none", owner="nobody")
        async with asyncio.timeout(60):
            with pytest.raises(DetachedError, match="no sign of life") as ended:
                while True:
                    await waiting.next()
            with pytest.raises(RunnerUnavailableError):
                await link.ask(GetStatus())
        assert ended.value.reason == Reason.CLOSED
        assert feed.ended is not None
        assert pool.link_now(runner_process.address) is None
    finally:
        runner_process.process.send_signal(signal.SIGCONT)
    assert (await (await pool.link(runner_process.address)).ask(GetStatus())).runner == "r1"


async def test_a_slow_runner_keeps_its_links(runner_process: RunnerProcess, pool: RunnerPool) -> None:
    link = await pool.link(runner_process.address)
    for _ in range(3):
        runner_process.process.send_signal(signal.SIGSTOP)
        await asyncio.sleep(BEAT * (heartbeat.MISSES - 2))
        runner_process.process.send_signal(signal.SIGCONT)
        assert (await link.ask(GetStatus())).runner == "r1"
    assert pool.link_now(runner_process.address) is link
