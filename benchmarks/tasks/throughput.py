"""How many tasks a second one worker brings to their end: created, started, taken, each with a result.

uv run --with-requirements requirements.lock python -m benchmarks.tasks.throughput
"""

from __future__ import annotations

import argparse
import asyncio
import os
import time

from benchmarks.endpoint.processes import cpu_seconds
from benchmarks.hosting.weight import PARTS, pid_of
from benchmarks.tasks.hosted import Site
from benchmarks.tasks.many import create
from benchmarks.tasks.talk import Session

ENDED = "select count(*) from hosting_task where state = 'ended'"


async def measure(site: Site, count: int, rounds: int) -> None:
    session = Session(site.targets["shared"].url, site.targets["shared"].token)
    await session.initialize()
    done = site.rows(ENDED)[0][0] + 50
    await create(session, "stamp", 50)
    print("| tasks | created, a second | ended, a second | CPU ms a task: web | worker | runner | all |")
    print("|---|---|---|---|---|---|---|")
    for _ in range(rounds):
        await ended(site, done)
        done += count
        before = used(site)
        began = time.monotonic()
        await create(session, "stamp", count)
        created = time.monotonic() - began
        await ended(site, done)
        over = time.monotonic() - began
        cpu = {part: (seconds - before[part]) / count * 1000 for part, seconds in used(site).items()}
        cells = " | ".join(f"{cpu[part]:.1f}" for part in ("web", "worker", "runner", "all"))
        print(f"| {count} | {count / created:.0f} | {count / over:.0f} | {cells} |", flush=True)
    print(f"\nload {os.getloadavg()[0]:.1f}")
    session.close()


def used(site: Site) -> dict[str, float]:
    found = {part: cpu_seconds(pid_of(site.stack, part)) for part in PARTS if part != "beat"}
    return {**found, "all": cpu_seconds(site.stack.pid)}


async def ended(site: Site, count: int) -> None:
    while site.rows(ENDED)[0][0] < count:  # noqa: ASYNC110
        await asyncio.sleep(0.1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    site = Site()
    try:
        asyncio.run(measure(site, arguments.tasks, arguments.rounds))
    finally:
        site.stop()


if __name__ == "__main__":
    main()
