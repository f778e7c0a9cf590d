"""One instance's way out: its listening sockets, its limits and its open connections."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import Callable

from hosting.runner.egress.nameserver import NameServer
from hosting.runner.egress.passage import Inside, serve
from hosting.runner.egress.tunnel import Tunnel

log = logging.getLogger(__name__)

MAX_CONNECTIONS = 64
ACCEPTS_A_SECOND, ACCEPT_BURST = 50.0, 100.0
PAUSE_SECONDS = 0.2
IDLE_SECONDS = 600.0


class Gate:
    """Listens from the start; `close` ends all. Who floods it waits, and nobody else does."""

    def __init__(self, inside: Inside, doors: list[socket.socket], *, is_explicit: bool) -> None:
        """`doors` as `doors.order` gives them: ports, names, and the explicit proxy's if there is one."""
        self.inside = inside
        self._loop = asyncio.get_running_loop()
        self._tunnels: set[Tunnel] = set()
        self._serving: set[asyncio.Task[None]] = set()
        self._spare, self._spare_at = ACCEPT_BURST, time.monotonic()
        self._resume: asyncio.TimerHandle | None = None
        explicit = doors.pop() if is_explicit else None
        self._names = NameServer(doors.pop(), inside)
        self._listeners = {door: door is explicit for door in [*doors, *([explicit] if explicit else [])]}
        for door in self._listeners:
            door.setblocking(False)
        self._listen()

    def close(self) -> None:
        self._deafen()
        if self._resume is not None:
            self._resume.cancel()
        self._names.close()
        for door in self._listeners:
            door.close()
        for task in self._serving:
            task.cancel()
        for tunnel in list(self._tunnels):
            tunnel.abort()

    def sweep(self, now: float) -> None:
        for tunnel in list(self._tunnels):
            if now - tunnel.used_at > IDLE_SECONDS:
                tunnel.abort()

    def _listen(self) -> None:
        self._resume = None
        for door in self._listeners:
            self._loop.add_reader(door, self._accept, door)

    def _deafen(self) -> None:
        for door in self._listeners:
            self._loop.remove_reader(door)

    def _may_accept(self) -> bool:
        now = time.monotonic()
        self._spare = min(ACCEPT_BURST, self._spare + (now - self._spare_at) * ACCEPTS_A_SECOND)
        self._spare_at = now
        if len(self._serving) + len(self._tunnels) >= MAX_CONNECTIONS:
            self.inside.note(f"{MAX_CONNECTIONS} connections are open, as many as an instance may have; others wait")
            return False
        return self._spare >= 1

    def _accept(self, door: socket.socket) -> None:
        if not self._may_accept():
            self._deafen()
            self._resume = self._loop.call_later(PAUSE_SECONDS, self._listen)
            return
        try:
            inner, _ = door.accept()
        except OSError:
            return  # it is gone already
        self._spare -= 1
        inner.setblocking(False)
        task = self._loop.create_task(serve(inner, self.inside, is_explicit=self._listeners[door], begun=self._begun))
        self._serving.add(task)
        task.add_done_callback(self._served)

    def _begun(self, tunnel: Tunnel) -> Callable[[Tunnel], None]:
        self._tunnels.add(tunnel)
        return self._tunnels.discard

    def _served(self, task: asyncio.Task[None]) -> None:
        self._serving.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a connection failed", exc_info=error, extra={"instance": self.inside.instance})
