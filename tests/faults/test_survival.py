"""Kill -9 of one part after another while tasks run: each accepted task ends as it should, its tool having run once.

Set SLIPWAY_FAULT_ROUNDS to repeat each.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter

import pytest

from tests.faults.conftest import Broken, Caller

ROUNDS = int(os.environ.get("SLIPWAY_FAULT_ROUNDS", "1"))
TASKS = 200
SECONDS = 180.0

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


async def start(caller: Caller, count: int, seconds: float) -> list[str]:
    return [(await caller.start("slow", seconds=seconds))["taskId"] for _ in range(count)]


async def runs(caller: Caller) -> int:
    return int(await caller.call("count"))


@pytest.mark.parametrize("part", ["manage.py worker", "manage.py beat", "manage.py web", "valkey-server", "postgres"])
async def test_every_task_ends_and_ran_once(broken: Broken, caller: Caller, part: str) -> None:
    for _ in range(ROUNDS):
        before = await runs(caller)
        tasks = await start(caller, TASKS, 4)
        broken.kill(part)
        ended = await caller.ends(tasks, SECONDS)
        assert Counter(ended.values()) == {"completed": TASKS}
        assert await caller.again(lambda: counted(caller)) == {"result": before + TASKS}


async def counted(caller: Caller) -> dict[str, int]:
    return {"result": await runs(caller)}


async def test_outcomes_of_a_killed_workers_tasks_come_within_ten_seconds_of_a_worker(
    broken: Broken, caller: Caller
) -> None:
    tasks = await start(caller, 20, 3)
    await asyncio.sleep(1)
    broken.kill("manage.py worker")
    await asyncio.sleep(3)
    await asyncio.to_thread(broken.wait_for, "manage.py worker")
    began = time.monotonic()
    ended = await caller.ends(tasks, 60)
    assert Counter(ended.values()) == {"completed": 20}
    assert time.monotonic() - began < 10 + 3  # a worker takes some seconds to be there after its process is


async def test_a_crashed_runners_tasks_fail_with_the_reason_and_finished_ones_do_not(
    broken: Broken, caller: Caller
) -> None:
    done = await start(caller, 5, 0.1)
    await caller.ends(done, 30)
    running = await start(caller, 20, 60)
    await asyncio.sleep(2)
    broken.kill("hosting.runner")
    fresh = Caller(broken.url, broken.token, caller._http)
    await fresh.again(fresh.initialize)  # its session went with the runner; its tasks did not
    ended = await fresh.ends(running, 60)
    assert set(ended.values()) == {"failed"}
    reason = (await fresh.get(running[0]))["result"]["statusMessage"]
    assert "runner" in reason
    assert set((await fresh.ends(done, 10)).values()) == {"completed"}


async def test_a_web_process_that_dies_before_the_commit_has_promised_nothing(broken: Broken, caller: Caller) -> None:
    """Whoever got no answer may find a task or none; whoever got one finds it."""
    answered: list[str] = []

    async def creating() -> None:
        while True:
            answered.append((await caller.start("echo", text="x"))["taskId"])

    work = asyncio.create_task(creating())
    await asyncio.sleep(1)
    broken.kill("manage.py web")
    await asyncio.gather(work, return_exceptions=True)
    assert answered
    ended = await caller.ends(answered, 60)
    assert set(ended.values()) == {"completed"}
