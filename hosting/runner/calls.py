"""The calls on one instance: those that its child runs, those that wait for its start or for their turn, and listeners.

Every call that is taken is ended here, or handed to the adapter, which says when it is settled.
"""

from __future__ import annotations

import time
from typing import Protocol

import msgspec

from hosting.runner.exchange import Exchange
from hosting.runner.frames import Kind
from hosting.runner.placement import Placement
from hosting.runner.upstream.base import Upstream
from hosting.runner.waiting import Waiting

_encode = msgspec.json.Encoder().encode


class Server(Protocol):
    """The instance that they are on."""

    id: str
    label: str
    placement: Placement
    state: str
    reason: str

    @property
    def upstream(self) -> Upstream | None: ...


class Calls:
    """`exchanges` are calls by id, those that wait among them. `listeners` don't keep it awake, and outlive it."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.exchanges: dict[str, Exchange] = {}
        self.listeners: dict[str, Exchange] = {}
        self.total = 0  # since it began
        self.used_at = time.monotonic()
        self._queue: list[Exchange] = []  # until its child has told its era
        self._waiting = Waiting(self)

    # --- coming and going

    def submit(self, exchange: Exchange) -> None:
        server = self._server
        self.total += 1
        self.used_at = time.monotonic()
        exchange.instance = server.id
        (self.listeners if exchange.listening else self.exchanges)[exchange.id] = exchange
        upstream = server.upstream
        if upstream is not None and server.state == "running":
            self._run_or_wait(upstream, exchange)
        elif server.state == "starting":
            self._queue.append(exchange)
            exchange.append(Kind.STATUS, _encode({"state": server.state, "reason": server.reason}))
        else:
            exchange.refuse(f"{server.label} is {server.state}: {server.reason}")
            self.settled(exchange)

    def _run_or_wait(self, upstream: Upstream, exchange: Exchange) -> None:
        limits = self._server.placement.limits
        if exchange.listening or not limits.in_flight or self.running <= limits.in_flight:
            upstream.submit(exchange)
        else:
            self._waiting.add(exchange, limits.waiting_seconds)

    def cancel(self, exchange: Exchange, reason: str) -> None:
        """End a call on its client's word. The log ends first, so that a late answer finds nothing to add to."""
        if exchange.is_done:
            return
        exchange.append(Kind.CANCELLED, extra=reason)
        if exchange in self._queue:
            self._queue.remove(exchange)
        elif not self._waiting.remove(exchange) and self._server.upstream is not None:
            self._server.upstream.cancel(exchange, reason)
        self.settled(exchange)

    def settled(self, exchange: Exchange) -> None:
        """It has ended, in whatever way; the next one has its turn."""
        if exchange.listening:
            self.listeners.pop(exchange.id, None)
        else:
            self.exchanges.pop(exchange.id, None)
            if self._server.upstream is not None:
                self._next_turns(self._server.upstream)
        self.used_at = time.monotonic()

    def not_understood(self, number: object, why: str) -> None:
        """An answer of the wrong shape ends the call it was for; no call may wait for ever because of one."""
        for exchange in [e for e in self.exchanges.values() if e.number == number and not e.is_done]:
            exchange.refuse(f"The hosted server's answer could not be understood: {why}")
            self.settled(exchange)

    # --- with the life of the instance

    def tell(self, reason: str) -> None:
        """How the start goes, to all that wait for it."""
        body = _encode({"state": self._server.state, "reason": reason})
        for exchange in self._queue:
            exchange.append(Kind.STATUS, body)

    def begin(self, upstream: Upstream) -> None:
        """The child has told its era."""
        queue, self._queue = self._queue, []
        for exchange in queue:
            if exchange.listening:
                upstream.submit(exchange)
            else:
                self._waiting.add(exchange, self._server.placement.limits.waiting_seconds)
        self._next_turns(upstream)

    def abandon(self, words: str, reason: str) -> None:
        """The child is gone. Listeners that were agreed to stay here: the placement takes them over."""
        label = self._server.label
        waiting = {name: one for name, one in self.listeners.items() if one.agreed}
        for exchange in [*self.exchanges.values(), *(one for one in self.listeners.values() if not one.agreed)]:
            exchange.abandon(words, words, {"deployment": label, "reason": reason})
        self.exchanges.clear()
        self.listeners = waiting
        self._queue.clear()
        self._waiting.clear()

    def adopted(self) -> None:
        """After a restart of the runner in place."""
        self._waiting.adopted(self._server.placement.limits.waiting_seconds)

    # --- turns

    @property
    def running(self) -> int:
        """How many calls are at the child, or will be as soon as it has started."""
        return len(self.exchanges) - len(self._waiting)

    @property
    def is_full(self) -> bool:
        """Whether a further call would have to wait."""
        limit = self._server.placement.limits.in_flight
        return bool(limit) and self.running >= limit

    @property
    def has_waiting_room(self) -> bool:
        limits = self._server.placement.limits
        return len(self.exchanges) < limits.in_flight + limits.waiting

    def _next_turns(self, upstream: Upstream) -> None:
        while self._waiting and not self.is_full:
            upstream.submit(self._waiting.take())

    def tell_to_wait(self, exchange: Exchange) -> None:
        body = {"state": self._server.state, "reason": f"waiting: {self._crowd()}"}
        exchange.append(Kind.STATUS, _encode(body))

    def turn_away(self, exchange: Exchange) -> None:
        exchange.turn_away(f"{self._server.label} is busy: {self._crowd()}")
        self.settled(exchange)

    def _crowd(self) -> str:
        return f"{self._server.placement.limits.in_flight} calls are running already; the limit is that many at once"
