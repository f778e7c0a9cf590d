"""The append-only log behind every exchange, session channel and deployment feed.

It owns the events and what may be forgotten under pressure: older progress gives way to newer, log lines are dropped
and counted in a gap event, questions and outcomes stay. Who reads it is a `follower`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hosting.runner.frames import TERMINAL, Event, Kind, Mode, Reason
from hosting.runner.spill import Spill, Spilled

if TYPE_CHECKING:
    from hosting.runner.follower import Follower

SOFT_BYTES = 256 * 1024
HARD_BYTES = 32 * 1024 * 1024
EVENT_OVERHEAD_BYTES = 64
_DROPPABLE = frozenset({Kind.LOG, Kind.OUTPUT, Kind.STATUS, Kind.INSTANCE})
_PRECIOUS = frozenset({Kind.INPUT_REQUESTED, *TERMINAL})


class LogFullError(Exception):
    """What must not be dropped has reached the cap; the message names the limit."""


class Log:
    """Events in order of their sequence numbers, which begin at 1 and may have gaps."""

    __slots__ = (
        "_dropped", "_last_progress", "_spill", "delivered", "ended", "events", "followers", "hard_bytes", "id",
        "next_seq", "octets", "on_idle", "owner", "sent", "wire",
    )  # fmt: skip

    def __init__(
        self,
        id: str,  # noqa: A002 - the field's own name
        owner: str,
        *,
        spill: Spill,
        hard_bytes: int = HARD_BYTES,
        on_idle: Callable[[], None] | None = None,
    ) -> None:
        self.id = id
        self.owner = owner
        self.events: dict[int, Event | Spilled] = {}
        self.next_seq = 1
        self.octets = 0
        self.hard_bytes = hard_bytes
        self.ended = False
        self.delivered = False  # a wire follower was given the outcome
        self.sent = 0  # the newest event that a wire follower was given
        self.wire: Follower | None = None
        self.followers: list[Follower] = []
        self._spill = spill
        self._last_progress = 0
        self._dropped = 0
        self.on_idle = on_idle

    def __getstate__(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__ if name != "on_idle"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.on_idle = None
        for name, value in state.items():
            setattr(self, name, value)

    def append(self, kind: Kind, data: bytes = b"", extra: str = "") -> int:
        """Add one event and hand it to the followers; returns its number, 0 when it was dropped.

        Raises LogFullError when an event that must stay does not fit.
        """
        if self.ended:
            return 0
        size = len(data) + EVENT_OVERHEAD_BYTES
        if self.octets + size > SOFT_BYTES and not self._make_room(kind, size):
            self._dropped += 1
            return 0
        if self._dropped and kind is not Kind.PROGRESS:
            dropped, self._dropped = self._dropped, 0
            self._store(Kind.GAP, b"", str(dropped))
        seq = self._store(kind, data, extra)
        if kind is Kind.PROGRESS:
            self._last_progress = seq
        elif kind in TERMINAL:
            self.ended = True
        for follower in tuple(self.followers):
            follower.pump()
        if self.ended and self.on_idle is not None:
            self.on_idle()
        return seq

    def _store(self, kind: Kind, data: bytes, extra: str) -> int:
        seq = self.next_seq
        self.next_seq = seq + 1
        self.events[seq] = (
            self._spill.put(seq, kind, data, extra) if self._spill.wants(data) else Event(seq, kind, data, extra)
        )
        self.octets += len(data) + EVENT_OVERHEAD_BYTES
        return seq

    def _make_room(self, kind: Kind, size: int) -> bool:
        """Forget what may be forgotten; False says that the new event itself should be dropped."""
        if kind is Kind.PROGRESS:
            self._forget(self._last_progress)
            return True
        for seq in list(self.events):
            if not self._is_delivered(seq) or self.octets + size <= SOFT_BYTES:
                break
            if self.events[seq].kind not in _PRECIOUS:
                self._forget(seq)
        if self.octets + size <= SOFT_BYTES:
            return True
        if kind in _DROPPABLE:
            return False
        if self.octets + size > self.hard_bytes:
            raise LogFullError(f"more than {self.hard_bytes // 2**20} MB wait for the client to read them")
        return True

    def _is_delivered(self, seq: int) -> bool:
        return bool(self.followers) and all(follower.cursor > seq for follower in self.followers)

    def _forget(self, seq: int) -> None:
        event = self.events.pop(seq, None)
        if event is not None:
            self.octets -= (
                event.size + EVENT_OVERHEAD_BYTES
                if isinstance(event, Spilled)
                else (len(event.data) + EVENT_OVERHEAD_BYTES)
            )
            if isinstance(event, Spilled):
                event.discard()

    def restore(self, event: Event) -> None:
        """Put back an event that was written down, under its own number."""
        self.next_seq = event.seq
        self._store(event.kind, event.data, event.extra)
        self.ended = event.kind in TERMINAL

    def skip_to(self, seq: int) -> None:
        """The next event gets this number at least."""
        self.next_seq = max(self.next_seq, seq)

    def following(self, seq: int) -> int:
        """The number of the first event after `seq` that is kept; of the next one where there is none."""
        if self.next_seq - seq <= len(self.events):
            return seq + 1
        return min((number for number in self.events if number > seq), default=self.next_seq)

    def loaded(self) -> list[Event]:
        """All events that are kept, whole."""
        return [event.load() if isinstance(event, Spilled) else event for event in self.events.values()]

    def keep_last(self, count: int) -> None:
        """Forget all but the newest `count` events (feeds and channels, which never end)."""
        while len(self.events) > count:
            self._forget(next(iter(self.events)))

    def close(self, reason: str, detail: str = "") -> None:
        """End the log without an outcome: followers are told, events are freed."""
        self.ended = True
        for follower in list(self.followers):
            follower.end(reason, detail)
        self.free()

    def free(self) -> None:
        for seq in list(self.events):
            self._forget(seq)

    def follow(self, follower: Follower) -> None:
        """Add a follower; a new wire follower takes the wire from the one before."""
        if follower.mode is Mode.WIRE:
            if self.wire is not None:
                self.wire.end(Reason.SUPERSEDED)
            self.wire = follower
        self.followers.append(follower)
        follower.pump()

    def unfollow(self, follower: Follower) -> None:
        if follower in self.followers:
            self.followers.remove(follower)
        if self.wire is follower:
            self.wire = None
        if self.ended and self.on_idle is not None:
            self.on_idle()

    @property
    def is_delivered(self) -> bool:
        """Whether a client's wire was given the outcome and nobody else still reads."""
        return self.delivered and not self.followers
