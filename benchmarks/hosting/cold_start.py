"""From a call on a sleeping deployment to its first tools/list, beside the bare command, in rounds by turns.

    uv run --with-requirements requirements.lock python -m benchmarks.hosting.cold_start

Needs the package indexes (or their mirrors) to host a Python and a Node.js server. Rows of one round follow each other,
so that what else the machine does hits all of them alike.
"""

from __future__ import annotations

import argparse
import asyncio
import os

import msgspec
import uvloop

from benchmarks.hosting.hosted import PACKAGES, Site
from benchmarks.hosting.sandboxed import Sandbox
from benchmarks.hosting.seen import Seen
from benchmarks.hosting.spans import Rows
from benchmarks.hosting.talk import Caller, bare
from hosting.runner.placement import Egress, Placement
from hosting.runner.runtimes import view

BARE = "bare command"


def environment(placement: Placement) -> dict[str, str]:
    """What the sandbox gives the command, as far as it stands outside of one."""
    return {"PATH": view.PATH, "HOME": "/tmp", "TMPDIR": "/tmp", "LANG": "C.UTF-8", **placement.env}


async def one_round(rows: Rows, steps: Rows, where: Where) -> None:
    placement, era = where.placement, where.era
    timed = await asyncio.to_thread(bare, placement.argv, environment(placement), era)
    rows.add(BARE, timed.listed)
    there, timed = await where.sandbox.start(msgspec.structs.replace(placement, egress=Egress()), era)
    rows.add("in the sandbox, no network", timed.listed)
    steps.add("sandbox, no network", there)
    there, timed = await where.sandbox.start(placement, era)
    rows.add("in the sandbox, with its way to the proxy", timed.listed)
    rows.add("the same, had the sandbox stood ready", timed.listed - there)
    steps.add("sandbox, with its way to the proxy", there)
    await where.seen.asleep()
    started = await where.seen.start(placement)
    rows.add("asked at the runner's stream", started.listed)
    steps.add("runner: until the start begins", started.preparing)
    steps.add("runner: sandbox", started.sandboxed - started.preparing)
    steps.add("runner: command until it has told its era", started.running - started.sandboxed)
    steps.add("runner: tools/list", started.listed - started.running)
    await where.seen.asleep()
    rows.add("through the platform, over HTTP", await asyncio.to_thread(where.caller.list_tools))


class Where:
    """One hosted server and all the ways to it."""

    def __init__(self, name: str, site: Site, sandbox: Sandbox, caller: Caller) -> None:
        self.name = name
        self.address, self.placement = site.placement(name)
        self.era = self.placement.era if self.placement.era == "legacy" else "modern"
        self.sandbox = sandbox
        self.caller = caller
        self.seen: Seen

    async def ready(self) -> None:
        """The placement is at the runner, and everything has been used once."""
        await asyncio.to_thread(self.caller.list_tools)
        self.seen = await Seen.at(self.address)


async def run(names: list[str], rounds: int, site: Site) -> None:
    sandbox = Sandbox()
    try:
        for name in names:
            target = await asyncio.to_thread(site.host, PACKAGES[name], name)
            where = Where(name, site, sandbox, Caller(target))
            await where.ready()
            await one_round(Rows(), Rows(), where)  # warms the machine's file cache
            rows, steps = Rows(), Rows()
            for _ in range(rounds):
                await one_round(rows, steps, where)
            load = os.getloadavg()[0]
            print(f"\n<!-- {PACKAGES[name]}, {where.era}, {rounds} rounds, load {load:.1f} -->\n")
            print(rows.markdown(name, BARE), "\n\n" + steps.markdown(f"{name}: steps"), flush=True)
            await where.seen.close()
    finally:
        sandbox.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--only", nargs="+", choices=list(PACKAGES), default=["python", "node"])
    arguments = parser.parse_args()
    site = Site(idle_seconds=1)
    try:
        uvloop.run(run(arguments.only, arguments.rounds, site))
    finally:
        site.stop()


if __name__ == "__main__":
    main()
