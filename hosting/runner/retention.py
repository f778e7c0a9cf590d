"""How long a finished exchange is kept: as long as a client may still come back for the rest of its stream."""

from __future__ import annotations

import time
from collections import OrderedDict

from hosting.runner.exchange import Exchange
from hosting.runner.frames import EndRule
from hosting.runner.outbox import Outbox
from hosting.runner.session import Session

RETAIN_SECONDS = 300.0
QUICK_SECONDS = 0.2
MAX_RETAINED = 20_000


class Retention:
    """Watches exchanges to their end and takes them out of the runner's dictionary when nobody needs them."""

    def __init__(self, exchanges: dict[str, Exchange], sessions: dict[str, Session], outbox: Outbox) -> None:
        self._exchanges = exchanges
        self._sessions = sessions
        self._outbox = outbox
        self._finished: OrderedDict[str, None] = OrderedDict()  # kept for resumption, oldest first

    def watch(self, exchange: Exchange) -> None:
        exchange.log.on_idle = lambda: self._finish(exchange)

    def _finish(self, exchange: Exchange) -> None:
        """The log has ended: forget the exchange, or keep it where a client may still resume its stream."""
        exchange.ended_at = exchange.ended_at or time.monotonic()
        session = self._sessions.get(exchange.session) if exchange.session else None
        if session is not None:
            session.exchanges.discard(exchange.id)
            session.touch()
        delivered = exchange.log.is_delivered
        quick = exchange.log.next_seq == 2 and exchange.ended_at - exchange.opened_at < QUICK_SECONDS
        # A client that answers comes back on another connection, perhaps before the first was seen to let go: what
        # was given to the first was not delivered. What the second was given is, and no third may come for it.
        once = not exchange.is_awaited and (exchange.end_rule is EndRule.CANCEL or session is None)
        if delivered and (once or quick):
            self.forget(exchange)
            return
        self._finished[exchange.id] = None
        if len(self._finished) > MAX_RETAINED:
            oldest = self._exchanges.get(next(iter(self._finished)))
            if oldest is not None:
                self.forget(oldest)

    def forget(self, exchange: Exchange) -> None:
        self._exchanges.pop(exchange.id, None)
        self._finished.pop(exchange.id, None)
        exchange.log.on_idle = None
        if not exchange.task or self._outbox.log_of(exchange.task) is None:
            exchange.log.free()

    def sweep(self, now: float) -> None:
        for name in list(self._finished):
            old = self._exchanges.get(name)
            if old is not None and now - old.ended_at < RETAIN_SECONDS:
                break
            self._finished.pop(name, None)
            if old is not None:
                self.forget(old)

    def adopted(self) -> None:
        """After a restart of the runner in place."""
        for exchange in self._exchanges.values():
            self.watch(exchange)
