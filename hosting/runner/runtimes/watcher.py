"""One task that looks after the limits of all instances of a runtime, and runs only while there are any."""

from __future__ import annotations

import asyncio
import logging
from typing import Protocol

log = logging.getLogger(__name__)

GUARD_SECONDS = 0.25  # where nothing but the look enforces memory
NOTICE_SECONDS = 1.0  # where the kernel enforces and the look only tells


class Observed(Protocol):
    def observe(self) -> None: ...


class Watcher:
    def __init__(self, *, is_only_guard: bool) -> None:
        self._seconds = GUARD_SECONDS if is_only_guard else NOTICE_SECONDS
        self._all: set[Observed] = set()
        self._task: asyncio.Task[None] | None = None

    def add(self, one: Observed) -> None:
        self._all.add(one)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._look(), name="limits")

    def remove(self, one: Observed) -> None:
        self._all.discard(one)
        if not self._all and self._task is not None:
            self._task.cancel()
            self._task = None

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(self._seconds)
            for one in list(self._all):
                try:
                    one.observe()
                except OSError:  # it ended between the look and the question
                    log.debug("an instance could not be observed", exc_info=True)
