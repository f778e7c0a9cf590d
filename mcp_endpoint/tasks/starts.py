"""Handing tasks that were just accepted to their runner, without a job; what became of that is seen of many at once.

If this process dies before a call is opened, the row says which one it was to be: the sweep has it opened.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple

import structlog

from common.errors import AppError
from hosting.runner.control import Cancel
from hosting.runner.frames import Reason
from hosting.stream.stream import Attachment, DetachedError, RunnerLink, RunnerUnavailableError
from hosting.tasks.accepting import Wanted
from hosting.tasks.opening import call_open
from mcp_endpoint.directory import Directory
from mcp_endpoint.tasks import records

if TYPE_CHECKING:
    from hosting.routing import Route

log = structlog.get_logger(__name__)

LOOK_SECONDS: Final = 0.05
RUNNING_SECONDS: Final = 1.0  # what has ended by then need not be said to run
NOTE_SECONDS: Final = 0.5


class _Opened(NamedTuple):
    task_id: str
    link: RunnerLink
    attachment: Attachment


class Starts:
    """Those of one web process."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._opened: list[_Opened] = []
        self._running: deque[tuple[float, str]] = deque()  # (time.monotonic() when to say so, task)
        self._noted_at = 0.0  # time.monotonic()
        self._work: asyncio.Task[None] | None = None

    def open(self, link: RunnerLink, wanted: Wanted, task_id: str, route: Route) -> None:
        """The row is committed: the call may be opened."""
        attachment = call_open(
            link,
            wanted,
            task_id=task_id,
            attempt=1,
            epoch=route.epoch,
            generation=route.generation,
            session=wanted.session,
        )
        self._opened.append(_Opened(task_id, link, attachment))
        if self._work is None:
            self._work = asyncio.create_task(self._look_on(), name="task-starts")

    async def stop(self) -> None:
        if self._work is not None:
            self._work.cancel()
            with suppress(asyncio.CancelledError):
                await self._work

    async def _look_on(self) -> None:
        try:
            while self._opened or self._running:
                await asyncio.sleep(LOOK_SECONDS)
                refused = await self._look()
                running = self._due()
                if refused or running:
                    await self._write(running, refused)
        finally:
            self._work = None

    async def _look(self) -> list[str]:
        """Those that their runner refused, or that nobody knows to have come there."""
        opened, self._opened = self._opened, []
        for link in {one.link for one in opened}:
            # Frames are taken in order, so the answer to a question about nothing comes after all refusals.
            with suppress(RunnerUnavailableError, DetachedError):  # then so are their attachments
                await link.ask(Cancel(exchange="", owner=""))
        refused: list[str] = []
        due = time.monotonic() + RUNNING_SECONDS
        for one in opened:
            ended = one.attachment.ended
            if ended is None or ended.reason == Reason.DONE:
                one.attachment.close()
                self._running.append((due, one.task_id))
            else:
                refused.append(one.task_id)
        return refused

    def _due(self) -> list[str]:
        found: list[str] = []
        now = time.monotonic()
        if now - self._noted_at < NOTE_SECONDS:
            return found
        self._noted_at = now
        while self._running and self._running[0][0] <= now:
            found.append(self._running.popleft()[1])
        return found

    async def _write(self, running: list[str], refused: list[str]) -> None:
        try:
            await self._directory.in_thread(records.started, running, refused)
        except AppError as error:  # the database is away: the sweep opens again what says that it starts
            log.warning("task_starts_not_noted", tasks=len(running) + len(refused), error=str(error))
