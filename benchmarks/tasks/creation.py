"""From a call to its task, to its start, to its result; beside FastMCP's tasks and a bare Celery job, in one run.

    uv run --with-requirements requirements.lock python -m benchmarks.tasks.creation

Open loop: a call is due every 1/rate s and its time counts from then, whatever the ones before it do. The tool runs
for 0.3 s and says when it was called and when it answered. Contenders take turns; each has a Valkey of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

from benchmarks.endpoint.processes import cpu_seconds
from benchmarks.tasks.contenders import BareCelery, FastMcp
from benchmarks.tasks.hosted import Site
from benchmarks.tasks.talk import Refused, Session

SECONDS = 0.3  # that the tool runs


@dataclass
class Times:
    """Milliseconds of each task, by what is waited for."""

    created: list[float] = field(default_factory=list)
    started: list[float] = field(default_factory=list)
    visible: list[float] = field(default_factory=list)
    failed: int = 0
    cpu: float = 0.0  # seconds of all its processes

    def row(self, name: str) -> str:
        cells = []
        for found in (self.created, self.started, self.visible):
            cells += [f"{percentile(found, 50):.1f}, {percentile(found, 95):.1f}" if found else ""]
        each = self.cpu / max(1, len(self.created)) * 1000
        failed = f" ({self.failed} failed)" if self.failed else ""
        return f"| {name}{failed} | {' | '.join(cells)} | {each:.1f} |"


def percentile(values: list[float], which: int) -> float:
    return statistics.quantiles(values, n=100)[which - 1] if len(values) > 1 else values[0]


class Contender(Protocol):
    name: str
    pids: list[int]

    async def one(self, times: Times, due: float) -> None:
        """One task from its creation to its end. `due` is seconds since 1970."""


class Slipway:
    name = "Slipway"

    def __init__(self, site: Site, session: Session) -> None:
        self.pids = [site.stack.pid]
        self._session = session

    async def one(self, times: Times, due: float) -> None:
        task = await self._session.create("stamp", seconds=SECONDS)
        times.created.append((time.time() - due) * 1000)
        said = await self._session.result(task)
        times.visible.append((time.time() - said["ended"]) * 1000)
        times.started.append((said["began"] - due) * 1000)


async def load(contender: Contender, rate: float, seconds: float) -> Times:
    times = Times()
    loop = asyncio.get_running_loop()
    before = sum(cpu_seconds(pid) for pid in contender.pids)
    began, wall = loop.time(), time.time()
    running: set[asyncio.Task[None]] = set()

    async def one(due: float) -> None:
        try:
            await contender.one(times, due)
        except (Refused, EOFError, OSError, KeyError, ValueError) as error:
            times.failed += 1
            print(f"<!-- {contender.name}: {error!r} -->")

    for number in range(int(rate * seconds)):
        await asyncio.sleep(max(0.0, began + number / rate - loop.time()))
        task = asyncio.create_task(one(wall + number / rate))
        running.add(task)
        task.add_done_callback(running.discard)
    if running:
        await asyncio.wait(running, timeout=60)
    times.cpu = sum(cpu_seconds(pid) for pid in contender.pids) - before
    return times


async def measure(site: Site, rate: float, seconds: float, rounds: int, warm: Callable[[], Awaitable[None]]) -> None:
    session = Session(site.targets["shared"].url, site.targets["shared"].token)
    await session.initialize()
    await warm()
    contenders: list[Contender] = [Slipway(site, session)]
    with FastMcp() as fastmcp, BareCelery() as celery, ThreadPoolExecutor(32) as threads:
        await fastmcp.connect()
        asyncio.get_running_loop().set_default_executor(threads)
        contenders += [fastmcp, celery]
        found: dict[str, list[Times]] = {}
        for number in range(rounds + 1):
            for contender in contenders:
                times = await load(contender, rate, seconds if number else 3.0)
                if number:  # the one before warms caches
                    found.setdefault(contender.name, []).append(times)
        print(f"\n{rate:g} a second, {rounds} rounds of {seconds:g} s, load {os.getloadavg()[0]:.1f}\n")
        print("| | created: p50, p95 ms | called: p50, p95 ms | visible after its end: p50, p95 ms | CPU ms a task |")
        print("|---|---|---|---|---|")
        for name, all_times in found.items():
            print(_median(all_times).row(name))
    session.close()


def _median(runs: list[Times]) -> Times:
    """The round with the median p95 of creation."""
    return sorted(runs, key=lambda times: percentile(times.created, 95))[len(runs) // 2]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=float, default=50.0)
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    site = Site()

    async def warm() -> None:
        with suppress(Refused):
            session = Session(site.targets["shared"].url, site.targets["shared"].token)
            await session.initialize()
            await session.result(await session.create("stamp", seconds=0))
            session.close()

    try:
        asyncio.run(measure(site, arguments.rate, arguments.seconds, arguments.rounds, warm))
    finally:
        site.stop()


if __name__ == "__main__":
    main()
