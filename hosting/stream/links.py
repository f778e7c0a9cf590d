"""How jobs and pages reach runners: a short-lived pool for a piece of work, or a thread that keeps one open."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any, TypeVar

from django.conf import settings

from hosting.stream.certificates import site_identity
from hosting.stream.stream import RunnerPool

T = TypeVar("T")


def runner_pool(process: str) -> RunnerPool:
    """A pool with the site's certificate, for runners on other hosts, where there is one."""
    return RunnerPool(process, lambda: site_identity(settings.SLIPWAY_SECRETS / "runners"))


@contextlib.asynccontextmanager
async def runner_links() -> AsyncIterator[RunnerPool]:
    """A pool that is closed at the end. A job runs its own event loop, so it can't share one with others."""
    pool = runner_pool(f"{settings.SLIPWAY_PART}-{os.getpid()}")
    try:
        yield pool
    finally:
        await pool.close()


class LinkThread:
    """One event loop of this process with links that stay open, for jobs, which are threads.

    A job does its database work in its own thread and hands over only what talks to runners: with both in one event
    loop, each job would hold two of the pool's connections and many jobs at once would wait for each other.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._pool: RunnerPool | None = None
        self._pid = 0

    def run(self, work: Callable[[RunnerPool], Coroutine[Any, Any, T]]) -> T:
        """The result of `work`, which runs on the loop; the calling thread waits. Raises what `work` raises."""
        with self._lock:
            if self._pid != os.getpid():  # a child of a fork has neither the thread nor the connections
                self._start()
        assert self._loop is not None and self._pool is not None
        return asyncio.run_coroutine_threadsafe(work(self._pool), self._loop).result()

    def _start(self) -> None:
        self._pid = os.getpid()
        self._loop = asyncio.new_event_loop()
        self._pool = runner_pool(f"{settings.SLIPWAY_PART}-{self._pid}")
        threading.Thread(target=self._loop.run_forever, name="links", daemon=True).start()


links = LinkThread()
