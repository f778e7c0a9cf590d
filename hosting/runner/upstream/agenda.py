"""What is due when, by name, with one timer for all of it."""

from __future__ import annotations

import asyncio
import heapq
import time
from typing import Any, Protocol

SLACK_SECONDS = 0.05  # what becomes due within it is told together


class Owner(Protocol):
    """Whose agenda it is."""

    def due(self, names: list[str]) -> None:
        """These have become due."""


class Agenda:
    """Plain data but for its timer, which a restart of the runner in place renews."""

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self._due: dict[str, float] = {}
        self._heap: list[tuple[float, str]] = []  # with entries that do not count any more
        self._timer: asyncio.TimerHandle | None = None

    def put(self, name: str, seconds: float) -> None:
        """Due in so many seconds, and not when it was to be before."""
        due = self._due[name] = time.monotonic() + seconds
        heapq.heappush(self._heap, (due, name))
        self._arm()

    def drop(self, name: str) -> None:
        self._due.pop(name, None)
        if not self._due:
            self._heap.clear()
            self._disarm()

    def adopted(self) -> None:
        self._arm()

    def _arm(self) -> None:
        if not self._heap:
            return
        loop = asyncio.get_running_loop()
        seconds = max(self._heap[0][0] - time.monotonic(), 0.0) + SLACK_SECONDS
        if self._timer is not None and self._timer.when() <= loop.time() + seconds:
            return
        self._disarm()
        self._timer = loop.call_later(seconds, self._now)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _now(self) -> None:
        self._timer = None
        now, names = time.monotonic(), []
        while self._heap and self._heap[0][0] <= now:
            due, name = heapq.heappop(self._heap)
            if self._due.get(name) == due:
                del self._due[name]
                names.append(name)
        try:
            if names:
                self._owner.due(names)
        finally:
            self._arm()

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_timer": None}
