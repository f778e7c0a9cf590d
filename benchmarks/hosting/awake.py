"""What a hundred awake instances cost the runner: memory, descriptors and processor time, while nobody calls.

    uv run --with-requirements requirements.lock python -m benchmarks.hosting.awake

The server is small (Python, standard library only), so that what the platform adds can be seen beside it.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import time

import uvloop

from benchmarks.endpoint.calls import Target
from benchmarks.endpoint.processes import family, memory_bytes
from benchmarks.hosting.hosted import PACKAGES, Site
from benchmarks.hosting.seen import Seen
from benchmarks.hosting.talk import Caller
from benchmarks.hosting.weight import Weight, busy, pid_of, weigh
from config.launch.processes import command_line

IDLE_SECONDS = 3600
PARTS = ("runner", "egress proxy", "web")


async def awake(address: str, *, after_release: bool = False) -> int:
    seen = await Seen.at(address)
    try:
        if after_release:
            await seen.release()
        return await seen.awake()
    finally:
        await seen.close()


def wake(targets: list[Target]) -> list[float]:
    seconds = []
    for target in targets:
        caller = Caller(target)
        seconds.append(caller.list_tools())
        caller.close()
    return seconds


def instances(runner: int, proxy: int) -> dict[str, int]:
    """Bytes of what stands below the runner, by what it is: bubblewrap's two processes each, and the servers."""
    found = {"bubblewrap": 0, "server": 0}
    of_proxy = set(family(proxy))
    for pid in family(runner):
        if pid != runner and pid not in of_proxy:
            command = command_line(pid)
            found["bubblewrap" if "bwrap" in command.partition(" ")[0] else "server"] += memory_bytes(pid)
    return found


def table(before: dict[str, Weight], after: dict[str, Weight], shares: list[dict[str, float]], count: int) -> None:
    print("| | KB an instance | descriptors an instance | CPU % before | CPU % after |\n|---|---|---|---|---|")
    for part in PARTS:
        memory = (after[part].memory - before[part].memory) / count / 1024
        descriptors = (after[part].descriptors - before[part].descriptors) / count
        print(f"| {part} | {memory:.1f} | {descriptors:.1f} | {shares[0][part]:.1f} | {shares[1][part]:.1f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--instances", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=30.0, help="of doing nothing, before and after")
    arguments = parser.parse_args()
    count = arguments.instances
    limits = {"SLIPWAY_QUOTA_DEPLOYMENTS": count + 1, "SLIPWAY_QUOTA_AWAKE_INSTANCES": count + 1}
    limits |= {"SLIPWAY_QUOTA_MEMORY_MIB": 1024 * 1024}
    site = Site(IDLE_SECONDS, **{name: str(value) for name, value in limits.items()})
    try:
        wake([site.host(PACKAGES["small"], "first")])
        address, _ = site.placement("first")
        targets = site.host_many(PACKAGES["small"], count)
        print(f"<!-- awake before: {asyncio.run(awake(address, after_release=True))} -->")
        pids = {part: pid_of(site.stack, part) for part in PARTS}
        shares = [busy(pids, arguments.seconds)]
        before = {part: weigh(pid) for part, pid in pids.items()}
        below = instances(pids["runner"], pids["egress proxy"])
        wake(targets)
        time.sleep(5)
        after = {part: weigh(pid) for part, pid in pids.items()}
        more = instances(pids["runner"], pids["egress proxy"])
        shares.append(busy(pids, arguments.seconds))
        print(f"<!-- awake after: {asyncio.run(awake(address))}, load {os.getloadavg()[0]:.1f} -->\n")
        table(before, after, shares, count)
        for what, octets in more.items():
            print(f"| {what} | {(octets - below[what]) / count / 1024:.0f} | | | |")
    finally:
        site.stop()


if __name__ == "__main__":
    uvloop.install()
    main()
