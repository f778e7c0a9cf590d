"""Whether the other end of a link to a runner is there: asked for as long as the link is open, whatever runs over it.

A runner that is killed closes its connections; one that freezes, or whose machine is lost, leaves them as they are, and
whoever waits for an answer would wait on. Such a link is given up after at most 10 s: BEAT_SECONDS until the next
question, and MISSES beats in which nothing came. What ran over it ends as after a kill, with an error in words.
"""

from __future__ import annotations

import asyncio
from typing import Final, Protocol

import msgspec

from hosting.runner import frames as f
from hosting.runner.control import Ping

BEAT_SECONDS = 2.0
MISSES: Final = 4
HELD_UP_SECONDS: Final = 1.0  # a beat so late shows that this process was held up, and says nothing of the other
_PING: Final = msgspec.msgpack.encode(Ping())


class Link(Protocol):
    """What is kept alive."""

    loop: asyncio.AbstractEventLoop

    @property
    def is_held(self) -> bool: ...
    def next_number(self) -> int: ...
    def send(self, frame: f.ToRunner) -> None: ...
    def give_up(self, reason: str) -> None: ...


class Heartbeat:
    """One link's. `is_heard` is set by every frame that comes."""

    def __init__(self, link: Link) -> None:
        self.is_heard = True
        self._link = link
        self._missed = 0
        self._due = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        if self._timer is None:
            self._wait()

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _wait(self) -> None:
        self._due = self._link.loop.time() + BEAT_SECONDS
        self._timer = self._link.loop.call_at(self._due, self._beat)

    def _beat(self) -> None:
        link = self._link
        if self.is_heard or link.is_held:  # one that restarts in place has said so
            self._missed = 0
        elif link.loop.time() - self._due < HELD_UP_SECONDS:
            self._missed += 1
        self.is_heard = False
        if self._missed == MISSES:
            link.give_up(f"no sign of life for {MISSES * BEAT_SECONDS:g} s")
            return
        if not link.is_held:
            link.send(f.Ask(link.next_number(), _PING))
        self._wait()
