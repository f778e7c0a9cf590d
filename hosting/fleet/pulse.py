"""Whether runners are alive: a question that costs nothing, asked again and again, and how often no answer came.

Only the event loop of a runner answers it. That the kernel takes connections in for one that is frozen, or keeps those
that there were, shows nothing. From the moment in which a runner freezes, or is killed:

    until it is asked next              2 s, ROUND_SECONDS
    rounds in which no answer comes     6 s, MISSES of them
                                        ---
    it is proven silent after at most   8 s

An answer counts whenever it comes: one that needs five seconds for each of its answers is slow, and alive. A round in
which this process was itself held up for a second counts for nothing, since the answer may have waited here. One that
restarts in place has said so, and has RESTARTING_MISSES: with them it is 14 s.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping

from hosting.runner import control
from hosting.stream.stream import DetachedError, RefusedError, RunnerPool, RunnerUnavailableError

ROUND_SECONDS = 2.0
MISSES = 3
RESTARTING_MISSES = 6
TICKS = 8  # of a round: how often it is seen whether this process runs
HELD_UP_SECONDS = 1.0


class Pulse:
    """One runner's."""

    def __init__(self, name: str, address: str) -> None:
        self.address = address
        self._name = name
        self._missed = 0
        self._has_answered = False
        self._asking: set[asyncio.Task[None]] = set()

    def ask(self, pool: RunnerPool, seconds: float) -> None:
        """Without waiting for the answer."""
        task = asyncio.create_task(self._ask(pool, seconds))
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)

    async def _ask(self, pool: RunnerPool, seconds: float) -> None:
        with contextlib.suppress(TimeoutError, RunnerUnavailableError, DetachedError):
            async with asyncio.timeout(seconds):
                link = await pool.link(self.address)
                with contextlib.suppress(RefusedError):  # an earlier version, which doesn't know it, has answered too
                    await link.ask(control.Ping())
                self._has_answered |= link.runner == self._name  # not another one's that has its address now

    def round_over(self, *, counts: bool) -> int:
        """How many rounds have gone by without an answer."""
        if self._has_answered:
            self._has_answered, self._missed = False, 0
        elif counts:
            self._missed += 1
        return self._missed

    def stop(self) -> None:
        for task in self._asking:
            task.cancel()


class Pulses:
    """Those of all runners; of one event loop."""

    def __init__(self, round_seconds: float = ROUND_SECONDS) -> None:
        self._round_seconds = round_seconds
        self._pulses: dict[str, Pulse] = {}

    async def round(self, pool: RunnerPool, addresses: Mapping[str, str]) -> set[str]:
        """Asks each of these runners, by name, and lets a round go by. Gives those that are proven silent."""
        for name, pulse in list(self._pulses.items()):
            if addresses.get(name) != pulse.address:
                self._forget(pool, name)
        for name, address in addresses.items():
            pulse = self._pulses.setdefault(name, Pulse(name, address))
            pulse.ask(pool, MISSES * self._round_seconds)
        counts = await self._go_by()
        silent = set()
        for name, pulse in self._pulses.items():
            link = pool.link_now(pulse.address)
            allowed = RESTARTING_MISSES if link is not None and link.is_held else MISSES
            if pulse.round_over(counts=counts) >= allowed:
                silent.add(name)
        return silent

    async def _go_by(self) -> bool:
        """Whether this process ran all the while."""
        loop, ran = asyncio.get_running_loop(), True
        for _ in range(TICKS):
            before, tick = loop.time(), self._round_seconds / TICKS
            await asyncio.sleep(tick)
            ran = ran and loop.time() - before < tick + HELD_UP_SECONDS
        return ran

    def _forget(self, pool: RunnerPool, name: str) -> None:
        """Should it be back, it is asked on a new connection: the old one may lead nowhere."""
        pulse = self._pulses.pop(name)
        pulse.stop()
        if link := pool.link_now(pulse.address):
            link.close()
