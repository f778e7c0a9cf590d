"""Ten thousand tasks at once on one modern server: what each weighs where, and how long the sweep takes.

    uv run --with-requirements requirements.lock python -m benchmarks.tasks.many

First all of them work (their server is shared, and waits), then all of them wait for an answer of their user.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import time

from benchmarks.endpoint.processes import memory_bytes
from benchmarks.hosting.weight import pid_of, weigh
from benchmarks.tasks.hosted import PACKAGE, Site
from benchmarks.tasks.talk import Session

AT_ONCE = 32
PARTS = ("web", "worker", "runner")
_SIZES = """
select coalesce(sum(pg_total_relation_size(relid)), 0) from pg_stat_user_tables where relname like 'hosting_task%'
"""


class Weights:
    """Bytes by part."""

    def __init__(self, site: Site) -> None:
        self.found = {part: memory_bytes(pid_of(site.stack, part)) for part in PARTS}
        commands = site.stack.processes()
        module = PACKAGE.replace("-", "_")
        self.found["hosted server"] = sum(
            memory_bytes(pid) for pid, command in commands.items() if module in command or PACKAGE in command
        )
        self.found["PostgreSQL, processes"] = sum(
            memory_bytes(pid) for pid, command in commands.items() if "postgres" in command
        )
        self.found["PostgreSQL, tables of tasks"] = int(site.rows(_SIZES)[0][0])
        spool = site.stack.home / "runners"
        self.found["spool on disk"] = sum(path.stat().st_blocks * 512 for path in spool.rglob("*.task"))


async def create(session: Session, tool: str, count: int) -> list[str]:
    left = iter(range(count))
    tasks: list[str] = []

    async def some() -> None:
        for _ in left:
            tasks.append(await session.create(tool))  # noqa: PERF401 - several take turns with it

    await asyncio.gather(*(some() for _ in range(AT_ONCE)))
    return tasks


async def until(site: Site, state: str, count: int) -> None:
    while site.rows(f"select count(*) from hosting_task where state = '{state}'")[0][0] < count:  # noqa: ASYNC110
        await asyncio.sleep(1)


async def one(site: Site, target: str, tool: str, state: str, count: int, idle: float) -> None:
    session = Session(site.targets[target].url, site.targets[target].token)
    await session.initialize()
    first = await create(session, tool, 50)  # whatever is loaded once is loaded now
    await until(site, state, len(first))
    await asyncio.sleep(5)
    before = Weights(site)
    began = time.monotonic()
    await create(session, tool, count)
    created = time.monotonic() - began
    await until(site, state, count + len(first))
    running = time.monotonic() - began
    await asyncio.sleep(15)
    after = Weights(site)
    cpu = {part: weigh(pid_of(site.stack, part)).cpu for part in PARTS}
    await asyncio.sleep(idle)
    shares = {part: (weigh(pid_of(site.stack, part)).cpu - cpu[part]) / idle * 100 for part in PARTS}
    sweeps = await asyncio.to_thread(site.sweeps, 5)
    print(f"\n**{count:,} tasks `{state}`**, load {os.getloadavg()[0]:.1f}: created in {created:.0f} s", end="")
    print(f", all there after {running:.0f} s; sweep {min(sweeps) * 1000:.0f} to {max(sweeps) * 1000:.0f} ms\n")
    print("| | MB before | MB after | KB a task | CPU % while nothing happens |\n|---|---|---|---|---|")
    for part, octets in after.found.items():
        each = (octets - before.found[part]) / count / 1024
        share = f"{shares[part]:.1f}" if part in shares else ""
        print(f"| {part} | {before.found[part] / 2**20:.1f} | {octets / 2**20:.1f} | {each:.2f} | {share} |")
    began = time.monotonic()
    site.shell("from hosting.models import Task\nTask.objects.all().delete()")
    session.close()


async def measure(site: Site, count: int, idle: float) -> None:
    await one(site, "shared", "hold", "working", count, idle)
    await one(site, "own", "ask", "input_required", count, idle)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", type=int, default=10_000)
    parser.add_argument("--idle", type=float, default=20.0, help="seconds of watching what happens when nothing does")
    arguments = parser.parse_args()
    site = Site()
    try:
        asyncio.run(measure(site, arguments.tasks, arguments.idle))
    finally:
        site.stop()


if __name__ == "__main__":
    main()
