"""The one listen request of a modern child: the union of what its listeners and its legacy sessions want to hear.

Each listener is acknowledged with its own filter and hears what that names. When the union changes, the new request is
opened first; the one before is cancelled once the new one is acknowledged, and until then it is the one that counts. So
no change falls between the two.
Source: 2026-07-28 basic/patterns/subscriptions.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

import msgspec

from hosting.runner.exchange import Exchange
from hosting.runner.frames import Kind
from hosting.runner.listening import (
    EVERY_CHANGE,
    RESOURCE_UPDATED,
    Filter,
    acknowledgement,
    common,
    honoured_by,
    missed,
    union,
)
from hosting.runner.upstream import messages as m
from hosting.runner.upstream.base import Peer


class _Updated(msgspec.Struct):
    uri: str = ""


_decode_updated = msgspec.json.Decoder(_Updated).decode


class Listens(Protocol):
    """The child, as far as it is needed here."""

    def listen(self, number: int, wanted: Filter) -> None:
        """Send a listen request under that number."""


class Subscriptions:
    """`announces` is what the child can announce. Plain data, so that a restart of the runner can write it down."""

    def __init__(self, peer: Peer, child: Listens, announces: Filter) -> None:
        self._peer = peer
        self._child = child
        self._announces = announces
        self._listeners: dict[str, tuple[Exchange, Filter]] = {}
        self._told: set[str] = set()  # those listeners that were acknowledged
        self._requests: dict[int, Filter] = {}  # not ended, oldest first
        self._ended: set[int] = set()  # cancelled by us; an answer may still come
        self._current = 0  # the newest one that was acknowledged
        self._honoured = Filter()
        self._is_due = False

    # --- who listens

    def add(self, exchange: Exchange, wanted: Filter) -> None:
        self._listeners[exchange.id] = exchange, wanted
        self._refresh_soon()

    def remove(self, exchange: Exchange) -> bool:
        """False when it is none of the listeners."""
        if self._listeners.pop(exchange.id, None) is None:
            return False
        self._told.discard(exchange.id)
        self._refresh_soon()
        return True

    def _refresh_soon(self) -> None:
        """Once for all that come or go together, as when a server wakes up."""
        if not self._is_due:
            self._is_due = True
            asyncio.get_running_loop().call_soon(self.refresh)

    def adopted(self) -> None:
        """After a restart of the runner in place: what was to be asked for next is."""
        if self._is_due:
            self.refresh()

    def refresh(self) -> None:
        """Ask for what is wanted now, if that is not what was asked for last."""
        self._is_due = False
        wanted = union([*(wanted for _, wanted in self._listeners.values()), *self._of_sessions()])
        asked = next(reversed(self._requests.values()), Filter())
        if wanted != asked:
            if wanted == Filter():
                self._cancel(list(self._requests))
                self._current, self._honoured = 0, Filter()
            else:
                number = self._peer.next_id()
                self._requests[number] = wanted
                self._child.listen(number, wanted)
        self._acknowledge()

    def _of_sessions(self) -> list[Filter]:
        """A legacy session hears of every list that may change, and of the resources it subscribed to."""
        return [Filter.of(self._announces.flags, session.subscriptions) for session in self._peer.sessions()]

    def _cancel(self, numbers: list[int]) -> None:
        for number in numbers:
            del self._requests[number]
            self._ended.add(number)
            self._peer.write(m.notification("notifications/cancelled", m.encode({"requestId": number})))

    # --- what the child says

    def owns(self, number: object) -> bool:
        """Whether a message with that id or subscription id is meant for here."""
        return number in self._requests or number in self._ended

    def acknowledged(self, number: int, params: bytes) -> None:
        if number not in self._requests or number < self._current:
            return
        if number == self._current:
            self._listened_anew()
            return
        self._current, self._honoured = number, honoured_by(params)
        self._cancel([older for older in self._requests if older < number])
        self._acknowledge()

    def _acknowledge(self) -> None:
        """Tell those listeners so whose wishes are all part of what the child was asked for and answered."""
        asked = self._requests.get(self._current, Filter())
        for exchange, wanted in list(self._listeners.values()):
            if exchange.id not in self._told and asked.covers(wanted):
                self._told.add(exchange.id)
                exchange.acknowledge(acknowledgement(common(wanted, self._honoured)))

    def _listened_anew(self) -> None:
        """A remote's stream broke and was opened again: what each listens for may have changed meanwhile."""
        for session in self._peer.sessions():
            heard = common(self._honoured, Filter.of(EVERY_CHANGE, session.subscriptions))
            for method, params in missed(acknowledgement(heard)):
                session.channel.append(Kind.NOTIFICATION, params, method)
        for exchange, _ in list(self._listeners.values()):
            if exchange.id in self._told:
                exchange.acknowledge(b"")

    def announced(self, number: int, method: str, params: bytes) -> None:
        if number != self._current:
            return
        uri = _decode_updated(params or b"{}").uri if method == RESOURCE_UPDATED else ""
        for session in self._peer.sessions():
            if Filter.of(EVERY_CHANGE, session.subscriptions).hears(method, uri):
                session.channel.append(Kind.NOTIFICATION, params, method)
        for exchange, wanted in list(self._listeners.values()):
            if exchange.id in self._told and wanted.hears(method, uri):
                exchange.append(Kind.NOTIFICATION, params, method)

    def answered(self, number: int, *, result: bytes = b"", error: bytes = b"") -> None:
        """The child ended a listen request: in good order (`result`), or it never took it."""
        if number in self._ended:
            self._ended.discard(number)
            return
        del self._requests[number]
        has_other = self._current not in (0, number)
        for exchange, _ in list(self._listeners.values()):
            if has_other and exchange.id in self._told:
                continue
            del self._listeners[exchange.id]
            self._told.discard(exchange.id)
            if error:
                exchange.fail(error)
            else:
                exchange.succeed(result or b'{"resultType":"complete"}')
            self._peer.settled(exchange)
        if not has_other:
            self._current, self._honoured = 0, Filter()
