"""One running copy of a deployment: what it is and whose, its state in words, and what it says.

Its calls are in `calls.py`, its child's life in `life.py`, what it tells people in `voice.py`, what child and runner
say to each other in `dialogue.py` and the adapter for the child's era.
"""

from __future__ import annotations

import secrets
import time
from typing import Protocol

import msgspec

from hosting.runner.calls import Calls
from hosting.runner.dialogue import Dialogue
from hosting.runner.exchange import Exchange
from hosting.runner.feed import Feed
from hosting.runner.frames import Open
from hosting.runner.judge import Judge
from hosting.runner.life import Life
from hosting.runner.personal import Hidden, hidden_of
from hosting.runner.placement import Placement, Remote
from hosting.runner.runtimes.base import Process
from hosting.runner.seen import InstanceSeen, SignInAsked
from hosting.runner.session import Session
from hosting.runner.starter import Starter
from hosting.runner.upstream.base import Client, Upstream
from hosting.runner.upstream.capabilities import asks_person
from hosting.runner.upstream.messages import Message
from hosting.runner.voice import Voice

STOP_GRACE_SECONDS = 3.0


class Holder(Protocol):
    """Whose instance it is."""

    def changed(self, instance: Instance) -> None:
        """It runs, or it has left for good."""

    judge: Judge

    def sign_in_asked(self, asked: SignInAsked) -> None:
        """The server elsewhere that it stands for wants somebody to sign in."""


class Instance:
    """Starts on its own, queues what arrives meanwhile, and ends every call that it can't finish.

    States: starting, running, stopping, stopped, failed. `reason` says the same in words.
    """

    asks_people = False
    masks: Hidden | None = None  # all secrets that it has
    hidden: Hidden | None = None  # what its user brought; None: it has nothing of any user's own

    def __init__(
        self,
        placement: Placement,
        key: str,
        client: Client,
        *,
        first: tuple[Open, Session | None],
        subject: str,
        after: Instance | None,
        is_shared: bool,
        starter: Starter,
        feed: Feed,
        known_era: str,
        holder: Holder,
        hidden: Hidden | None = None,
    ) -> None:
        """`after` has the same data folder, and must be gone before this one begins."""
        self.id = secrets.token_hex(6)
        self.placement = placement
        self.key = key
        self.client = client
        self.first = first  # whom it was started for
        self.subject = subject  # whose data folder it has; "" for none
        self.label = placement.label
        self.is_shared = is_shared
        self.is_remote = placement.remote is not None
        self.question_seconds = placement.question_seconds
        self.state = "starting"
        self.reason = "starting"
        self.started_at = time.time()
        self.retires_at = 0.0  # when it ends at the latest, since a newer version takes its place; 0: it is current
        self.bound: dict[str, Session] = {}
        self.hidden = hidden
        self.masks = hidden_of(placement)
        self.voice = Voice(feed, self.id, placement, key, first[0], is_shared)
        self._holder = holder
        self._calls = Calls(self)
        self._dialogue = Dialogue(self)
        self._life = Life(self, self._dialogue, starter, known_era=known_era, after=after)
        self._life.begin()

    # --- its calls

    @property
    def exchanges(self) -> dict[str, Exchange]:
        return self._calls.exchanges

    @property
    def listeners(self) -> dict[str, Exchange]:
        """They do not keep it awake, and outlive it."""
        return self._calls.listeners

    def submit(self, exchange: Exchange) -> None:
        self._calls.submit(exchange)

    def cancel(self, exchange: Exchange, reason: str) -> None:
        self._calls.cancel(exchange, reason)

    @property
    def is_full(self) -> bool:
        """Whether a further call would have to wait."""
        return self._calls.is_full

    @property
    def has_waiting_room(self) -> bool:
        return self._calls.has_waiting_room

    @property
    def used_at(self) -> float:
        return self._calls.used_at

    @property
    def is_idle(self) -> bool:
        return not self.exchanges and not self.bound

    def is_spare(self, since: float) -> bool:
        """Whether it may be ended for another: no call, no stream, and no session that was used after `since`."""
        quiet = not self.exchanges and not any(session.is_busy for session in self.bound.values())
        return self.state == "running" and quiet and (not self.bound or self.used_at < since)

    @property
    def has_tasks(self) -> bool:
        return any(exchange.task for exchange in self.exchanges.values())

    def use_bearer(self, remote: Remote) -> None:
        """For a server elsewhere, and for the address that it was started for only."""
        mine = self.placement.remote
        is_same = mine is not None and (mine.url, mine.is_own) == (remote.url, remote.is_own)
        if mine is not None and is_same and mine.bearer != remote.bearer:
            self.masks = hidden_of(self.placement, remote.bearer)  # what is still to come may say the one before
            signed = msgspec.structs.replace(mine, bearer=remote.bearer, serial=remote.serial)
            self.placement = msgspec.structs.replace(self.placement, remote=signed)
            self._life.use_bearer(remote.bearer, remote.serial)

    def sign_in_asked(self, asked: SignInAsked) -> None:
        """Where the account that is for all was not sent, it may be about what this instance's user brought."""
        remote = self.placement.remote
        if (remote is not None and remote.is_own) or (self.hidden is not None and not asked.serial):
            mark = self.hidden.mark if self.hidden is not None else ""
            asked = msgspec.structs.replace(asked, subject=self.who, mark=mark)
        self._holder.sign_in_asked(asked)

    # --- its state

    @property
    def who(self) -> str:
        """The user whose own instance this is."""
        return self.voice.who

    @property
    def pid(self) -> int:
        """0 where there is no process. Also while it is only handed over."""
        return self._life.pid

    @property
    def is_alive(self) -> bool:
        return self.state in ("starting", "running")

    @property
    def upstream(self) -> Upstream | None:
        """The adapter, once the child has told its era."""
        return self._dialogue.upstream

    @property
    def has_open_questions(self) -> bool:
        return self.upstream is not None and self.upstream.has_open_questions

    @property
    def era(self) -> str:
        return self.upstream.era if self.upstream is not None else ""

    def seen(self) -> InstanceSeen:
        process = self._life.process
        return InstanceSeen(
            id=self.id,
            deployment=self.placement.deployment,
            version=self.placement.version,
            state=self.state,
            reason=self.reason,
            era=self.era,
            revision=self.upstream.revision if self.upstream is not None else "",
            pid=process.pid if process is not None else 0,
            started_at=self.started_at,
            memory_bytes=process.usage().memory_bytes if process is not None and self.is_alive else 0,
            calls=self._calls.total,
            in_flight=self._calls.running,
            sessions=len(self.bound),
            asks_people=self.asks_people,
        )

    async def stop(self, reason: str, grace_seconds: float = STOP_GRACE_SECONDS) -> None:
        """Stop the child and everything it started; returns when all is gone. Repeatable."""
        if self.is_alive:
            self._move("stopping", reason)
            await self._life.end(reason, grace_seconds)
        await self.gone()

    async def gone(self) -> None:
        """Returns when nothing of it is left."""
        await self._life.gone()

    @property
    def is_gone(self) -> bool:
        return self._life.is_gone

    def _move(self, state: str, reason: str) -> None:
        self.state = state
        self.reason = reason
        self.voice.seen(self.seen())
        if state == "running":
            self._holder.changed(self)

    # --- what its child's life asks

    def announce(self, reason: str) -> None:
        self.reason = reason
        self.voice.seen(self.seen())
        self._calls.tell(reason)

    def began(self, upstream: Upstream) -> None:
        self._dialogue.upstream = upstream
        self._move("running", "running")
        self._calls.begin(upstream)

    def fail(self, reason: str, state: str = "failed", said: str = "") -> None:
        """Leave for good: no call that is still here can be finished. `said` is in the instance's own words: before it
        served anybody they are for all, later for those whose instance it is."""
        was_starting = self.state == "starting"
        is_private = bool(self.who) and (not was_starting or self.hidden is not None) and not self.voice.is_open
        self._move(state, self.voice.masked(reason if is_private else reason + said))
        reason = self.voice.masked(reason + said)
        verb = "could not start" if was_starting else "ended during the call"
        self._calls.abandon(f"{self.label} {verb}: {reason}", reason)
        self._dialogue.close()
        self._holder.changed(self)

    # --- Peer and Speaker: what the adapter and the dialogue ask

    def write(self, line: bytes) -> None:
        self.voice.sent(line)
        self._life.write(line)

    def next_id(self) -> int:
        return self._dialogue.next_id()

    def sessions(self) -> list[Session]:
        return list(self.bound.values())

    def note(self, text: str) -> None:
        self.voice.note(text)

    def settled(self, exchange: Exchange) -> None:
        self._calls.settled(exchange)

    @property
    def judge(self) -> Judge:
        return self._holder.judge

    def received(self, message: Message) -> None:
        """A message of the child's, before anything is done with it."""
        if self.masks is not None:
            self.masks.message(message)
        self.asks_people = self.asks_people or asks_person(message)
        self.voice.received(message)

    def not_understood(self, number: object, why: str) -> None:
        self._calls.not_understood(number, why)

    # --- over a restart of the runner in place

    def pause(self) -> None:
        self._life.pause()

    def resume(self) -> None:
        self._life.resume()

    def adopt(self, processes: dict[int, Process]) -> None:
        """Go on after a restart, with the process that it had."""
        self._life.take_up(processes)
        self._calls.adopted()
        if self.upstream is not None:
            self.upstream.adopted()
        self._life.begin()
