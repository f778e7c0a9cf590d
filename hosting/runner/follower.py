"""Who follows a log: one attachment, seen from the runner.

A cursor, a credit in bytes, and a connection that is never written to faster than its other end reads. A slow follower
costs memory up to the log's cap and nothing else: the server's pipe is read regardless.
"""

from __future__ import annotations

from typing import Any, Protocol

from hosting.runner.frames import FRAME_BYTES, TERMINAL, UNDELIVERED, Detached, EndRule, Event, Events, Mode, Reason
from hosting.runner.log import EVENT_OVERHEAD_BYTES, Log
from hosting.runner.spill import Spilled

PART_BYTES = FRAME_BYTES - 1024


class Wire(Protocol):
    """A connection, as far as a follower is concerned."""

    writable: bool

    def send(self, frame: Any) -> None: ...


class Follower:
    """One attachment to a log."""

    __slots__ = ("_attached", "_offset", "connection", "credit", "cursor", "end_rule", "log", "mode", "number")

    def __init__(
        self,
        connection: Wire,
        number: int,
        log: Log,
        *,
        after: int,
        credit: int,
        mode: Mode,
        attached: dict[int, Follower],
        end_rule: EndRule = EndRule.SESSION,
    ) -> None:
        self.connection = connection
        self.number = number
        self.log = log
        self.cursor = (log.sent if after == UNDELIVERED else after) + 1
        self._offset = 0
        self.credit = credit
        self.mode = mode
        self.end_rule = end_rule
        self._attached = attached  # its like on the same connection, by number

    def __getstate__(self) -> dict[str, Any]:
        """Its connection ends with the process; the server gives it another one."""
        return {name: getattr(self, name) for name in self.__slots__ if name != "connection"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            setattr(self, name, value)

    def pump(self) -> None:
        """Send what credit and connection allow. A whole terminal event ends the attachment on both sides."""
        log = self.log
        batch: list[Event] = []
        room = PART_BYTES
        ended = False
        while self.cursor < log.next_seq and self.credit > 0 and self.connection.writable:
            stored = log.events.get(self.cursor)
            if stored is None:
                self.cursor = log.following(self.cursor)
                continue
            event = self._part(stored, room)
            batch.append(event)
            taken = len(event.data) + EVENT_OVERHEAD_BYTES
            self.credit -= taken
            room -= taken
            if not event.more:
                if self.mode is Mode.WIRE:
                    log.sent = max(log.sent, self.cursor)
                self.cursor += 1
                self._offset = 0
                ended = event.kind in TERMINAL
            if room <= EVENT_OVERHEAD_BYTES:
                self.connection.send(Events(self.number, batch))
                batch, room = [], PART_BYTES
        if batch:
            self.connection.send(Events(self.number, batch))
        if ended:
            log.delivered = log.delivered or self.mode is Mode.WIRE
            self._close()
        elif log.ended and self.cursor >= log.next_seq:
            self.end(Reason.DONE)

    def _part(self, stored: Event | Spilled, room: int) -> Event:
        if isinstance(stored, Event):
            if self._offset == 0 and len(stored.data) <= room:
                return stored
            data, size = stored.data[self._offset : self._offset + room], len(stored.data)
        else:
            data, size = stored.read(self._offset, room), stored.size
        self._offset += len(data)
        return Event(stored.seq, stored.kind, data, stored.extra, self._offset < size)

    def add_credit(self, octets: int) -> None:
        self.credit += octets
        self.pump()

    def end(self, reason: str, detail: str = "") -> None:
        self.connection.send(Detached(self.number, reason, detail))
        self._close()

    def _close(self) -> None:
        self._attached.pop(self.number, None)
        self.log.unfollow(self)
