"""Being told that a task has changed: one channel a process, whatever the number of those who wait.

News is no record: who waits reads the row first and again after each change, and now and then without one.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

import structlog
from channels.layers import get_channel_layer

from events.types import TaskChanged, from_message, task_group

log = structlog.get_logger(__name__)
RETRY_SECONDS: Final = 1.0


class Watches:
    """Who waits for which task."""

    def __init__(self) -> None:
        self._waiting: dict[str, set[asyncio.Event]] = {}
        self._channel = ""
        self._reading: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def of(self, task_id: str) -> AsyncIterator[asyncio.Event]:
        """An event that is set with every change; who waits clears it."""
        changed = asyncio.Event()
        known = self._waiting.setdefault(task_id, set())
        known.add(changed)
        try:
            await self._follow(task_id)
            yield changed
        finally:
            known.discard(changed)
            if not known and self._waiting.get(task_id) is known:
                del self._waiting[task_id]
                await self._leave(task_id)

    async def _follow(self, task_id: str) -> None:
        layer: Any = get_channel_layer()
        with suppress(OSError):  # Valkey is away: then the row is looked at now and then
            if not self._channel:
                self._channel = await layer.new_channel("tasks")
            await layer.group_add(task_group(task_id), self._channel)
        if self._reading is None and self._channel:
            self._reading = asyncio.create_task(self._read(layer), name="task-watches")

    async def _leave(self, task_id: str) -> None:
        layer: Any = get_channel_layer()
        with suppress(OSError):
            await layer.group_discard(task_group(task_id), self._channel)

    async def _read(self, layer: Any) -> None:
        while True:
            try:
                event = from_message(await layer.receive(self._channel))
            except Exception as error:  # whatever the client library raises when Valkey is away
                log.warning("task_news_not_read", error=str(error))
                await asyncio.sleep(RETRY_SECONDS)
                continue
            if isinstance(event, TaskChanged):
                for changed in self._waiting.get(event.task_id, ()):
                    changed.set()

    async def stop(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            with suppress(asyncio.CancelledError):
                await self._reading
