"""What a hundred deployments cost that nobody calls: memory of the site's processes, and the reconciler's rounds.

    uv run --with-requirements requirements.lock python -m benchmarks.hosting.asleep

Three looks: with one deployment; with all of them built and never called; with all of them asleep after a call each.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import time

import uvloop

from benchmarks.endpoint.calls import Target
from benchmarks.hosting.hosted import PACKAGES, Site
from benchmarks.hosting.seen import Seen
from benchmarks.hosting.talk import Caller
from benchmarks.hosting.weight import PARTS, busy, pid_of, weigh

# Another round may be on at that moment, and ours then does nothing: only rounds that asked something are taken.
_ROUNDS = """
import statistics, time
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hosting.fleet.reconciling import reconcile
cpu, wall, queries = [], [], []
for number in range(60):
    before, began = time.process_time(), time.perf_counter()
    with CaptureQueriesContext(connection) as asked:
        reconcile()
    if len(asked) > 3:
        cpu.append(time.process_time() - before)
        wall.append(time.perf_counter() - began)
        queries.append(len(asked))
print("ROUND", statistics.median(cpu), statistics.median(wall), statistics.median(queries), len(cpu))
"""


def look(site: Site, title: str, idle_seconds: float) -> None:
    time.sleep(5)
    pids = {part: pid_of(site.stack, part) for part in PARTS}
    shares = busy(pids, idle_seconds)
    line = next(line for line in site.shell(_ROUNDS).splitlines() if line.startswith("ROUND "))
    cpu, wall, queries, count = map(float, line.split()[1:])
    cells = [f"{weigh(pid).memory / 2**20:.1f}" for pid in pids.values()]
    cells += [f"{shares['runner']:.1f}", f"{shares['web']:.1f}", f"{cpu * 1000:.1f}", f"{wall * 1000:.1f}"]
    print(f"| {title} | {' | '.join(cells)} | {queries:.0f} |", flush=True)
    assert count > 20, "the rounds did nothing"


async def call_all(site: Site, targets: list[Target], address: str) -> None:
    for target in targets:
        caller = Caller(target)
        await asyncio.to_thread(caller.list_tools)
        caller.close()
    seen = await Seen.at(address)
    await seen.asleep()
    await seen.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--deployments", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=30.0, help="of doing nothing, for each look")
    arguments = parser.parse_args()
    count = arguments.deployments
    site = Site(idle_seconds=1, SLIPWAY_QUOTA_DEPLOYMENTS=str(count + 1))
    try:
        first = site.host(PACKAGES["small"], "first")
        address, _ = site.placement("first")
        uvloop.run(call_all(site, [first], address))
        parts = " | ".join(f"{part} MB" for part in PARTS)
        print(f"| | {parts} | runner CPU % | web CPU % | round: CPU ms | round: ms | round: queries |")
        print("|---" * (len(PARTS) + 6) + "|")
        look(site, "one deployment", arguments.seconds)
        targets = site.host_many(PACKAGES["small"], count)
        uvloop.run(call_all(site, [], address))
        look(site, f"{count + 1}, built and looked at", arguments.seconds)
        uvloop.run(call_all(site, targets, address))
        look(site, f"{count + 1}, asleep after a call each", arguments.seconds)
        print(f"<!-- load {os.getloadavg()[0]:.1f} -->")
    finally:
        site.stop()


if __name__ == "__main__":
    main()
