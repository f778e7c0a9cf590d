"""The live feeds of tasks' pages: of one task, and of a person's list.

Messages are objects with a `type`: state (as the page may know it already), output (log lines).
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Any
from uuid import UUID

from channels.db import database_sync_to_async
from django.urls import path

from accounts.signed_in import SignedIn, signed_in_of, still_signed_in
from common.batching import Batched
from common.errors import NotFound
from events.actors import person
from events.consumers import LiveConsumer
from events.types import Event, TasksChanged, tasks_group
from hosting.models import TaskLine
from hosting.tasks import selectors

BATCH_SECONDS = 0.5  # at most so often a page is told to look again
LEVELS_OF_TROUBLE = frozenset({"error", "critical", "alert", "emergency"})


class PersonConsumer(LiveConsumer):
    """What a signed-in person follows of their own. Changes that come together are told once."""

    _news: asyncio.Event

    @property
    def user_id(self) -> UUID:
        found: UUID = self.scope["user"].pk
        return found

    async def may_follow(self) -> bool:
        who = signed_in_of(self.scope)
        return who is not None and await _is_signed_in(who)

    def groups_wanted(self) -> list[str]:
        return [tasks_group(self.user_id)]

    async def on_open(self) -> None:
        self._news = asyncio.Event()
        self._news.set()
        self.spawn(self._tell_on())

    def concerns(self, event: Event) -> bool:
        return isinstance(event, TasksChanged)

    async def on_event(self, event: Event) -> None:
        self._news.set()

    async def _tell_on(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            await self.tell()
            await asyncio.sleep(BATCH_SECONDS)

    async def tell(self) -> None:
        raise NotImplementedError


class TaskConsumer(PersonConsumer):
    """/ws/tasks/{id}/?after={position of the last line on the page}. Another's task is refused like none."""

    _after = ""

    @property
    def task_id(self) -> str:
        return str(self.scope["url_route"]["kwargs"]["task_id"])

    async def may_follow(self) -> bool:
        return await super().may_follow() and await _is_own(self.user_id, self.task_id)

    def concerns(self, event: Event) -> bool:
        return isinstance(event, TasksChanged) and self.task_id in event.task_ids

    async def on_open(self) -> None:
        query = self.scope.get("query_string", b"").decode("ascii", "replace")
        self._after = dict(part.partition("=")[::2] for part in query.split("&")).get("after", "")
        await super().on_open()

    async def tell(self) -> None:
        seen: dict[str, Any] | None
        lines: list[TaskLine]
        seen, lines = await _read(self.user_id, self.task_id, self._after)
        if seen is None:
            return
        while lines:
            self._after = selectors.position_of(lines[-1])
            shown = [_shown(line) for line in lines]
            await self.send_json({"type": "output", "lines": shown, "position": self._after})
            seen, lines = await _read(self.user_id, self.task_id, self._after)
        if seen is not None:
            await self.send_json({"type": "state", **seen})


class TasksConsumer(PersonConsumer):
    """/ws/tasks/: the list of a person's tasks."""

    async def tell(self) -> None:
        stamp: str = await _stamp(self.user_id)
        await self.send_json({"type": "state", "state": "tasks", "reason": stamp})


def _shown(line: TaskLine) -> dict[str, Any]:
    """As static/js/controllers/output.js draws it."""
    stream = "protocol" if line.level in LEVELS_OF_TROUBLE else "task"
    return {"at": line.at.isoformat(), "instance": line.level, "stream": stream, "line": line.text}


def _signed_in(those: Collection[SignedIn]) -> dict[SignedIn, bool]:
    good = still_signed_in(those)
    return {each: each in good for each in those}


_is_signed_in = Batched(_signed_in)


@database_sync_to_async  # type: ignore[untyped-decorator]  # channels has no types
def _is_own(user_id: UUID, task_id: str) -> bool:
    try:
        selectors.task_of_person(person(user_id), task_id)
    except NotFound:
        return False
    return True


@database_sync_to_async  # type: ignore[untyped-decorator]
def _read(user_id: UUID, task_id: str, after: str) -> tuple[dict[str, Any] | None, list[TaskLine]]:
    try:
        task = selectors.task_of_person(person(user_id), task_id)
    except NotFound:
        return None, []
    seen = {"state": task.state, "reason": task.updated_at.isoformat()}
    return seen, selectors.lines_after(task.id, after)


@database_sync_to_async  # type: ignore[untyped-decorator]
def _stamp(user_id: UUID) -> str:
    return selectors.stamp_of(person(user_id))


urlpatterns = [
    path("ws/tasks/", TasksConsumer.as_asgi()),
    path("ws/tasks/<str:task_id>/", TaskConsumer.as_asgi()),
]
