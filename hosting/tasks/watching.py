"""Being told that a task, or a page that calls wait for, has changed: one channel a process in one group, whatever the
number of those who wait.

News is no record: who waits reads the row after having begun to, after each change, and now and then without one.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any, Final

import structlog
from channels.layers import get_channel_layer

from events.types import ALL_TASKS, ElicitationChanged, TasksChanged, from_message

log = structlog.get_logger(__name__)
RETRY_SECONDS: Final = 1.0
AGAIN_SECONDS: Final = 0.1
STAY_SECONDS: Final = 20.0  # Valkey forgets who is in a group when it is started anew, and after a day


class Watches:
    """Who waits for which task or elicitation, by its id. `layer`: the process's own by default."""

    def __init__(self, layer: Any = None) -> None:
        self._layer = layer
        self._waiting: dict[str, set[asyncio.Event]] = {}
        self._channel = ""
        self._joined_at = float("-inf")  # time.monotonic()
        self._work: list[asyncio.Task[None]] = []

    @asynccontextmanager
    async def of(self, task_id: str) -> AsyncIterator[asyncio.Event]:
        """An event that is set with every change; who waits clears it."""
        changed = asyncio.Event()
        known = self._waiting.setdefault(task_id, set())
        known.add(changed)
        try:
            if time.monotonic() - self._joined_at > STAY_SECONDS:
                await self._join()
            yield changed
        finally:
            known.discard(changed)
            if not known and self._waiting.get(task_id) is known:
                del self._waiting[task_id]

    async def _join(self) -> None:
        layer = self._layer or get_channel_layer()
        try:
            if not self._channel:
                # Of pages' prefix: of all readers of a process the layer lets one wait, for the prefix of its own.
                self._channel = await layer.new_channel()
            await layer.group_add(ALL_TASKS, self._channel)
        except Exception as error:  # whatever the client library raises when Valkey is away
            log.warning("task_news_not_followed", error=str(error))  # then the row is looked at now and then
            return
        self._joined_at = time.monotonic()
        if not self._work:
            self._work = [
                asyncio.create_task(self._read(layer), name="task-watches"),
                asyncio.create_task(self._stay(), name="task-watches-stay"),
            ]

    async def _stay(self) -> None:
        while True:
            await asyncio.sleep(STAY_SECONDS)
            if self._waiting:
                await self._join()

    async def _read(self, layer: Any) -> None:
        while True:
            try:
                event = from_message(await layer.receive(self._channel))
            except Exception as error:  # the same
                log.warning("task_news_not_read", error=str(error))
                await asyncio.sleep(RETRY_SECONDS)
                continue
            ids: list[str] = []
            if isinstance(event, TasksChanged):
                ids = event.task_ids
            elif isinstance(event, ElicitationChanged):
                ids = [event.elicitation_id]
            for each in ids:
                for changed in self._waiting.get(each, ()):
                    changed.set()

    async def stop(self) -> None:
        await stopped(self._work)


async def stopped(work: Iterable[asyncio.Task[Any]]) -> None:
    """Ends tasks that read from the layer; whose client now and then loses a cancellation, so they may need several."""
    while left := [one for one in work if not one.done()]:
        for one in left:
            one.cancel()
        await asyncio.wait(left, timeout=AGAIN_SECONDS)
