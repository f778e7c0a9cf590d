"""Bodies that a web process has made, for as long as nothing in the registry changes.

PostgreSQL tells every change when it commits (migration 0002). A process that hears of one forgets everything; what is
being read meanwhile is answered and not kept. Nothing is served from here unless the listening connection has proven
within a second that it is alive, by a notice that it sent to itself: where notices get lost, as behind a pooler of
transactions, the cache is simply not used. Nothing is proven while nobody asks; who asks first is answered without it.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from hashlib import sha256
from math import inf

import psycopg
import structlog

from registry.api.database import AWAY, conninfo

log = structlog.get_logger(__name__)

CHANNEL = "registry_changed"
PROOF_SECONDS = 0.4  # how often the connection proves itself, as long as somebody asks
TRUST_SECONDS = 1.0  # and how long a proof is good for
RETRY_SECONDS = 1.0
MAX_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True)
class Body:
    content: bytes
    etag: bytes


def body_of(content: bytes) -> Body:
    """SHA-256, since processors know it: half the time of any other digest."""
    return Body(content, b'"' + sha256(content).hexdigest()[:24].encode() + b'"')


class Cache:
    """`start` and `stop` by the web process."""

    def __init__(self) -> None:
        self.heard = 0  # changes told of since the start
        self._bodies: OrderedDict[Hashable, Body] = OrderedDict()
        self._bytes = 0
        self._generation = 0
        self._proven_at = -inf
        self._is_asked = False  # since the last proof was begun
        self._stir = asyncio.Event()  # there is something to hear, or to prove
        self._making: dict[Hashable, tuple[asyncio.Task[Body], float]] = {}  # and since when
        self._listener: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._listener = asyncio.create_task(self._listen())

    async def stop(self) -> None:
        for task in [self._listener, *(task for task, _ in self._making.values())]:
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        self._listener = None

    @property
    def is_trusted(self) -> bool:
        """Whether it would have heard of any change but those of the last second."""
        return time.monotonic() - self._proven_at <= TRUST_SECONDS

    def get(self, key: Hashable) -> Body | None:
        """What is held and still true."""
        if not self._is_asked:
            self._is_asked = True
            self._stir.set()
        if not self.is_trusted:
            return None
        found = self._bodies.get(key)
        if found is not None:
            self._bodies.move_to_end(key)
        return found

    async def made(self, key: Hashable, make: Callable[[], Awaitable[bytes]]) -> Body:
        """Makes it, once for all who wait for the same in the same generation, unless that began too long ago to be
        trusted without word from the listener. Raises what `make` raises."""
        at, now = (self._generation, key), time.monotonic()
        task, began_at = self._making.get(at, (None, now))
        if task is None or now - began_at > TRUST_SECONDS:
            task = asyncio.create_task(self._make(key, make, self._generation))
            self._making[at] = task, now
            task.add_done_callback(lambda done: self._made(at, done))
        return await asyncio.shield(task)

    async def _make(self, key: Hashable, make: Callable[[], Awaitable[bytes]], generation: int) -> Body:
        body = body_of(await make())
        if generation == self._generation and len(body.content) < MAX_BYTES // 16:
            self._keep(key, body)
        return body

    def _made(self, at: Hashable, done: asyncio.Task[Body]) -> None:
        if self._making.get(at, (None,))[0] is done:
            del self._making[at]
        if not done.cancelled():
            done.exception()  # whoever waited has it; nobody may have

    def _keep(self, key: Hashable, body: Body) -> None:
        before = self._bodies.pop(key, None)
        self._bytes += len(body.content) - (len(before.content) if before else 0)
        self._bodies[key] = body
        while self._bytes > MAX_BYTES:
            _, gone = self._bodies.popitem(last=False)
            self._bytes -= len(gone.content)

    def forget(self) -> None:
        self._generation += 1
        self._bodies.clear()
        self._bytes = 0

    # --- the listening connection

    async def _listen(self) -> None:
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(conninfo(), autocommit=True) as connection:
                    await connection.execute(f"LISTEN {CHANNEL}")
                    self.forget()
                    await self._follow(connection)
            except (*AWAY, TimeoutError) as error:
                log.warning("registry_cache_off", error=str(error))
            except Exception:
                log.exception("registry_cache_failed")
            await asyncio.sleep(RETRY_SECONDS)

    async def _follow(self, connection: psycopg.AsyncConnection[tuple[object, ...]]) -> None:
        """Until the connection fails or loses a notice. It proves itself at once, and anew while somebody asks."""
        number = 0
        while True:
            number += 1
            proof, asked_at, is_proven = f"proof {connection.info.backend_pid} {number}", time.monotonic(), False
            self._is_asked = False
            async with asyncio.timeout(TRUST_SECONDS * 5):
                await connection.execute("SELECT pg_notify(%s, %s)", (CHANNEL, proof))
            while (left := asked_at + PROOF_SECONDS - time.monotonic()) > 0 or not self._is_asked:
                async for notice in connection.notifies(timeout=0):
                    if notice.payload == proof:
                        self._proven_at, is_proven = asked_at, True
                    elif not notice.payload:
                        self.forget()
                        self.heard += 1
                if left <= 0 and not is_proven:
                    break
                await self._stirred(connection, left if left > 0 else None)
            if not is_proven:
                raise TimeoutError("notices do not come through")

    async def _stirred(self, connection: psycopg.AsyncConnection[tuple[object, ...]], seconds: float | None) -> None:
        """Until notices have come, somebody asks for the first time since the last proof, or so long. psycopg's own
        waiting looks ten times a second, and nobody may ask for days."""
        loop, socket = asyncio.get_running_loop(), connection.fileno()
        loop.add_reader(socket, self._stir.set)
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._stir.wait()
        finally:
            loop.remove_reader(socket)
            self._stir.clear()
