"""How long a client waits whose server was put to sleep: the next call after the idle time, by kind of client.

    uv run --with-requirements requirements.lock python -m benchmarks.hosting.wake

Each round puts the server to sleep by its idle time (one second here) and then calls a tool once.
"""

from __future__ import annotations

import argparse
import asyncio
import os
from dataclasses import dataclass, replace
from typing import Any

import uvloop

from benchmarks.hosting.hosted import PACKAGES, Site
from benchmarks.hosting.seen import Seen
from benchmarks.hosting.spans import Rows
from benchmarks.hosting.talk import Caller

TOOLS: dict[str, tuple[str, dict[str, Any]]] = {
    "small": ("echo", {"text": "x"}),
    "python": ("get_current_time", {"timezone": "UTC"}),
    "node": ("echo", {"message": "x"}),
}
AWAKE = "awake already (modern)"


@dataclass(frozen=True)
class Clients:
    """Of one server: one client that is modern, one with a session, and one that comes without any."""

    name: str
    seen: Seen
    modern: Caller
    legacy: Caller
    new: Caller

    async def call(self, caller: Caller) -> float:
        await self.seen.asleep()
        return await asyncio.to_thread(caller.call, *TOOLS[self.name])

    async def round(self, rows: Rows) -> None:
        rows.add("modern", await self.call(self.modern))
        rows.add(AWAKE, await asyncio.to_thread(self.modern.call, *TOOLS[self.name]))
        rows.add("legacy, whose session slept as well (404, initialize)", await self.call(self.legacy))
        self.new.forget()
        rows.add("legacy, a new session", await self.call(self.new))


async def run(names: list[str], rounds: int, site: Site) -> None:
    for name in names:
        modern = await asyncio.to_thread(site.host, PACKAGES[name], name)
        legacy = replace(modern, era="legacy")
        seen = await Seen.at(site.placement(name)[0])
        clients = Clients(name, seen, Caller(modern), Caller(legacy), Caller(legacy))
        await clients.round(Rows())
        rows = Rows()
        for _ in range(rounds):
            await clients.round(rows)
        print(f"\n<!-- {PACKAGES[name]}, {rounds} rounds, load {os.getloadavg()[0]:.1f} -->\n")
        print(rows.markdown(f"{name}: the next call"), flush=True)
        await seen.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--only", nargs="+", choices=list(PACKAGES), default=list(PACKAGES))
    arguments = parser.parse_args()
    site = Site(idle_seconds=1)
    try:
        uvloop.run(run(arguments.only, arguments.rounds, site))
    finally:
        site.stop()


if __name__ == "__main__":
    main()
