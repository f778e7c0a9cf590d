"""A running call becomes a task without being started again: after a time, or because it has to.

The runner is told first (`Keep`), then the row is committed: from that moment on it is a task, and its client gets a
handle in place of the result. If the row can't be written, the call goes on as it was.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import structlog

from common.errors import AppError
from hosting.models.tasks import new_task_id
from hosting.runner.control import Answer, Keep, Remind
from hosting.runner.frames import TERMINAL, Event, Kind
from hosting.runner.upstream.on_site import is_on_site
from hosting.stream.stream import DetachedError, RunnerLink, RunnerUnavailableError
from hosting.tasks.accepting import Wanted
from mcp_endpoint.sources import Source
from mcp_endpoint.tasks.wire import TaskSeen
from mcp_endpoint.wire import jsonrpc as j

if TYPE_CHECKING:
    from mcp_endpoint.tasks.service import Tasks

log = structlog.get_logger(__name__)
AGAIN_SECONDS: Final = 10.0  # between attempts, where one failed
BECAME: Final = "task"  # the state that a hosted server's own task is announced with

Where = Callable[[], tuple[RunnerLink, str, str]]
"""() -> (link, runner address, exchange id) of the call."""


class Converting:
    """A Source that ends with `handle(task)` as the call's result, once the call has run for `seconds`."""

    def __init__(
        self,
        inner: Source,
        tasks: Tasks,
        wanted: Wanted,
        where: Where,
        *,
        seconds: float,
        handle: Callable[[TaskSeen], Awaitable[bytes]],
        at_once: bool = False,
        after: int = 0,
    ) -> None:
        """`at_once`: also as soon as the hosted server makes a task of it, for a client that knows what that is.

        `after`: the event that the client was given last.
        """
        self._inner = inner
        self._tasks = tasks
        self._wanted = wanted
        self._where = where
        self._handle = handle
        self._at_once = at_once
        self._due = asyncio.get_running_loop().time() + seconds
        self._last = after
        self._is_over = False
        self._asked: dict[str, Any] = {}  # questions for its user's page, by their keys

    async def get(self, seconds: float) -> Event | None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while True:
            now = loop.time()
            if now >= self._due and (event := await self._convert()) is not None:
                return event
            left = min(deadline, self._due) - now
            if left <= 0:
                return None
            event = await self._inner.get(left)
            if event is not None and (shown := self.took(event)) is not None:
                return shown
            if event is None and loop.time() >= deadline and loop.time() < self._due:
                return None

    def get_now(self) -> Event | None:
        while not self._is_over and (event := self._inner.get_now()) is not None:
            if (shown := self.took(event)) is not None:
                return shown
        return None

    def close(self, *, gone: bool) -> None:
        if not self._is_over:
            self._inner.close(gone=gone)

    def took(self, event: Event) -> Event | None:
        """An event of the call; None for a question that its client is not shown, which makes a task of the call."""
        self._last = event.seq
        if event.kind is Kind.INPUT_REQUESTED and is_on_site(event.extra):
            self._asked[event.extra] = {}
            self._due = 0.0
            return None
        if event.kind is Kind.INPUT_ANSWERED:
            self._asked.pop(event.extra, None)
        return self.saw(event)

    def saw(self, event: Event) -> Event:
        """An event of the call that is passed on; one may say that the call is a task already."""
        self._last = event.seq
        if event.kind in TERMINAL:
            self._is_over = True
        elif self._at_once and event.kind is Kind.STATUS and b'"%b"' % BECAME.encode() in event.data:
            self._due = 0.0
        return event

    async def _convert(self) -> Event | None:
        """The handle as the call's result; None when it goes on as a call, or has ended."""
        self._due = asyncio.get_running_loop().time() + AGAIN_SECONDS
        link, address, exchange = self._where()
        task_id = new_task_id()
        try:
            if self._asked and not await self._tasks.has_person(self._wanted):
                await refuse_asked(link, exchange, self._wanted.exchange_owner, self._asked)
                self._asked.clear()
                return None
            kept = await link.ask(Keep(exchange=exchange, owner=self._wanted.exchange_owner, task=task_id))
            if not kept.first:
                return None
            task = await self._tasks.of_call(self._wanted, task_id, address, exchange)
        except (AppError, DetachedError, RunnerUnavailableError) as error:
            log.warning("call_not_converted", exchange=exchange, reason=str(error))
            with suppress(DetachedError, RunnerUnavailableError):
                await refuse_asked(link, exchange, self._wanted.exchange_owner, self._asked)
            self._asked.clear()
            return None
        self._is_over = True
        with suppress(DetachedError, RunnerUnavailableError):  # the sweep asks for what nobody took
            await link.ask(Remind(task_id))
        self._inner.close(gone=False)
        return Event(self._last + 1, Kind.RESULT, await self._handle(replace(task, questions=self._asked)))


class NeverConverting:
    """A Source of a call that can't become a task: a question for its user's page is answered with an error."""

    def __init__(self, inner: Source, owner: str, where: Where) -> None:
        self._inner = inner
        self._owner = owner
        self._where = where

    async def get(self, seconds: float) -> Event | None:
        deadline = asyncio.get_running_loop().time() + seconds
        while (event := await self._inner.get(max(0.0, deadline - asyncio.get_running_loop().time()))) is not None:
            if event.kind is not Kind.INPUT_REQUESTED or not is_on_site(event.extra):
                return event
            link, _, exchange = self._where()
            await refuse_asked(link, exchange, self._owner, [event.extra])
        return None

    def get_now(self) -> Event | None:
        return None  # what comes is looked at first

    def close(self, *, gone: bool) -> None:
        self._inner.close(gone=gone)


async def refuse_asked(link: RunnerLink, exchange: str, owner: str, keys: Collection[str]) -> None:
    """Raises DetachedError and RunnerUnavailableError."""
    error = j.error_object(j.METHOD_NOT_FOUND, "The client can't show this, and nobody can be asked on the site")
    for key in list(keys):
        await link.ask(Answer(owner=owner, key=key, exchange=exchange, error=error))
