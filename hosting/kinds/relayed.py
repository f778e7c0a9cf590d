"""Work of an event loop for a caller without one: what it says on the way is heard on the caller's own thread."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor, wait
from queue import SimpleQueue
from typing import Any, TypeVar

from hosting.kinds.lines import Line

T = TypeVar("T")


class Relay:
    """A loop on a thread of its own, which lives until `close`: children are ended when the thread that made them ends.

    Who follows a build saves what it hears, which may block and needs the connection of the thread that builds. Both
    are forbidden on a running loop (Django's `SynchronousOnlyOperation`).
    """

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self._thread = ThreadPoolExecutor(1, "slipway-relay")
        self._said: SimpleQueue[tuple[Line, str] | None] = SimpleQueue()
        self._task: asyncio.Task[Any] | None = None
        self._is_left = False

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Its result or its error, after everything that it said was heard. Ended, and waited for, when we are."""
        self._task, self._is_left = None, False
        future = self._thread.submit(self._runner.run, self._noted(work))
        future.add_done_callback(lambda _: self._said.put(None))
        try:
            while said := self._said.get():
                line, text = said
                line(text)
        except BaseException:
            self._cancel()
            wait([future])
            self._said = SimpleQueue()
            raise
        return future.result()

    def say(self, line: Line, text: str) -> None:
        """From the loop: `line` gets `text` on the caller's thread, in order."""
        self._said.put((line, text))

    def close(self) -> None:
        self._thread.submit(self._runner.close).result()
        self._thread.shutdown()

    # --- inside

    async def _noted(self, work: Coroutine[Any, Any, T]) -> T:
        self._task = asyncio.current_task()
        if self._is_left:
            work.close()
            raise asyncio.CancelledError
        return await work

    def _cancel(self) -> None:
        self._is_left = True
        if self._task is not None:
            self._runner.get_loop().call_soon_threadsafe(self._task.cancel)
