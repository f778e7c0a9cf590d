"""What a page may follow live: the base of every websocket consumer."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Coroutine
from typing import Any

import structlog
from channels.generic.websocket import AsyncWebsocketConsumer

from events.types import Event, from_message

log = structlog.get_logger(__name__)

ACCESS_CHECK_SECONDS = 2.0
TRY_LATER = 1013  # the registered code of that name; pages connect again
REFUSED = 4403  # private range of RFC 6455, 7.4.2; says 403


class LiveConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]  # channels has no types
    """Accepts only who `may_follow`, asks again every two seconds, and hands typed events to `on_event`.

    Subclasses give `may_follow`, `groups_wanted`, `concerns`, `on_open` and `on_event`. What a page sends is not read.
    """

    access_check_seconds = ACCESS_CHECK_SECONDS
    _jobs: set[asyncio.Task[None]]

    async def may_follow(self) -> bool:
        raise NotImplementedError

    def groups_wanted(self) -> list[str]:
        raise NotImplementedError

    def concerns(self, event: Event) -> bool:
        """Whether an event of the groups is one for `on_event`."""
        return True

    async def on_open(self) -> None:
        """Runs once the socket is open."""

    async def on_event(self, event: Event) -> None:
        """Runs for each event of the groups."""

    # --- for subclasses

    async def send_json(self, value: dict[str, Any]) -> None:
        await self.send(text_data=json.dumps(value))

    def spawn(self, job: Coroutine[Any, Any, None]) -> None:
        """Runs beside the socket; ends with it."""
        task = asyncio.create_task(job)
        self._jobs.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._jobs.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("live_page_job_failed", exc_info=task.exception())

    # --- what Channels calls

    async def connect(self) -> None:
        self._jobs = set()
        self._joined: list[str] = []
        if not await self.may_follow():
            await self.close(code=REFUSED)  # before accept: the handshake is refused with 403
            return
        for group in self.groups_wanted():
            await self.channel_layer.group_add(group, self.channel_name)
            self._joined.append(group)
        await self.accept()
        self.spawn(self._watch_access())
        await self.on_open()

    async def disconnect(self, code: int) -> None:
        jobs = list(self._jobs)
        for task in jobs:
            task.cancel()
        await asyncio.gather(*jobs, return_exceptions=True)
        for group in self._joined:
            with contextlib.suppress(Exception):  # Valkey is away: the group's entry expires by itself
                await self.channel_layer.group_discard(group, self.channel_name)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Pages follow; they change things by forms."""

    async def event_received(self, message: dict[str, Any]) -> None:
        event = from_message(message)
        if event is None or not self.concerns(event):
            return
        if not await self.may_follow():
            await self.close(code=REFUSED)
            return
        await self.on_event(event)

    async def _watch_access(self) -> None:
        while True:
            await asyncio.sleep(self.access_check_seconds)
            try:
                allowed = await self.may_follow()
            except Exception:
                log.warning("live_page_access_unknown", exc_info=True)
                await self.close(code=TRY_LATER)  # nobody stays on the strength of an old answer
                return
            if not allowed:
                await self.close(code=REFUSED)
                return
