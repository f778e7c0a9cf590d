"""The calls that an instance does not run yet, since it runs as many as it may at once.

They are few and wait briefly: what a burst of a client needs. A call that had no turn in time is turned away with the
word "busy", so that its client comes again. A task waits for as long as it takes: nobody holds a line for it.
"""

from __future__ import annotations

import asyncio
from typing import Any, Protocol

from hosting.runner.exchange import Exchange

QUIET_SECONDS = 0.2  # a client is told only of what takes longer


class Place(Protocol):
    """Where they wait."""

    def tell_to_wait(self, exchange: Exchange) -> None:
        """It waits for long."""

    def turn_away(self, exchange: Exchange) -> None:
        """It has waited for too long."""


class Waiting:
    """First come, first served."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._calls: dict[str, tuple[Exchange, asyncio.TimerHandle]] = {}

    def __len__(self) -> int:
        return len(self._calls)

    def add(self, exchange: Exchange, seconds: float) -> None:
        quiet = min(QUIET_SECONDS, seconds)
        loop = asyncio.get_running_loop()
        self._calls[exchange.id] = exchange, loop.call_later(quiet, self._tell, exchange, seconds - quiet)

    def _tell(self, exchange: Exchange, seconds: float) -> None:
        timer = asyncio.get_running_loop().call_later(seconds, self._give_up, exchange)
        self._calls[exchange.id] = exchange, timer
        self._place.tell_to_wait(exchange)

    def _give_up(self, exchange: Exchange) -> None:
        if exchange.task:
            return
        self.remove(exchange)
        self._place.turn_away(exchange)

    def take(self) -> Exchange:
        """The one that waits longest. Raises StopIteration when none does."""
        exchange, _ = next(iter(self._calls.values()))
        self.remove(exchange)
        return exchange

    def remove(self, exchange: Exchange) -> bool:
        """False when it does not wait."""
        found = self._calls.pop(exchange.id, None)
        if found is not None:
            found[1].cancel()
        return found is not None

    def __getstate__(self) -> dict[str, Any]:
        return {"_place": self._place, "_calls": {name: (one, None) for name, (one, _) in self._calls.items()}}

    def adopted(self, seconds: float) -> None:
        """After a restart of the runner in place: all of them have their time again."""
        calls, self._calls = self._calls, {}
        for exchange, _ in calls.values():
            self.add(exchange, seconds)

    def clear(self) -> None:
        for exchange, _ in list(self._calls.values()):
            self.remove(exchange)
