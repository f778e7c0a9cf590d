"""The same command in the runner's sandbox, in this process: what the sandbox itself costs, without a platform."""

from __future__ import annotations

import asyncio
import os
import secrets
import time

from benchmarks.hosting.talk import Timed, converse
from hosting.runner.egress.keeper import let_out
from hosting.runner.placement import Placement
from hosting.runner.runtimes.base import LaunchSpec
from hosting.runner.runtimes.bubblewrap import Bubblewrap


class Sandbox:
    """A runtime of its own, with its own proxy; in a running loop."""

    def __init__(self) -> None:
        self._runtime = Bubblewrap()
        self._keeper = let_out(self._runtime, "", "")

    async def start(self, placement: Placement, era: str) -> tuple[float, Timed]:
        """Seconds until the command was started, and the conversation's. `egress` is the placement's."""
        began = time.perf_counter()
        child = await self._runtime.start(
            LaunchSpec(
                instance=secrets.token_hex(6),
                argv=placement.argv,
                env=placement.env,
                read_only=placement.read_only,
                limits=placement.limits,
                deployment=placement.deployment,
                egress=placement.egress,
            )
        )
        there = time.perf_counter() - began
        try:
            for fd in (child.stdin, child.stdout):
                os.set_blocking(fd, True)
            return there, await asyncio.to_thread(converse, child.stdin, child.stdout, era, began)
        finally:
            await child.stop(0.0)
            child.close()

    def close(self) -> None:
        if self._keeper is not None:
            self._keeper.close()
        self._runtime.close()
