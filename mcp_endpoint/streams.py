"""The streams that are open in this process: counted per principal, looked after twice a second.

A stream whose token was revoked or ran out, or whose principal lost access, ends within two seconds. One that has been
open for long is closed where its client knows to come back, so that no proxy has to cut it and no process to keep it.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from typing import Final

import structlog

from common.errors import AppError
from mcp_endpoint.admission.auth import Principal
from mcp_endpoint.admission.limits import STREAM_SECONDS, STREAMS_PER_PRINCIPAL, SWEEP_SECONDS
from mcp_endpoint.directory import Key
from mcp_endpoint.records.metrics import LIVE
from mcp_endpoint.sources import Closable

log = structlog.get_logger(__name__)

GONE: Final = "gone"  # the client went away
REVOKED: Final = "revoked"
DRAINED: Final = "drained"  # this process is stopping
RESTED: Final = "rested"  # open for long; the client comes back for the rest (SEP-1699)

MayUse = Callable[[Principal, Key, float], bool]
"""(principal, deployment's key, now) -> whether the principal may still use it."""


class TooManyStreamsError(AppError):
    status = 429
    retry_after = 1

    def __init__(self) -> None:
        super().__init__("streams", f"More than {STREAMS_PER_PRINCIPAL} streams are open. Close some of them first.")


class Stream:
    """One answer that outlasts its first moments. `ended_by` says who ended it early, "" nobody.

    `comes_back`: its client loses nothing when it ends, since it resumes or listens anew. `polls`: it may be told to
    come back at any time.
    """

    __slots__ = ("comes_back", "ended_by", "ends_at", "key", "polls", "principal", "source")

    def __init__(
        self, source: Closable, principal: Principal, key: Key, *, comes_back: bool = True, polls: bool = False
    ) -> None:
        self.source = source
        self.principal = principal
        self.key = key
        self.comes_back = comes_back
        self.polls = polls
        self.ends_at = float("inf")  # on the clock of time.monotonic
        self.ended_by = ""

    def end(self, by: str) -> None:
        if not self.ended_by:
            self.ended_by = by
            self.source.close(gone=True)


class Streams:
    """`seconds` is how long a stream that polls stays open."""

    def __init__(self, may_use: MayUse, seconds: float = STREAM_SECONDS) -> None:
        self._may_use = may_use
        self._seconds = seconds
        self._open: set[Stream] = set()
        self._per_principal: Counter[str] = Counter()
        self._task: asyncio.Task[None] | None = None
        self._is_draining = False

    def __len__(self) -> int:
        return len(self._open)

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._sweep())

    async def stop(self) -> None:
        self.drain()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def add(self, stream: Stream) -> None:
        """Raises TooManyStreamsError."""
        if self._per_principal[stream.principal.key] >= STREAMS_PER_PRINCIPAL:
            raise TooManyStreamsError
        self._per_principal[stream.principal.key] += 1
        self._open.add(stream)
        LIVE.streams += 1
        if stream.polls:
            stream.ends_at = time.monotonic() + self._seconds
        if self._is_draining and stream.comes_back:
            stream.end(DRAINED)

    def remove(self, stream: Stream) -> None:
        if stream in self._open:
            self._open.discard(stream)
            LIVE.streams -= 1
            self._per_principal[stream.principal.key] -= 1
            if not self._per_principal[stream.principal.key]:
                del self._per_principal[stream.principal.key]

    def may_use(self, stream: Stream) -> bool:
        """Whether its principal may still use what it is of, looked at now."""
        return stream.ended_by != REVOKED and self._may_use(stream.principal, stream.key, time.time())

    def drain(self, seconds: float = 0.0) -> None:
        """End those whose clients come back to another process, and after `seconds` the others."""
        self._is_draining = True
        for stream in list(self._open):
            if stream.comes_back or seconds <= 0:
                stream.end(DRAINED)
        if self._open and seconds > 0:
            asyncio.get_running_loop().call_later(seconds, self.drain)

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            now, clock = time.time(), time.monotonic()
            for stream in list(self._open):
                try:
                    if not self._may_use(stream.principal, stream.key, now):
                        stream.end(REVOKED)
                    elif clock > stream.ends_at:
                        stream.end(RESTED)
                except Exception:
                    log.exception("a stream could not be looked after")
