"""The live feed of what waits for a person: the number in the header, and the list. /ws/waiting/"""

from __future__ import annotations

import asyncio
import contextlib

from channels.db import database_sync_to_async
from django.urls import path

from events.types import Event, TasksChanged, WaitingChanged, tasks_group, waiting_group
from hosting.tasks.websocket import BATCH_SECONDS, PersonConsumer
from hosting.waiting.selectors import waiting_seen

HEADER_CHECK_SECONDS = 20.0  # a number is no secret of anybody's but the user's own
LOOK_SECONDS = 60.0  # what ends by its time alone is told by nobody


class WaitingConsumer(PersonConsumer):
    """Messages are {type: state, state: waiting, reason: a mark of the list, count}, sent when it has changed."""

    access_check_seconds = HEADER_CHECK_SECONDS
    _last: tuple[int, str] = (-1, "")

    def groups_wanted(self) -> list[str]:
        return [tasks_group(self.user_id), waiting_group(self.user_id)]

    def concerns(self, event: Event) -> bool:
        return isinstance(event, TasksChanged | WaitingChanged)

    async def _tell_on(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), LOOK_SECONDS)
            self._news.clear()
            await self.tell()
            await asyncio.sleep(BATCH_SECONDS)

    async def tell(self) -> None:
        seen: tuple[int, str] = await database_sync_to_async(waiting_seen)(self.user_id)
        if seen != self._last:
            self._last = seen
            await self.send_json({"type": "state", "state": "waiting", "reason": seen[1], "count": seen[0]})


urlpatterns = [path("ws/waiting/", WaitingConsumer.as_asgi())]
