"""The end of a runner that was asked to stop: nothing new, what runs may finish, and no request is lost on the way."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal

from hosting.runner.runner import Runner
from hosting.runner.server import StreamServer

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.05


class Ending:
    """SIGTERM: take nothing new and end when no call runs any more, or the time is up. Again, or SIGINT: end now."""

    def __init__(self, runner: Runner, drain_seconds: float) -> None:
        self._runner = runner
        self._drain_seconds = drain_seconds
        self._asked = asyncio.Event()
        self._hurry = asyncio.Event()

    def listen(self) -> None:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._stop)
        loop.add_signal_handler(signal.SIGINT, self._stop_now)

    def _stop(self) -> None:
        if self._asked.is_set():
            self._hurry.set()
        self._asked.set()

    def _stop_now(self) -> None:
        self._hurry.set()
        self._asked.set()

    async def wait(self) -> None:
        """Returns when it is time to end."""
        await self._asked.wait()
        runner = self._runner
        runner.draining = True
        log.info("runner is stopping", extra={"runner": runner.name, "calls": runner.running})
        deadline = asyncio.get_running_loop().time() + self._drain_seconds
        while runner.running and asyncio.get_running_loop().time() < deadline:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._hurry.wait(), LOOK_SECONDS)
                return


async def end(runner: Runner, server: StreamServer) -> None:
    """Web processes hold what they would still send and take it elsewhere: a request sent just now is not lost."""
    runner.draining = True
    await server.pause()
    await runner.stop()
    await server.leave(is_final=True)
