"""A modern client's `subscriptions/listen` at a legacy child, which announces its lists to whoever is connected.

Resources are subscribed to for the first listener that names them, and no more once the last one is gone.
Sources: 2026-07-28 basic/patterns/subscriptions; 2025-11-25 server/resources, "Subscriptions".
"""

from __future__ import annotations

from typing import Any, Protocol

import msgspec

from hosting.runner.exchange import Exchange
from hosting.runner.frames import Kind
from hosting.runner.listening import CHANGES, RESOURCE_UPDATED, Filter, acknowledgement, common, honoured_by


class _Updated(msgspec.Struct):
    uri: str = ""


_decode_updated = msgspec.json.Decoder(_Updated).decode


class Asks(Protocol):
    """The child, as far as it is needed here."""

    def ask_aside(self, method: str, params: dict[str, Any]) -> None:
        """Send a request whose answer nobody waits for."""


class Listeners:
    """Plain data beside its child, so that a restart of the runner can write it down."""

    def __init__(self, child: Asks, capabilities: bytes) -> None:
        self._child = child
        self._known: dict[str, tuple[Exchange, Filter]] = {}
        offered: dict[str, Any] = msgspec.json.decode(capabilities)
        parts = [offered.get(method.split("/")[1]) or {} for method in CHANGES]
        self._announces = Filter.of(bool(part.get("listChanged")) for part in parts)
        self._can_subscribe = bool((offered.get("resources") or {}).get("subscribe"))

    def add(self, exchange: Exchange) -> None:
        wanted = honoured_by(exchange.open.params)  # of a filter, too, the members that are known here
        uris = wanted.resource_subscriptions if self._can_subscribe else ()
        before = self._subscribed()
        flags = common(wanted, self._announces).flags
        honoured = Filter.of(flags, uris)
        self._known[exchange.id] = exchange, honoured
        for uri in uris:
            if uri not in before:
                self._child.ask_aside("resources/subscribe", {"uri": uri})
        exchange.acknowledge(acknowledgement(honoured))

    def remove(self, exchange: Exchange, *, is_last_word: bool) -> None:
        """`is_last_word`: nobody else may have subscribed at this child."""
        _, honoured = self._known.pop(exchange.id, (None, Filter()))
        if is_last_word:
            for uri in set(honoured.resource_subscriptions) - self._subscribed():
                self._child.ask_aside("resources/unsubscribe", {"uri": uri})

    def _subscribed(self) -> set[str]:
        return {uri for _, honoured in self._known.values() for uri in honoured.resource_subscriptions}

    def announced(self, method: str, params: bytes) -> None:
        if not self._known:
            return
        uri = _decode_updated(params or b"{}").uri if method == RESOURCE_UPDATED else ""
        for exchange, honoured in list(self._known.values()):
            if honoured.hears(method, uri):
                exchange.append(Kind.NOTIFICATION, params, method)
