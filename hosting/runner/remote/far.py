"""What stands for the process of a server that runs elsewhere: it costs nothing here and ends with its connection."""

from __future__ import annotations

import asyncio

from hosting.runner.runtimes.base import Exit, Usage


class Far:
    """Implements runtimes.base.Process as far as there is anything to say."""

    pid = 0
    stdin = stdout = stderr = -1

    def __init__(self) -> None:
        self._exit: Exit | None = None
        self._ended = asyncio.Event()

    def end(self, how: Exit) -> None:
        """The first reason counts."""
        if self._exit is None:
            self._exit = how
            self._ended.set()

    async def wait(self) -> Exit:
        await self._ended.wait()
        assert self._exit is not None
        return self._exit

    def poll(self) -> Exit | None:
        return self._exit

    async def stop(self, grace_seconds: float) -> Exit:
        """Its connection stops it."""
        return await self.wait()

    def usage(self) -> Usage:
        return Usage(0, 0, 0.0, [])

    def close(self) -> None:
        pass
