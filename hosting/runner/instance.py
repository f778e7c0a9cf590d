"""One running copy of a deployment: a sandboxed child, the adapter for the era it speaks, and the calls on it."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from typing import Any, Protocol

import msgspec

from hosting.runner import tracing
from hosting.runner.child import Child, Handed
from hosting.runner.control import InstanceSeen, Placement
from hosting.runner.dialogue import Dialogue
from hosting.runner.exchange import Exchange
from hosting.runner.feed import ANONYMOUS, OWNER, Feed
from hosting.runner.frames import Kind, Open
from hosting.runner.greeting import EndedAtProbeError, GaveUpError, greet
from hosting.runner.remote.connection import RemoteConnection, RemoteState
from hosting.runner.runtimes.base import Exit, LaunchFailed, Process
from hosting.runner.session import Session
from hosting.runner.starter import Starter
from hosting.runner.upstream.base import Client, Upstream, WrongEraError
from hosting.runner.upstream.messages import Message
from hosting.runner.waiting import Waiting

log = logging.getLogger(__name__)

STOP_GRACE_SECONDS = 3.0
_encode = msgspec.json.Encoder().encode


class Holder(Protocol):
    """Whose instance it is."""

    def changed(self, instance: Instance) -> None:
        """It runs, or it has left for good."""


class Instance:
    """Starts on its own, queues what arrives meanwhile, and ends every call that it can't finish.

    States: starting, running, stopping, stopped, failed. `reason` says the same in words.
    """

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
    ) -> None:
        self.id = secrets.token_hex(6)
        self.placement = placement
        self.key = key
        self.client = client
        self.first = first  # whom it was started for
        self.subject = subject  # whose data folder it has; "" for none
        self._after = after  # which has the same folder, and must be gone before
        self.label = placement.label
        self.is_shared = is_shared
        self.is_remote = placement.remote is not None
        self.question_seconds = placement.question_seconds
        self.state = "starting"
        self.reason = "starting"
        self.started_at = time.time()
        self.used_at = time.monotonic()
        self.calls = 0
        self.retires_at = 0.0  # when it ends at the latest, since a newer version takes its place; 0: it is current
        self.exchanges: dict[str, Exchange] = {}
        self.listeners: dict[str, Exchange] = {}  # they do not keep it awake, and outlive it
        self.bound: dict[str, Session] = {}
        self._starter = starter
        self._feed = feed
        self._known_era = known_era
        self._holder = holder
        self._child: Child | RemoteConnection | None = None
        self._queue: list[Exchange] = []
        self._waiting = Waiting(self)
        self._dialogue = Dialogue(self)
        self._stopping = ""
        self._go()

    def _go(self) -> None:
        self._gone: asyncio.Event | None = asyncio.Event()
        self._task = asyncio.create_task(self._run(), name=f"instance-{self.id}")

    # --- what a placement asks

    def submit(self, exchange: Exchange) -> None:
        self.calls += 1
        self.used_at = time.monotonic()
        exchange.instance = self.id
        (self.listeners if exchange.listening else self.exchanges)[exchange.id] = exchange
        if self.upstream is not None and self.state == "running":
            self._run_or_wait(self.upstream, exchange)
        elif self.state == "starting":
            self._queue.append(exchange)
            exchange.append(Kind.STATUS, _encode({"state": self.state, "reason": self.reason}))
        else:
            exchange.refuse(f"{self.label} is {self.state}: {self.reason}")
            self.settled(exchange)

    def _run_or_wait(self, upstream: Upstream, exchange: Exchange) -> None:
        limits = self.placement.limits
        if exchange.listening or not limits.in_flight or self.running <= limits.in_flight:
            upstream.submit(exchange)
        else:
            self._waiting.add(exchange, limits.waiting_seconds)

    def cancel(self, exchange: Exchange, reason: str) -> None:
        """End a call on its client's word. The log ends first, so that a late answer finds nothing to add to."""
        if exchange.is_done:
            return
        exchange.append(Kind.CANCELLED, extra=reason)
        if exchange in self._queue:
            self._queue.remove(exchange)
        elif self._waiting.remove(exchange):
            pass
        elif self.upstream is not None:
            self.upstream.cancel(exchange, reason)
        self.settled(exchange)

    @property
    def running(self) -> int:
        """How many calls are at the child, or will be as soon as it has started."""
        return len(self.exchanges) - len(self._waiting)

    @property
    def is_full(self) -> bool:
        """Whether a further call would have to wait."""
        limit = self.placement.limits.in_flight
        return bool(limit) and self.running >= limit

    @property
    def has_waiting_room(self) -> bool:
        limits = self.placement.limits
        return len(self.exchanges) < limits.in_flight + limits.waiting

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

    @property
    def pid(self) -> int:
        """0 where there is no process. Also while it is only handed over."""
        child: Any = self._child
        return child.process.pid if isinstance(child, Child) else child.pid if isinstance(child, Handed) else 0

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
        process = self._child.process if self._child is not None else None
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
            calls=self.calls,
            in_flight=self.running,
            sessions=len(self.bound),
        )

    async def stop(self, reason: str, grace_seconds: float = STOP_GRACE_SECONDS) -> None:
        """Stop the child and everything it started; returns when all is gone. Repeatable."""
        if self.is_alive:
            self._stopping = reason
            self._move("stopping", reason)
            if self._child is not None:
                await self._child.stop(grace_seconds)
            else:
                self._task.cancel()
        await self.gone()

    async def gone(self) -> None:
        """Returns when nothing of it is left."""
        if self._gone is not None:
            await self._gone.wait()

    @property
    def is_gone(self) -> bool:
        return self._gone is None or self._gone.is_set()

    # --- Peer: what the adapter asks

    def write(self, line: bytes) -> None:
        if self._feed.takes_trace:
            self._trace(tracing.sent(line, with_body=self.traces))
        if self._child is not None:
            self._child.write(line)

    def next_id(self) -> int:
        return self._dialogue.next_id()

    def sessions(self) -> list[Session]:
        return list(self.bound.values())

    def settled(self, exchange: Exchange) -> None:
        if exchange.listening:
            self.listeners.pop(exchange.id, None)
        else:
            self.exchanges.pop(exchange.id, None)
            if self.upstream is not None:
                self._next_turns(self.upstream)
        self.used_at = time.monotonic()

    def note(self, text: str) -> None:
        self._feed.output(self.id, text.encode(), "protocol", who=self.who, is_open=self.traces)

    def received(self, message: Message) -> None:
        """A message of the child's, before anything is done with it."""
        if self._feed.takes_trace:
            self._trace(tracing.received(message, with_body=self.traces))

    def _trace(self, line: bytes) -> None:
        self._feed.trace(self.id, line, who=self.who, is_open=self.traces)

    @property
    def traces(self) -> bool:
        """Whether its owner may read bodies. Callers without an account have consented to nothing: theirs are none."""
        is_anonymous = self.key.startswith("nobody:") or self.first[0].owner.startswith(ANONYMOUS)
        return self.placement.trace_bodies and not is_anonymous

    @property
    def who(self) -> str:
        """The user whose own instance this is, "" where it is shared or nobody's: what it prints is that user's."""
        opened, _ = self.first
        is_shared = self.is_shared or self.key.startswith("nobody:")
        return "" if is_shared or opened.owner == OWNER else opened.owner.partition(" ")[0]

    # --- over a restart of the runner in place

    def pause(self) -> None:
        if self._child is not None:
            self._child.pause()

    def resume(self) -> None:
        if self._child is not None:
            self._child.resume()

    def __getstate__(self) -> dict[str, Any]:
        kept = {name: value for name, value in vars(self).items() if name not in ("_gone", "_task", "_breaking")}
        # Without an end to wait for, one that nobody takes up again counts as gone.
        return {**kept, "_child": self._child.handed if self._child is not None else None, "_gone": None}

    def adopt(self, processes: dict[int, Process]) -> None:
        """Go on after a restart, with the process that it had."""
        handed: Handed | RemoteState | None = self.__dict__["_child"]
        self._child = None
        if isinstance(handed, RemoteState):
            remote = self._child = self._connect()
            remote.go_on(handed)
        elif handed is not None and handed.pid in processes:
            child = self._child = self._attach(processes[handed.pid])
            child.go_on(handed)
        self._waiting.adopted(self.placement.limits.waiting_seconds)
        if self.upstream is not None:
            self.upstream.adopted()
        self._go()

    # --- its life

    async def _run(self) -> None:
        try:
            if self.upstream is None and self.is_alive:
                await self._discard(0)  # one that was not yet greeted when the runner restarted
                if self._after is not None:
                    await self._after.gone()
                    self._after = None
                async with self._starter.turn(self.placement, self._waits):
                    await self._start()
            elif self._stopping and self._child is not None:
                await self._child.stop(0.5)
            if self._child is not None:
                self._ended(await self._child.process.wait())
            elif self.state not in ("failed", "stopped"):
                self._fail(self._stopping or "its process is gone", state="stopped" if self._stopping else "failed")
        except LaunchFailed as error:
            self._fail(f"could not be started: {error}")
        except asyncio.CancelledError:
            self._fail(self._stopping or "the runner is stopping", state="stopped")
        except Exception:
            log.exception("instance failed", extra={"deployment": self.label, "instance": self.id})
            self._fail("the runner failed; its log has the details")
        finally:
            await self._discard(0.5)
            if self._gone is not None:
                self._gone.set()

    def _waits(self, ahead: int) -> None:
        self._announce(f"starting: waits for its turn, {ahead} of the same owner are ahead" if ahead else "starting")

    async def _start(self) -> None:
        """Start a child and find out how to speak to it. Returns also when it exited before it said anything."""
        known, refusal = self._known_era, ""
        while True:
            self._child = child = self._connect() if self.placement.remote else await self._launch()
            try:
                upstream = await greet(
                    self, self._dialogue, child, self.client, known=known, seconds=self.placement.start_seconds
                )
                break
            except WrongEraError as refused:
                # A child that refused the handshake may take no other first request: ask a fresh one.
                log.info("asked in another era", extra={"deployment": self.label, "reason": str(refused)})
                await self._discard(0.5)
                known, refusal = "modern", f" (as a legacy server: {refused})"
            except EndedAtProbeError:
                if self._stopping or self.placement.remote:
                    return
                await self._discard(0.5)
                known = "legacy"
            except GaveUpError as error:
                if self.placement.remote and known and not refusal:
                    # It may have become a server of another era since, which its owner need not tell anybody.
                    await self._discard(0.5)
                    known = ""
                    continue
                self._give_up(f"{error}{refusal}")
                return
        if upstream is not None:
            self._dialogue.upstream = upstream
            self._move("running", "running")
            queue, self._queue = self._queue, []
            for exchange in queue:
                if exchange.listening:
                    upstream.submit(exchange)
                else:
                    self._waiting.add(exchange, self.placement.limits.waiting_seconds)
            self._next_turns(upstream)

    async def _launch(self) -> Child:
        self._announce("starting: preparing the sandbox")
        child = self._attach(await self._starter.launch(self.placement, self.id, self.subject))
        self._announce("starting: waiting for its first answer")
        return child

    def _attach(self, process: Process) -> Child:
        limit = self.placement.limits.message_bytes
        return Child(
            process,
            limit,
            line=self._dialogue.line,
            oversized=lambda head: self._dialogue.oversized(head, limit),
            printed=self._printed,
            broken=self._broken,
        )

    def _connect(self) -> RemoteConnection:
        connection = self._starter.connect(self.placement, take=self._dialogue.take, note=self.note)
        if self.state == "starting":
            self._announce(f"starting: connecting to {connection.host}")
        return connection

    def _give_up(self, reason: str) -> None:
        self._stopping = reason
        words = self._last_words()
        self._fail(reason + (f"; its last lines: {words}" if words else ""))

    def _last_words(self) -> str:
        """Without the folders of this machine that the server lies in."""
        words = self._feed.last_words(self.id)
        for path in self.placement.read_only:
            words = words.replace(f"{path}/", "")
        return words

    async def _discard(self, grace_seconds: float) -> None:
        child, self._child = self._child, None
        if child is not None:
            await child.stop(grace_seconds)
            child.close()

    def _ended(self, ended: Exit) -> None:
        if self.state in ("failed", "stopped"):
            return
        if self._child is not None:
            self._child.drain()  # what it said to the end is in the log before its calls hear of the end
        if self._stopping:
            self._fail(self._stopping, state="stopped" if self.state == "stopping" else "failed")
            return
        words = self._last_words()
        said = self._dialogue.rubbish_words() + (f"; its last lines: {words}" if words else "")
        self._fail(ended.reason, said=said)

    def _fail(self, reason: str, state: str = "failed", said: str = "") -> None:
        """Leave for good: no call that is still here can be finished. `said` is in the instance's own words: before it
        served anybody they are for all, later for those whose instance it is."""
        was_starting = self.state == "starting"
        is_private = bool(self.who) and not was_starting and not self.traces
        self._move(state, self._feed.masked(reason if is_private else reason + said))
        reason = self._feed.masked(reason + said)
        waiting = {name: one for name, one in self.listeners.items() if one.agreed}
        for exchange in [*self.exchanges.values(), *(one for one in self.listeners.values() if not one.agreed)]:
            verb = "could not start" if was_starting else "ended during the call"
            words = f"{self.label} {verb}: {reason}"
            exchange.abandon(words, words, {"deployment": self.label, "reason": reason})
        self.exchanges.clear()
        self.listeners = waiting  # the placement takes them over
        self._queue.clear()
        self._waiting.clear()
        self._dialogue.close()
        self._holder.changed(self)

    def _broken(self, what: str) -> None:
        """A pipe that an instance can't go on without is gone; its exit usually follows and says more."""
        if self.is_alive and self._child is not None and not self._stopping:
            asyncio.get_running_loop().call_later(0.3, self._after_break, self._child, what)

    def _after_break(self, child: Child | RemoteConnection, what: str) -> None:
        if child is self._child and self.is_alive and child.process.poll() is None and not self._stopping:
            self._stopping = what
            self._breaking = asyncio.create_task(child.stop(0.5))

    def _move(self, state: str, reason: str) -> None:
        self.state = state
        self.reason = reason
        self._feed.seen(self.seen())
        if state == "running":
            self._holder.changed(self)

    def _announce(self, reason: str) -> None:
        self.reason = reason
        self._feed.seen(self.seen())
        body = _encode({"state": self.state, "reason": reason})
        for exchange in self._queue:
            exchange.append(Kind.STATUS, body)

    # --- calls that wait for their turn

    def _next_turns(self, upstream: Upstream) -> None:
        while self._waiting and not self.is_full:
            upstream.submit(self._waiting.take())

    def tell_to_wait(self, exchange: Exchange) -> None:
        body = {"state": self.state, "reason": f"waiting: {self._crowd()}"}
        exchange.append(Kind.STATUS, _encode(body))

    def turn_away(self, exchange: Exchange) -> None:
        exchange.turn_away(f"{self.label} is busy: {self._crowd()}")
        self.settled(exchange)

    def _crowd(self) -> str:
        return f"{self.placement.limits.in_flight} calls are running already; the limit is that many at once"

    # --- from the child

    def not_understood(self, number: object, why: str) -> None:
        """An answer of the wrong shape ends the call it was for; no call may wait for ever because of one."""
        for exchange in [e for e in self.exchanges.values() if e.number == number and not e.is_done]:
            exchange.refuse(f"The hosted server's answer could not be understood: {why}")
            self.settled(exchange)

    def _printed(self, line: bytes) -> None:
        self._feed.output(self.id, line.rstrip(b"\r"), who=self.who, is_open=self.traces)
