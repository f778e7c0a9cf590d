"""One timer for all calls that wait for their first event: each call's own would cost it more than its reading does."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol


class Waiting(Protocol):
    began: float
    """On the clock of time.perf_counter."""

    def late(self) -> None:
        """The time went by. Must not raise."""


class Patience:
    """Everybody is given the same time, so whoever came first is the first to be late."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._waiting: dict[Waiting, None] = {}
        self._timer: asyncio.TimerHandle | None = None

    @property
    def is_empty(self) -> bool:
        return not self._waiting

    def add(self, waiting: Waiting) -> None:
        self._waiting[waiting] = None
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._seconds, self._look)

    def remove(self, waiting: Waiting) -> None:
        self._waiting.pop(waiting, None)

    def _look(self) -> None:
        self._timer = None
        before = time.perf_counter() - self._seconds
        while self._waiting:
            oldest = next(iter(self._waiting))
            if oldest.began > before:
                pause = oldest.began - before
                self._timer = asyncio.get_running_loop().call_later(pause, self._look)
                return
            del self._waiting[oldest]
            oldest.late()
