"""Two connections made one: what comes in at either goes out at the other, no faster than it is taken."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable
from typing import cast

from hosting.runner.egress.tally import Count

HIGH_WATER_OCTETS = 256 * 1024


class Tunnel:
    """Ends when both directions have; `abort` ends it at once. `count` grows by all that passes."""

    def __init__(self, count: Count) -> None:
        self.count = count
        self.used_at = time.monotonic()
        self.on_end: Callable[[Tunnel], None] = lambda _: None
        self.inner, self.outer = _Side(self), _Side(self)
        self.inner.peer, self.outer.peer = self.outer, self.inner

    async def join(self, inner: socket.socket, outer: socket.socket, *, to_outer: bytes = b"") -> None:
        """Takes both sockets over. `to_outer` was read from the inner one already."""
        loop = asyncio.get_running_loop()
        try:
            await loop.create_connection(lambda: self.outer, sock=outer)
            if to_outer:
                self.passed(len(to_outer))
                self.outer.write(to_outer)
            await loop.connect_accepted_socket(lambda: self.inner, inner)
        except BaseException:
            for one in (inner, outer):
                one.close()
            self.abort()
            self.on_end(self)
            raise

    def passed(self, octets: int) -> None:
        self.count.octets += octets
        self.used_at = time.monotonic()

    def ended(self) -> None:
        """One direction has."""
        if self.inner.has_ended and self.outer.has_ended:
            self.inner.finish()
            self.outer.finish()

    def closed(self) -> None:
        """One side is gone for good; what the other still has to send is sent."""
        if self.inner.is_gone and self.outer.is_gone:
            self.on_end(self)
        else:
            self.inner.finish()
            self.outer.finish()

    def abort(self) -> None:
        self.inner.abort()
        self.outer.abort()


class _Side(asyncio.Protocol):
    peer: _Side

    def __init__(self, tunnel: Tunnel) -> None:
        self.has_ended = False  # it sends no more
        self.is_gone = False
        self._tunnel = tunnel
        self._transport: asyncio.Transport | None = None
        self._early: list[bytes] = []  # came before the peer was there

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=HIGH_WATER_OCTETS)
        for data in self.peer._early:
            self._transport.write(data)
        self.peer._early.clear()
        if self.peer.is_gone:
            self._transport.close()
        elif self.peer.has_ended:
            self.end()

    def data_received(self, data: bytes) -> None:
        self._tunnel.passed(len(data))
        if not self.peer.write(data):
            self._early.append(data)

    def eof_received(self) -> bool:
        self.has_ended = True
        self.peer.end()
        self._tunnel.ended()
        return True  # the other direction may go on

    def pause_writing(self) -> None:
        self.peer.pause(True)

    def resume_writing(self) -> None:
        self.peer.pause(False)

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        self.is_gone = True
        self._tunnel.closed()

    # --- what the peer asks

    def write(self, data: bytes) -> bool:
        if self._transport is None:
            return False
        self._transport.write(data)
        return True

    def end(self) -> None:
        if self._transport is not None and not self._transport.is_closing() and self._transport.can_write_eof():
            self._transport.write_eof()

    def pause(self, is_paused: bool) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        if is_paused:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    def finish(self) -> None:
        """Send what is left, then close."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()
