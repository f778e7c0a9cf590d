"""The life of an instance's child: its turn to start, its first conversation, what breaks it, and its end.

In the place of a child there may be a connection to a server elsewhere, which is asked the same.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Protocol

from hosting.runner.child import Child, Handed
from hosting.runner.dialogue import Dialogue
from hosting.runner.greeting import EndedAtProbeError, GaveUpError, greet
from hosting.runner.placement import Placement
from hosting.runner.remote.connection import RemoteConnection
from hosting.runner.remote.handed import RemoteState
from hosting.runner.runtimes.base import Exit, LaunchFailed, Process
from hosting.runner.seen import SignInAsked
from hosting.runner.starter import Starter
from hosting.runner.upstream.base import Client, Peer, Upstream, WrongEraError
from hosting.runner.voice import Voice

log = logging.getLogger(__name__)


class Grown(Protocol):
    """An instance whose data folder another one wants."""

    async def gone(self) -> None: ...


class Body(Peer, Protocol):
    """The instance, as its life sees it."""

    id: str
    placement: Placement
    client: Client
    subject: str
    state: str
    voice: Voice

    @property
    def upstream(self) -> Upstream | None: ...
    @property
    def is_alive(self) -> bool: ...
    def announce(self, reason: str) -> None:
        """How the start goes."""

    def began(self, upstream: Upstream) -> None:
        """The child has told its era."""

    def fail(self, reason: str, state: str = "failed", said: str = "") -> None:
        """It has left for good. `said` is in the child's own words."""

    def sign_in_asked(self, asked: SignInAsked) -> None: ...


class Life:
    """Begins on its own. `why` is the reason for which it is being ended, "" while it is not."""

    def __init__(
        self, body: Body, dialogue: Dialogue, starter: Starter, *, known_era: str, after: Grown | None
    ) -> None:
        self._body = body
        self._dialogue = dialogue
        self._starter = starter
        self._known_era = known_era
        self._after = after  # which has the same data folder, and must be gone before
        self._child: Child | RemoteConnection | None = None
        self.why = ""

    def begin(self) -> None:
        self._gone: asyncio.Event | None = asyncio.Event()
        self._task = asyncio.create_task(self._run(), name=f"instance-{self._body.id}")

    # --- what its instance asks

    @property
    def process(self) -> Process | None:
        """What runs, or stands for what runs elsewhere; None where there is nothing (yet)."""
        return self._child.process if self._child is not None else None

    @property
    def pid(self) -> int:
        """0 where there is no process. Also while it is only handed over."""
        child: Any = self._child
        return child.process.pid if isinstance(child, Child) else child.pid if isinstance(child, Handed) else 0

    def write(self, line: bytes) -> None:
        if self._child is not None:
            self._child.write(line)

    async def end(self, reason: str, grace_seconds: float) -> None:
        """Stop the child and everything it started. `gone` says when all of it has ended."""
        self.why = reason
        if self._child is not None:
            await self._child.stop(grace_seconds)
        else:
            self._task.cancel()

    async def gone(self) -> None:
        """Returns when nothing of it is left."""
        if self._gone is not None:
            await self._gone.wait()

    @property
    def is_gone(self) -> bool:
        return self._gone is None or self._gone.is_set()

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

    def take_up(self, processes: dict[int, Process]) -> None:
        """Have the process that it had."""
        handed: Handed | RemoteState | None = self.__dict__["_child"]
        self._child = None
        if isinstance(handed, RemoteState):
            remote = self._child = self._connect()
            remote.go_on(handed)
        elif handed is not None and handed.pid in processes:
            child = self._child = self._attach(processes[handed.pid])
            child.go_on(handed)

    # --- from its start to its end

    async def _run(self) -> None:
        body = self._body
        try:
            if body.upstream is None and body.is_alive:
                await self._discard(0)  # one that was not yet greeted when the runner restarted
                if self._after is not None:
                    await self._after.gone()
                    self._after = None
                async with self._starter.turn(body.placement, self._waits):
                    await self._start()
            elif self.why and self._child is not None:
                await self._child.stop(0.5)
            if self._child is not None:
                self._ended(await self._child.process.wait())
            elif body.state not in ("failed", "stopped"):
                body.fail(self.why or "its process is gone", state="stopped" if self.why else "failed")
        except LaunchFailed as error:
            body.fail(f"could not be started: {error}")
        except asyncio.CancelledError:
            body.fail(self.why or "the runner is stopping", state="stopped")
        except Exception:
            log.exception("instance failed", extra={"deployment": body.label, "instance": body.id})
            body.fail("the runner failed; its log has the details")
        finally:
            await self._discard(0.5)
            if self._gone is not None:
                self._gone.set()

    def _waits(self, ahead: int) -> None:
        words = f"starting: waits for its turn, {ahead} of the same owner are ahead" if ahead else "starting"
        self._body.announce(words)

    async def _start(self) -> None:
        """Start a child and find out how to speak to it. Returns also when it exited before it said anything."""
        body = self._body
        known, refusal = self._known_era, ""
        while True:
            self._child = child = self._connect() if body.placement.remote else await self._launch()
            try:
                seconds = body.placement.start_seconds
                upstream = await greet(body, self._dialogue, child, body.client, known=known, seconds=seconds)
                break
            except WrongEraError as refused:
                # A child that refused the handshake may take no other first request: ask a fresh one.
                log.info("asked in another era", extra={"deployment": body.label, "reason": str(refused)})
                await self._discard(0.5)
                known, refusal = "modern", f" (as a legacy server: {refused})"
            except EndedAtProbeError:
                if self.why or body.placement.remote:
                    return
                await self._discard(0.5)
                known = "legacy"
            except GaveUpError as error:
                if body.placement.remote and known and not refusal:
                    # It may have become a server of another era since, which its owner need not tell anybody.
                    await self._discard(0.5)
                    known = ""
                    continue
                self._give_up(f"{error}{refusal}")
                await self._discard(0.5)
                return
        if upstream is not None:
            body.began(upstream)

    async def _launch(self) -> Child:
        body = self._body
        body.announce("starting: preparing the sandbox")
        child = self._attach(await self._starter.launch(body.placement, body.id, body.subject))
        body.announce("starting: waiting for its first answer")
        return child

    def _attach(self, process: Process) -> Child:
        limit = self._body.placement.limits.message_bytes
        return Child(
            process,
            limit,
            line=self._dialogue.line,
            oversized=lambda head: self._dialogue.oversized(head, limit),
            printed=self._body.voice.printed,
            broken=self._broken,
        )

    def _connect(self) -> RemoteConnection:
        body = self._body
        connection = self._starter.connect(
            body.placement, take=self._dialogue.take, note=body.note, asked=body.sign_in_asked
        )
        if body.state == "starting":
            body.announce(f"starting: connecting to {connection.host}")
        return connection

    def use_bearer(self, bearer: str, serial: int) -> None:
        if isinstance(self._child, RemoteConnection):
            self._child.use_bearer(bearer, serial)

    def _give_up(self, reason: str) -> None:
        self.why = reason
        words = self._body.voice.last_words()
        self._body.fail(reason + (f"; its last lines: {words}" if words else ""))

    async def _discard(self, grace_seconds: float) -> None:
        child, self._child = self._child, None
        if child is not None:
            await child.stop(grace_seconds)
            child.close()

    def _ended(self, ended: Exit) -> None:
        body = self._body
        if body.state in ("failed", "stopped"):
            return
        if self._child is not None:
            self._child.drain()  # what it said to the end is in the log before its calls hear of the end
        if self.why:
            body.fail(self.why, state="stopped" if body.state == "stopping" else "failed")
            return
        words = body.voice.last_words()
        said = self._dialogue.rubbish_words() + (f"; its last lines: {words}" if words else "")
        body.fail(ended.reason, said=said)

    def _broken(self, what: str) -> None:
        """A pipe that an instance can't go on without is gone; its exit usually follows and says more."""
        if self._body.is_alive and self._child is not None and not self.why:
            asyncio.get_running_loop().call_later(0.3, self._after_break, self._child, what)

    def _after_break(self, child: Child | RemoteConnection, what: str) -> None:
        if child is self._child and self._body.is_alive and child.process.poll() is None and not self.why:
            self.why = what
            self._breaking = asyncio.create_task(child.stop(0.5))
