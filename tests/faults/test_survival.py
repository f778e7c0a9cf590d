"""Kill -9 of one part after another while tasks run: each accepted task ends as it should, its tool having run once.

Set SLIPWAY_FAULT_ROUNDS to repeat each. What is killed when is drawn anew in every round, and said where one fails.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import random
import signal
import subprocess
from collections import Counter
from collections.abc import Callable

import httpx
import pytest

from tests.faults.conftest import Broken, Caller

ROUNDS = int(os.environ.get("SLIPWAY_FAULT_ROUNDS", "1"))
TASKS = 200
AT_ONCE = 10  # creations
SECONDS = 180.0
WORK_SECONDS = 6.0

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]
_names = itertools.count(1)


def all_workers(broken: Broken, second: subprocess.Popen[bytes]) -> None:
    second.kill()
    broken.kill("manage.py worker")


Kill = Callable[[Broken, "subprocess.Popen[bytes]"], None]
CASES: dict[str, Kill] = {
    "one of two workers": lambda broken, second: second.kill(),
    "all workers": all_workers,
    "a web process": lambda broken, second: broken.kill("manage.py web"),
    "beat": lambda broken, second: broken.kill("manage.py beat"),
    "valkey": lambda broken, second: broken.kill("valkey-server"),
    "valkey, by restart": lambda broken, second: broken.kill("valkey-server", signal.SIGTERM),
    "postgres": lambda broken, second: broken.kill("postgres"),
    "postgres, by restart": lambda broken, second: broken.kill("postgres", signal.SIGINT),
}


class Batch:
    """Tasks that are created while something dies: those whose creation was answered have been promised."""

    def __init__(self, caller: Caller, count: int, seconds: float) -> None:
        self._caller = caller
        self._left = iter([f"n{next(_names)}" for _ in range(count)])
        self._seconds = seconds
        self.promised: dict[str, str] = {}  # task by name of its run
        self.unanswered: list[str] = []

    async def create(self) -> None:
        await asyncio.gather(*(self._some() for _ in range(AT_ONCE)))

    async def _some(self) -> None:
        for name in self._left:
            try:
                task = await self._caller.start("work", name=name, seconds=self._seconds)
            except (httpx.HTTPError, KeyError, TypeError, ValueError):
                self.unanswered.append(name)
                await asyncio.sleep(0.1)
            else:
                self.promised[name] = task["taskId"]

    async def check(self) -> None:
        """Each promised one has its result and ran once, no other one more than once."""
        ended = await self._caller.ends(list(self.promised.values()), SECONDS)
        assert Counter(ended.values()) == {"completed": len(self.promised)}
        ran = (await self._caller.again(lambda: runs(self._caller)))["result"]
        wrong = {name: ran.get(name, 0) for name in self.promised if ran.get(name, 0) != 1}
        assert not wrong
        assert not {name: ran[name] for name in self.unanswered if ran.get(name, 0) > 1}


async def runs(caller: Caller) -> dict[str, dict[str, int]]:
    return {"result": json.loads(await caller.call("runs"))}


@pytest.mark.parametrize("case", CASES)
async def test_every_task_ends_and_ran_once(broken: Broken, caller: Caller, case: str) -> None:
    for number in range(ROUNDS):
        seed = random.randrange(10**6)
        moment = random.Random(seed).uniform(0.2, WORK_SECONDS + 2)
        batch = Batch(caller, TASKS, WORK_SECONDS)
        with broken.second_worker() as second:
            creating = asyncio.create_task(batch.create())
            await asyncio.sleep(moment)
            await asyncio.to_thread(CASES[case], broken, second)
            await creating
            print(f"{case}, round {number + 1}: {moment:.2f} s, {len(batch.promised)} promised", flush=True)
            assert len(batch.promised) > TASKS / 4
            await batch.check()


async def test_outcomes_of_a_killed_workers_tasks_come_within_ten_seconds_of_a_worker(
    broken: Broken, caller: Caller
) -> None:
    """Jobs that the worker had taken and not acknowledged are its broker's for an hour; nothing waits for those."""
    for _ in range(ROUNDS):
        batch = Batch(caller, 40, WORK_SECONDS)
        await batch.create()
        await broken.until_all_run()
        await asyncio.sleep(random.uniform(0, WORK_SECONDS))
        before = broken.workers_so_far
        with broken.nothing_started_again():
            broken.kill("manage.py worker")
            await asyncio.sleep(WORK_SECONDS)  # until the tools have ended
        await broken.until_a_worker_is_there(before)
        took = await broken.until_none_works()
        print(f"outcomes were there {took:.1f} s after a worker", flush=True)
        assert took < 10
        await batch.check()


async def test_a_crashed_runners_tasks_fail_with_the_reason_and_finished_ones_do_not(
    broken: Broken, caller: Caller
) -> None:
    for _ in range(ROUNDS):
        done, running = Batch(caller, 5, 0.1), Batch(caller, 20, 60)
        await done.create()
        finished = list(done.promised.values())
        await caller.ends(finished, 30)
        await running.create()
        await broken.until_all_run()
        await asyncio.sleep(random.uniform(0, 3))
        broken.kill("hosting.runner")
        await caller.again(caller.initialize)  # its session went with the runner; its tasks did not
        lost = list(running.promised.values())
        assert set((await caller.ends(lost, 60)).values()) == {"failed"}
        assert "runner" in (await caller.get(lost[0]))["result"]["statusMessage"]
        assert set((await caller.ends(finished, 10)).values()) == {"completed"}


async def test_no_task_works_for_long_without_a_living_instance(broken: Broken, caller: Caller) -> None:
    """First their server dies, then their runner, which stays away until all is over: within 20 s none works."""
    for _ in range(ROUNDS):
        done = Batch(caller, 5, 0.1)
        await done.create()
        await caller.ends(list(done.promised.values()), 30)
        orphans = Batch(caller, 20, 120)
        await orphans.create()
        await broken.until_all_run()
        await asyncio.sleep(random.uniform(0, 3))
        count = broken.kill_each("slipway-test-workshop")
        assert count
        print(f"killed {count} processes", flush=True)
        server = await broken.until_none_works()
        await caller.again(caller.initialize)  # its session went with the server
        lost = Batch(caller, 20, 120)
        await lost.create()
        await broken.until_all_run()
        await asyncio.sleep(random.uniform(0, 3))
        with broken.nothing_started_again():
            broken.kill("hosting.runner")
            runner = await broken.until_none_works()
        print(f"none works {server:.1f} s after their server, {runner:.1f} s after their runner", flush=True)
        assert max(server, runner) < 20
        await caller.again(caller.initialize)
        tasks = [*orphans.promised.values(), *lost.promised.values()]
        assert set((await caller.ends(tasks, 30)).values()) == {"failed"}
        assert set((await caller.ends(list(done.promised.values()), 10)).values()) == {"completed"}


async def test_outcomes_that_nobody_took_survive_the_runner(broken: Broken, caller: Caller) -> None:
    """All that could take them is dead when the tools end, and then the runner dies too: its spool has them."""
    for _ in range(ROUNDS):
        batch = Batch(caller, 20, 2.5)
        await batch.create()
        await asyncio.sleep(0.5)
        os.kill(worker := broken.site.part("manage.py worker"), signal.SIGSTOP)  # so that none is started in its place
        try:
            await asyncio.sleep(4)
            broken.kill("hosting.runner")
        finally:
            os.kill(worker, signal.SIGKILL)
        await caller.again(caller.initialize)
        ended = await caller.ends(list(batch.promised.values()), 60)
        assert Counter(ended.values()) == {"completed": 20}


async def test_a_web_process_that_dies_before_the_commit_has_promised_nothing(broken: Broken, caller: Caller) -> None:
    """Whoever got no answer may find a task or none; whoever got one finds it."""
    for _ in range(ROUNDS):
        batch = Batch(caller, 1000, 0)
        creating = asyncio.create_task(batch.create())
        await asyncio.sleep(random.uniform(0.3, 2))
        broken.kill("manage.py web")
        await asyncio.sleep(1)
        creating.cancel()
        await asyncio.gather(creating, return_exceptions=True)
        assert batch.promised
        await batch.check()
