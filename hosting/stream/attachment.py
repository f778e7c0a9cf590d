"""One followed log at the site's end of the stream: whole events in order, and the credit that lets more come."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from hosting.runner import frames as f

if TYPE_CHECKING:
    from hosting.stream.link import RunnerLink

_CREDIT_STEP = f.INITIAL_CREDIT // 4
_EVENT_OVERHEAD_BYTES = 64


class DetachedError(Exception):
    """The attachment ended without (or after) an outcome. `reason` is one of frames.Reason."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(detail or reason)
        self.reason = reason
        self.detail = detail


class Attachment:
    """One followed log. Events come whole and in order; reading them gives the runner new credit."""

    __slots__ = ("_events", "_link", "_owed", "_parts", "_waiter", "ended", "exchange", "number", "seen")

    def __init__(self, link: RunnerLink, number: int, exchange: str) -> None:
        self._link = link
        self.number = number
        self.exchange = exchange
        self.seen = 0  # the number of the event that was taken last
        self.ended: DetachedError | None = None
        self._events: deque[f.Event] = deque()
        self._parts: list[bytes] = []
        self._waiter: Callable[[], None] | None = None
        self._owed = 0

    async def next(self) -> f.Event:
        """The next event. Raises DetachedError when there will be none."""
        while not self._events:
            if self.ended is not None:
                raise self.ended
            waiter: asyncio.Future[None] = self._link.loop.create_future()
            self._waiter = partial(_wake, waiter)
            try:
                await waiter
            finally:
                self._waiter = None
        return self._take()

    def next_now(self) -> f.Event | None:
        """The next event if it is here already."""
        return self._take() if self._events else None

    def put_back(self, event: f.Event) -> None:
        """The event that was taken last is the next one again."""
        self._owed -= len(event.data) + _EVENT_OVERHEAD_BYTES
        self.seen = event.seq - 1
        self._events.appendleft(event)

    async def wait(self, seconds: float) -> bool:
        """Wait until an event (or the end) is here; False when `seconds` went by first."""
        if self._events or self.ended is not None:
            return True
        waiter: asyncio.Future[None] = self._link.loop.create_future()
        self._waiter = partial(_wake, waiter)
        timer = self._link.loop.call_later(seconds, _wake, waiter)
        try:
            await waiter
        finally:
            timer.cancel()
            self._waiter = None
        return bool(self._events) or self.ended is not None

    def when_here(self, waiter: Callable[[], None] | None) -> None:
        """Call `waiter` once, when an event or the end is here; None: no more. It must not raise."""
        self._waiter = waiter
        if self._events or self.ended is not None:
            self._tell()

    def _tell(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None:
            waiter()

    def _take(self) -> f.Event:
        event = self._events.popleft()
        self.seen = event.seq
        self._owed += len(event.data) + _EVENT_OVERHEAD_BYTES
        if self._owed >= _CREDIT_STEP and self.ended is None:
            self._link.send(f.Credit(self.number, self._owed))
            self._owed = 0
        return event

    def close(self, *, gone: bool = False) -> None:
        """Stop following. `gone`: the client vanished, so the exchange's end rule applies."""
        if self.ended is None:
            self.ended = DetachedError(f.Reason.CLOSED)
            self._link.forget(self.number)
            self._link.send(f.Detach(self.number, gone))

    # called by the link

    def received(self, events: list[f.Event]) -> None:
        for event in events:
            if event.more:
                self._part(event)
                continue
            whole = event
            if self._parts:
                whole = f.Event(event.seq, event.kind, b"".join((*self._parts, event.data)), event.extra)
                self._parts = []
            self._events.append(whole)
            if whole.kind in f.TERMINAL:
                self.ended = DetachedError(f.Reason.DONE)
                self._link.forget(self.number)
        if self._waiter is not None and self._events:
            self._tell()

    def _part(self, event: f.Event) -> None:
        """A part of a large event is read for credit at once, since nobody can take it before it is whole."""
        self._parts.append(event.data)
        self._link.send(f.Credit(self.number, len(event.data)))

    def detached(self, reason: str, detail: str) -> None:
        if self.ended is None:
            self.ended = DetachedError(reason, detail)
        self._tell()


def _wake(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
