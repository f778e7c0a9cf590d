"""One request whose head is known and whose body is here: what uvicorn's own cycle does, for as long as that is enough.

Most calls are answered in one step, and then nothing of ASGI is needed. Whoever receives or sends gets uvicorn's cycle,
made when first wanted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Coroutine
from typing import TYPE_CHECKING, Any, cast

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from mcp_endpoint.wire.asgi import Message

if TYPE_CHECKING:
    from config.launch.http import HttpProtocol


class _NobodyWaits:
    """In the place of an event that nobody waits for yet."""

    def set(self) -> None:
        pass


_NOBODY_WAITS = _NobodyWaits()
_SCOPE: Any = {"type": "http", "method": "POST"}  # what uvicorn's cycle reads of it


class KnownCycle:
    """Implements mcp_endpoint.wire.asgi.Cycle, and what uvicorn's protocol asks of a connection's current cycle."""

    __slots__ = ("_body", "_full", "_protocol", "disconnected", "keep_alive", "message_event", "response_complete")

    def __init__(self, protocol: HttpProtocol, body: bytes) -> None:
        self._protocol = protocol
        self._body = body
        self._full: RequestResponseCycle | None = None
        self.disconnected = False
        self.keep_alive = True
        self.message_event = _NOBODY_WAITS
        self.response_complete = False

    def whole(self, head: bytes, body: bytes) -> bool:
        protocol = self._protocol
        if (
            self._full is not None
            or self.response_complete
            or self.disconnected
            or not self.keep_alive
            or protocol.flow.write_paused
        ):
            return False
        self.response_complete = True
        protocol.write_whole(head, body)
        return True

    def receive(self) -> Awaitable[Message]:
        return cast("Awaitable[Message]", self._cycle().receive())

    def send(self, message: Message) -> Awaitable[None]:
        return self._cycle().send(cast("Any", message))

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        self._protocol.start(self._cycle(), lambda *_: work)

    def _cycle(self) -> RequestResponseCycle:
        """uvicorn's cycle for this request, which takes its place at the connection."""
        cycle = self._full
        if cycle is None:
            cycle = self._full = self._protocol.full_cycle(self, _SCOPE, asyncio.Event())
            cycle.body += self._body
            cycle.more_body = False
            cycle.message_event.set()
            cycle.disconnected = self.disconnected
            cycle.response_started = cycle.response_complete = self.response_complete
        return cycle
