"""`notifications/tasks` on a `subscriptions/listen` stream: a Source that adds tasks to what the server says.

SEP-2663, "Task Status Notifications": each carries the whole DetailedTask. The hosted server is not asked about our
tasks; where nothing else was asked for, it is not asked at all.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, Final

import msgspec

from common.errors import NotFound
from hosting.runner.frames import Event, Kind, Reason
from hosting.runner.listening import ACKNOWLEDGED
from hosting.stream.stream import DetachedError
from mcp_endpoint.sources import Source
from mcp_endpoint.tasks import wire
from mcp_endpoint.tasks.wire import TaskSeen
from mcp_endpoint.wire import jsonrpc as j

if TYPE_CHECKING:
    from mcp_endpoint.context import Context

METHOD: Final = "notifications/tasks"
MAX_TASKS: Final = 100
LOOK_SECONDS: Final = 10.0


async def listen(context: Context, ids: list[str], inner: Source | None) -> WithTasks:
    """The stream of a client that also asks for tasks. `inner` is what the hosted server says."""
    stream = WithTasks(context, inner)
    await stream.watch(ids)
    return stream


def taken_out(params: bytes) -> tuple[list[str], bytes, bool]:
    """(task ids asked for, params without them, whether anything else is asked for)."""
    members = j.decode_members(params) or {}
    wanted = (j.decode_any(members["notifications"]) if "notifications" in members else None) or {}
    ids = wanted.pop("taskIds", None) if isinstance(wanted, dict) else None
    if not isinstance(ids, list):
        return [], params, True
    members["notifications"] = msgspec.Raw(j.encode(wanted))
    return [task for task in ids if isinstance(task, str)][:MAX_TASKS], j.encode(members), bool(wanted)


class WithTasks:
    """`inner` is the hosted server's stream, None where it was not asked."""

    def __init__(self, context: Context, inner: Source | None) -> None:
        self._context = context
        self._inner = inner
        self._stack = AsyncExitStack()
        self._watched: list[str] = []
        self._ready: deque[Event] = deque()
        self._closed = False
        self._news = asyncio.Event()
        self._acknowledged = asyncio.Event()  # nothing may be said before
        self._pumps: list[asyncio.Task[None]] = []
        self._ended: DetachedError | None = None
        self._seq = 0

    async def watch(self, ids: list[str]) -> None:
        """Follows those of `ids` that are the principal's own, and acknowledges them unless the server does so."""
        known: list[TaskSeen] = []
        for task_id in dict.fromkeys(ids):
            try:
                known.append(await self._context.services.tasks.get(self._context, task_id, with_body=True))
            except NotFound:
                continue
        for task in known:
            changed = await self._stack.enter_async_context(self._context.services.tasks.changes(task.id))
            self._watched.append(task.id)
            self._pumps.append(asyncio.create_task(self._follow(task.id, changed)))
        if self._inner is None:
            self._add(Kind.NOTIFICATION, j.encode({"notifications": self._filter({})}), ACKNOWLEDGED)
            self._acknowledged.set()
        else:
            self._pumps.append(asyncio.create_task(self._pump(self._inner)))

    async def get(self, seconds: float) -> Event | None:
        while not self._ready:
            if self._closed:
                raise DetachedError(Reason.CLOSED)
            if self._ended is not None:
                raise self._ended
            self._news.clear()
            try:
                async with asyncio.timeout(seconds):
                    await self._news.wait()
            except TimeoutError:
                return None
        return self._ready.popleft()

    def get_now(self) -> Event | None:
        return self._ready.popleft() if self._ready else None

    def close(self, *, gone: bool) -> None:
        if self._closed:
            return
        self._closed = True
        for pump in self._pumps:
            pump.cancel()
        if self._inner is not None:
            self._inner.close(gone=gone)
        self._news.set()
        self._closing = asyncio.create_task(self._stack.aclose())

    # --- what comes in

    async def _pump(self, inner: Source) -> None:
        try:
            while True:
                event = await inner.get(LOOK_SECONDS)
                if event is None:
                    continue
                if event.kind is Kind.NOTIFICATION and event.extra == ACKNOWLEDGED:
                    members = j.decode_members(event.data or b"{}") or {}
                    agreed = (j.decode_any(members["notifications"]) if "notifications" in members else None) or {}
                    members["notifications"] = msgspec.Raw(j.encode(self._filter(agreed)))
                    event = Event(event.seq, event.kind, j.encode(members), event.extra)
                self._add(event.kind, event.data, event.extra)
                self._acknowledged.set()
        except DetachedError as error:
            self._ended = error
            self._news.set()

    async def _follow(self, task_id: str, changed: asyncio.Event) -> None:
        said = b""
        await self._acknowledged.wait()
        while True:
            try:
                task = await self._context.services.tasks.get(self._context, task_id, with_body=True)
            except NotFound:
                return  # it has expired
            now = j.encode(wire.of_2026(task))
            if now != said:
                self._add(Kind.NOTIFICATION, now, METHOD)
            said = now
            if task.is_ended:
                return
            try:
                async with asyncio.timeout(LOOK_SECONDS):
                    await changed.wait()
            except TimeoutError:
                pass
            changed.clear()

    def _filter(self, agreed: dict[str, Any]) -> dict[str, Any]:
        return {**agreed, "taskIds": self._watched}

    def _add(self, kind: Kind, data: bytes, extra: str = "") -> None:
        self._seq += 1
        self._ready.append(Event(self._seq, kind, data, extra))
        self._news.set()
