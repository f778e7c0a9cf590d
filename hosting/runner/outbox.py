"""Tasks at the runner: what happened to each, kept on disk until the site says that it has it.

Fsync first, then news: a question or an outcome is announced when it is in the spool. Progress and log lines are news
of less weight: they are announced at most once a second and may be lost with the runner. A worker that is called
(`bell.py`) takes the news of many tasks at once and acknowledges it when it is written down. What was given and is not
acknowledged is asked for again by the site, which asks every runner for that (`unacknowledged`).
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from hosting.runner import steps
from hosting.runner.bell import Bell
from hosting.runner.frames import FRAME_BYTES, Event, Kind
from hosting.runner.log import Log
from hosting.runner.spill import Spill
from hosting.runner.spool import SPOOLED, Header, Spool, Spooled
from hosting.runner.steps import Step

log = logging.getLogger(__name__)

REMEMBERED = 20_000  # calls that are over; a job that opens one again comes within seconds
NEWS_BYTES = FRAME_BYTES - 8 * 1024  # of events in one answer
ONE_NEWS_BYTES = NEWS_BYTES // 4  # of one task; more than that is read from its log
NEWS_AT_ONCE = 100
EVENT_BYTES = 64  # beside its data
PACE_SECONDS = 1.0  # between announcements of progress and log lines of one task
_OF_TASK = b'"task"'  # stands in the status that a hosted server's own task tells; others are of no consequence
# Progress and log lines are in no spool, and the site may have taken many: what is added later must come after them.
AFTER_ALL = 2**52
LOST_WITH_RUNNER = "the runner ended during the call"


class Held:
    """One task that the site has not taken over wholly."""

    __slots__ = ("announced_at", "header", "log", "news_at", "pending", "seq", "taken")

    def __init__(self, header: Header, found: Log) -> None:
        self.header = header
        self.log = found
        self.seq = 0  # the newest event that the site should know
        self.taken = 0  # the newest that it does know
        self.news_at = 0.0  # since when something waits to be taken
        self.announced_at = 0.0
        self.pending: asyncio.TimerHandle | None = None

    def __getstate__(self) -> tuple[None, dict[str, Any]]:
        return None, {name: getattr(self, name) if name != "pending" else None for name in self.__slots__}

    @property
    def is_taken(self) -> bool:
        return self.taken >= self.seq

    def untaken(self, most_bytes: int) -> list[Event]:
        """What is not acknowledged; nothing where that is more than `most_bytes`."""
        found: list[Event] = []
        for seq, event in self.log.events.items():
            if seq <= self.taken:
                continue
            most_bytes -= EVENT_BYTES + (len(event.data) if isinstance(event, Event) else most_bytes)
            if most_bytes < 0 or not isinstance(event, Event):
                return []
            found.append(event)
        return found


class Outbox:
    """All tasks of one runner. Call it on the event loop only."""

    def __init__(self, folder: Path, *, spill: Spill, announce: Callable[[], None]) -> None:
        self._folder = folder
        self._spool = Spool(folder, on_broken=self._broken)
        self._spill = spill
        self._bell = Bell(announce)
        self._held: dict[str, Held] = {}
        self._news: dict[str, None] = {}  # tasks to be told of, the oldest news first
        self._over: OrderedDict[str, None] = OrderedDict()

    # --- what exchanges tell

    def begin(self, header: Header, found: Log, then: Callable[[], None]) -> None:
        """A call is to run as a task; `then` hands it to its instance, once it is on disk that this may happen."""
        self._held[header.task] = Held(header, found)
        steps.reached(Step.WANTED)

        def begun() -> None:
            steps.reached(Step.BEGUN)
            then()

        self._spool.begin(header, begun)

    def adopt(self, header: Header, found: Log, then: Callable[[], None]) -> None:
        """A running call becomes a task: what it has asked so far is written down with the header."""
        held = self._held[header.task] = Held(header, found)
        self._spool.begin(header, then)
        for event in found.loaded():
            self._note(held, event)

    def happened(self, task: str, event: Event) -> None:
        """One more event of a task's exchange."""
        held = self._held.get(task)
        if held is not None:
            self._note(held, event)

    def _note(self, held: Held, event: Event) -> None:
        held.seq = max(held.seq, event.seq)
        if held.is_taken:  # the site has given this task up
            if held.log.ended:
                self._forget(held)
            return
        held.news_at = held.news_at or time.monotonic()
        if event.kind in SPOOLED:
            steps.reached(Step.HAPPENED)
            self._spool.add(held.header.task, event, lambda: self._written(held))
        elif (event.kind is not Kind.STATUS or _OF_TASK in event.data) and held.pending is None:
            due = held.announced_at + PACE_SECONDS - time.monotonic()
            held.pending = asyncio.get_running_loop().call_later(max(due, 0.0), self._tell, held)

    def _written(self, held: Held) -> None:
        steps.reached(Step.WRITTEN)
        self._tell(held)
        steps.reached(Step.TOLD)

    def _tell(self, held: Held) -> None:
        if held.pending is not None:
            held.pending.cancel()
            held.pending = None
        if held.is_taken:
            return
        held.announced_at = time.monotonic()
        self._news[held.header.task] = None
        self._bell.news()

    # --- what the site asks

    def remind(self, task: str) -> bool:
        """Tells of a task again, where it was told of and nobody has taken that."""
        held = self._held.get(task)
        if held is None or held.is_taken or not held.announced_at:
            return False
        self._tell(held)
        return True

    def news(self, older_than_seconds: float | None = None) -> list[tuple[Held, list[Event]]]:
        """Tasks that were told of, each with its events to take; none where they are too large to come along.

        Each is given once; with `older_than_seconds` also what has waited that long to be acknowledged.
        """
        if older_than_seconds is not None:
            self._news.update(dict.fromkeys(self.unacknowledged(older_than_seconds, NEWS_AT_ONCE)))
        found: list[tuple[Held, list[Event]]] = []
        room = NEWS_BYTES
        while self._news and len(found) < NEWS_AT_ONCE:
            task = next(iter(self._news))
            held = self._held.get(task)
            events = held.untaken(ONE_NEWS_BYTES) if held is not None else []
            size = sum(len(event.data) + EVENT_BYTES for event in events)
            if size > room:
                break
            room -= size
            del self._news[task]
            if held is not None and not held.is_taken:
                found.append((held, events))
        self._bell.asked(is_more=bool(found))
        return found

    def log_of(self, task: str) -> Log | None:
        held = self._held.get(task)
        return held.log if held is not None else None

    def header_of(self, task: str) -> Header | None:
        held = self._held.get(task)
        return held.header if held is not None else None

    def holds(self, tasks: Iterable[str]) -> list[str]:
        """Those of `tasks` that run here, or ended here with an outcome that waits to be taken."""
        return [task for task in tasks if task in self._held]

    def unacknowledged(self, older_than_seconds: float, limit: int) -> list[str]:
        """Tasks with news that the site has not taken for that long."""
        since = time.monotonic() - older_than_seconds
        found = [task for task, held in self._held.items() if not held.is_taken and held.news_at <= since]
        return found[:limit]

    def acknowledge(self, task: str, seq: int) -> bool:
        """The site has everything up to `seq`. True when that was the whole task, which is then forgotten."""
        held = self._held.get(task)
        if held is None:
            return False
        held.taken = max(held.taken, seq)
        if not held.is_taken:
            return False
        held.news_at = 0.0
        if not held.log.ended:
            return False
        self._forget(held)
        return True

    def is_over(self, exchange: str) -> bool:
        """Whether that call was a task's and the site has its outcome; known for the last ones only."""
        return exchange in self._over

    def _forget(self, held: Held) -> None:
        self._held.pop(held.header.task, None)
        self._news.pop(held.header.task, None)
        self._over[held.header.exchange] = None
        if len(self._over) > REMEMBERED:
            self._over.popitem(last=False)
        steps.reached(Step.TAKEN)
        self._spool.remove(held.header.task)

    # --- its life

    def load(self, living: Iterable[str] = ()) -> None:
        """Takes up what an earlier process left. What was not finished then, and doesn't live on, is lost."""
        known = set(living)
        for spooled in self._spool.load():
            if spooled.header.task not in known:
                self._restore(spooled)

    def _restore(self, spooled: Spooled) -> None:
        header = spooled.header
        found = Log(header.exchange, header.owner, spill=self._spill)
        held = self._held[header.task] = Held(header, found)
        for event in spooled.events:
            found.restore(event)
        held.seq = found.next_seq - 1
        held.news_at = time.monotonic()
        if not spooled.is_ended:
            found.skip_to(AFTER_ALL)
            found.append(Kind.LOST, extra=LOST_WITH_RUNNER)
            last = found.next_seq - 1
            self._note(held, Event(last, Kind.LOST, b"", LOST_WITH_RUNNER))
        else:
            self._tell(held)

    def close(self) -> None:
        self._spool.close()

    # --- over a restart of the runner in place

    async def settled(self) -> None:
        """Returns when nothing waits for the disk any more, nor for what was to happen then."""
        while self._spool.is_busy:
            self._spool.close()
            await asyncio.sleep(0)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in ("_spool", "_bell")}

    def adopted(self, announce: Callable[[], None]) -> None:
        """News that waited for the broker is told again."""
        self._bell, self._news = Bell(announce), {}
        self._spool = Spool(self._folder, on_broken=self._broken)
        for held in self._held.values():
            self._tell(held)

    def logs(self) -> list[Log]:
        return [held.log for held in self._held.values()]

    def _broken(self, error: OSError) -> None:
        log.error("the spool can't be written; outcomes of tasks may be lost", extra={"error": str(error)})
