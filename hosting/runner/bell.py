"""When the site's workers are called for news of tasks: at once after a quiet time, else once for what gathers.

A worker that is called asks until there is nothing left, so while one is at it nobody else is called. If it is not
heard of again, another one is.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

GATHER_SECONDS: Final = 0.05  # between two calls: under load a job takes what came together, and costs less for each
UNHEARD_SECONDS: Final = 1.0  # then whoever was called counts as lost


class Bell:
    """Call it on the event loop only."""

    def __init__(self, ring: Callable[[], None]) -> None:
        self._ring = ring
        self._heard_at = float("-inf")  # when a worker was called, or asked last
        self._is_awaited = False  # one was called or has more to ask
        self._pending: asyncio.TimerHandle | None = None

    def news(self) -> None:
        """There is something to take."""
        if self._pending is None:
            wait = self._due() - time.monotonic()
            if wait > 0:
                self._pending = asyncio.get_running_loop().call_later(wait, self._late)
            else:
                self._call()

    def asked(self, *, is_more: bool) -> None:
        """A worker asked; with `is_more` it was given something, and will ask again."""
        self._is_awaited = is_more
        self._heard_at = time.monotonic()
        if self._pending is not None and not is_more:  # that was for what it has taken
            self._pending.cancel()
            self._pending = None

    def _due(self) -> float:
        return self._heard_at + (UNHEARD_SECONDS if self._is_awaited else GATHER_SECONDS)

    def _late(self) -> None:
        self._pending = None
        self.news()

    def _call(self) -> None:
        self._is_awaited, self._heard_at = True, time.monotonic()
        self._ring()
