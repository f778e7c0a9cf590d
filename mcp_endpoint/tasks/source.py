"""A task's record as a Source of events, so that what waits for a task is delivered like any call."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final

from hosting.runner.frames import TERMINAL, Event, Kind, Reason
from hosting.stream.stream import DetachedError
from hosting.tasks.states import Outcome
from mcp_endpoint.tasks import wire
from mcp_endpoint.tasks.wire import TaskSeen
from mcp_endpoint.wire import jsonrpc as j

LOOK_SECONDS: Final = 10.0  # the row is read so often although nobody said that it has changed
STATUS_METHOD: Final = "notifications/tasks/status"

Read = Callable[[], Awaitable[TaskSeen]]


class TaskSource:
    """What `tasks/result` waits for: open questions as requests, progress, status, and in the end the outcome."""

    def __init__(self, task: TaskSeen, changed: asyncio.Event, read: Read) -> None:
        self._changed = changed
        self._read = read
        self._ready: deque[Event] = deque()
        self._asked: set[str] = set()
        self._progress: object = None
        self._status = ""
        self._seq = 0
        self._is_over = False
        self._closed = asyncio.Event()
        self.task = task
        self._take(task)

    async def get(self, seconds: float) -> Event | None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while not self._ready:
            if self._is_over or self._closed.is_set():
                raise DetachedError(Reason.DONE if self._is_over else Reason.CLOSED)
            left = deadline - loop.time()
            if left <= 0:
                return None
            await self._wait(min(left, LOOK_SECONDS))
            self._changed.clear()
            self._take(await self._read())
        return self._ready.popleft()

    def get_now(self) -> Event | None:
        return self._ready.popleft() if self._ready else None

    def close(self, *, gone: bool) -> None:
        self._closed.set()
        self._changed.set()

    async def _wait(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            pass

    def _take(self, task: TaskSeen) -> None:
        if self._is_over:
            return
        self.task = task
        status = str(wire.of_2025(task)["status"])
        if self._status and status != self._status and not task.is_ended:
            self._add(Kind.NOTIFICATION, j.encode(wire.of_2025(task)), STATUS_METHOD)
        self._status = status
        if task.progress and task.progress != self._progress:
            self._progress = task.progress
            self._add(Kind.PROGRESS, wire.related(j.encode(task.progress), task.id))
        for key, asked in task.asked.items():
            if key not in self._asked:
                self._asked.add(key)
                self._add(Kind.INPUT_REQUESTED, wire.question(task.id, asked), wire.key_of(task.id, key))
        if task.is_ended:
            self._is_over = True
            if task.outcome in (Outcome.RESULT, Outcome.TOOL_ERROR):
                self._add(Kind.RESULT, wire.related(task.body, task.id))
            else:
                self._add(Kind.ERROR, wire.error_of(task))

    def _add(self, kind: Kind, data: bytes, extra: str = "") -> None:
        self._seq += 1
        self._ready.append(Event(self._seq, kind, data, extra))
        assert kind in TERMINAL or not self._is_over
