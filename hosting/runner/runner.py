"""The runner: what it holds (placements, sessions, exchanges, feeds) and how long.

Knows nothing of connections: `server.py` and `operations.py` turn frames into calls, `admission.py` lets new ones in.
All state is plain objects in dictionaries by id, so that a planned restart can write it down and take it up again.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from hosting.runner.egress.ledger import Ledger
from hosting.runner.exchange import Exchange
from hosting.runner.feed import Feed
from hosting.runner.folders import Folders
from hosting.runner.frames import EndRule, Kind, Reason
from hosting.runner.instance import Instance
from hosting.runner.log import Log
from hosting.runner.outbox import Outbox
from hosting.runner.placed import Placed
from hosting.runner.placement import Placement
from hosting.runner.refused import RefusedError
from hosting.runner.retention import Retention
from hosting.runner.runtimes.base import Process
from hosting.runner.session import Session
from hosting.runner.shares import Shares
from hosting.runner.spill import Spill
from hosting.runner.spool import Header
from hosting.runner.starter import Starter
from hosting.runner.superseded import Superseded

log = logging.getLogger(__name__)


STOP_SECONDS = 10.0  # more than an instance's grace


class Runner:
    """All that lives on one runner between its start and its end."""

    def __init__(self, name: str, *, home: Path, starter: Starter, announce: Callable[[], None] = lambda: None) -> None:
        """`announce` tells the site that tasks have news for it."""
        self.name = name
        self.boot = secrets.token_hex(4)
        self.started_at = time.time()
        self.draining = False
        self.placed: dict[str, Placed] = {}
        self.superseded = Superseded()
        self.sessions: dict[str, Session] = {}
        self.exchanges: dict[str, Exchange] = {}
        self._feeds: dict[str, Feed] = {}
        self._starter = starter
        self.restart: Callable[[Mapping[str, str]], None] | None = None  # with options of the command line
        self.restarts = 0
        self.restart_problem = ""  # why the last one came to nothing
        self._stops: set[asyncio.Task[None]] = set()
        folder = home / "spill"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._spill = Spill(folder)
        self.outbox = Outbox(home / "spool", spill=self._spill, announce=announce)
        self.retention = Retention(self.exchanges, self.sessions, self.outbox)
        self.egress = Ledger()
        self.shares = Shares()

    def new_log(self, name: str, owner: str) -> Log:
        return Log(name, owner, spill=self._spill)

    # --- exchanges

    def keep(self, exchange: Exchange, task: str, then: Callable[[], None] = lambda: None) -> None:
        """A running call becomes a task."""
        exchange.task, exchange.outbox = task, self.outbox
        exchange.parked_at = 0.0
        header = Header(task, exchange.id, exchange.open.owner, exchange.open.deployment)
        self.outbox.adopt(header, exchange.log, then)

    def acknowledge(self, task: str, seq: int) -> bool:
        """The site has everything up to `seq`; True when the task is over and forgotten here."""
        header = self.outbox.header_of(task)
        if header is None or not self.outbox.acknowledge(task, seq):
            return False
        exchange = self.exchanges.get(header.exchange)
        if exchange is not None:
            self.retention.forget(exchange)
        return True

    def find_log(self, name: str, owner: str) -> Log:
        """An exchange's log, a session's channel or a deployment's feed. Raises RefusedError."""
        kind, _, rest = name.partition(":")
        if kind == "session":
            session = self.sessions.get(rest)
            if session is None:
                raise RefusedError(Reason.NO_SESSION)
            return self.owned(session.channel, owner)
        if kind == "feed":
            return self.owned(self.feed(rest).log, owner)
        if kind == "task":
            held = self.outbox.log_of(rest)
            if held is None:
                raise RefusedError(Reason.LOST, "nothing is known of that task here")
            return self.owned(held, owner)
        exchange = self.exchanges.get(name)
        if exchange is None:
            raise RefusedError(Reason.LOST, "nothing is known of that call any more")
        return self.owned(exchange.log, owner)

    @staticmethod
    def owned(found: Log, owner: str) -> Log:
        if found.owner != owner:
            raise RefusedError(Reason.FORBIDDEN)
        return found

    def wire_taken(self, name: str) -> None:
        """A client comes back for the rest of an exchange."""
        exchange = self.exchanges.get(name)
        if exchange is not None:
            exchange.is_awaited = False

    def wire_gone(self, name: str) -> None:
        """The client of a wire attachment vanished: the exchange's end rule applies."""
        exchange = self.exchanges.get(name)
        if exchange is not None and not exchange.is_done and exchange.end_rule is EndRule.CANCEL:
            self.cancel(exchange, "the client closed the stream")

    def wire_left(self, name: str) -> None:
        """The web process let go of the wire on purpose; with a question open, the exchange is parked."""
        exchange = self.exchanges.get(name)
        if exchange is not None and not exchange.is_done and exchange.questions and not exchange.task:
            exchange.parked_at = time.monotonic()

    def cancel(self, exchange: Exchange, reason: str) -> None:
        instance = self.instance(exchange)
        if instance is not None:
            instance.cancel(exchange, reason)
        elif exchange.listening and not exchange.is_done:
            placed = self.placed.get(exchange.open.deployment)
            if placed is not None:
                placed.forget_listener(exchange)
            exchange.append(Kind.CANCELLED, extra=reason)

    def instance(self, exchange: Exchange) -> Instance | None:
        placed = self.placed.get(exchange.open.deployment)
        return placed.find(exchange) if placed is not None else None

    # --- placements, instances and sessions

    def give_way(self, placed: Placed, epoch: int) -> None:
        """The deployment was placed elsewhere, with this later epoch."""
        self.superseded.add(placed.placement.deployment, epoch)
        self.unplace(placed, "it was placed anew")

    def unplace(self, placed: Placed, reason: str) -> None:
        self.displace(placed, reason)
        self.placed.pop(placed.placement.deployment, None)

    def displace(self, placed: Placed, reason: str) -> None:
        """Stop what runs of a deployment here; its calls end with the reason, its sessions answer 404."""
        placed.end_listeners()
        for instance in list(placed.instances.values()):
            self.stop_instance(instance, reason)
        for session in [s for s in self.sessions.values() if s.deployment == placed.placement.deployment]:
            self.end_session(session, reason)

    def stop_instance(self, instance: Instance, reason: str) -> None:
        task = asyncio.create_task(instance.stop(reason))
        self._stops.add(task)
        task.add_done_callback(self._stops.discard)

    def instances_of(self, owner: str) -> list[Instance]:
        """Awake ones of all the owner's deployments."""
        return [one for one in self.instances() if one.is_alive and one.placement.owner == owner]

    def _discard(self, process: Process) -> None:
        async def end() -> None:
            await process.stop(0)
            process.close()

        task = asyncio.create_task(end())
        self._stops.add(task)
        task.add_done_callback(self._stops.discard)

    def bound_instance(self, session: Session) -> Instance | None:
        placed = self.placed.get(session.deployment)
        return placed.instances.get(session.instance) if placed is not None else None

    def own_session(self, name: str, owner: str) -> Session:
        """The owner's session of that id. Raises RefusedError."""
        session = self.sessions.get(name)
        if session is None or session.owner != owner:
            raise RefusedError(Reason.NO_SESSION)
        return session

    def end_session(self, session: Session, reason: str) -> None:
        """Tell its streams and let its instance go, which ends what still runs on it."""
        if self.sessions.pop(session.id, None) is None:
            return
        session.channel.close(Reason.NO_SESSION, reason)
        instance = self.bound_instance(session)
        if instance is not None:
            instance.bound.pop(session.id, None)
            if instance.key == f"session:{session.id}" and not instance.has_tasks:  # tasks outlive their session
                self.stop_instance(instance, reason)

    def instance_gone(self, instance: Instance) -> None:
        log.info("instance gone", extra={"deployment": instance.label, "reason": instance.reason})
        for session in list(instance.bound.values()):
            self.end_session(session, f"its instance is gone: {instance.reason}")

    @property
    def folders(self) -> Folders:
        return self._starter.folders

    def feed(self, deployment: str) -> Feed:
        feed = self._feeds.get(deployment)
        if feed is None:
            feed = self._feeds[deployment] = Feed(deployment, self._spill)
        return feed

    def egress_printed(self, deployment: str, instance: str, line: str) -> None:
        if deployment in self._feeds:
            self._feeds[deployment].output(instance, line.encode(), "protocol")

    def place(self, placement: Placement) -> Placed:
        self.superseded.forget(placement.deployment)
        placed = self.placed[placement.deployment] = Placed(
            placement,
            starter=self._starter,
            feed=self.feed(placement.deployment),
            host=self,
        )
        log.info("placed", extra={"deployment": placement.label, "epoch": placement.epoch})
        return placed

    # --- its end

    @property
    def running(self) -> int:
        """How many calls run; listeners and sessions don't count."""
        return sum(len(instance.exchanges) for instance in self.instances())

    def instances(self) -> list[Instance]:
        return [instance for placed in self.placed.values() for instance in placed.instances.values()]

    async def stop(self) -> None:
        """Stop every instance; returns when the last child is gone, or when one of them does not go.

        What is left then dies with this process, or with the machine.
        """
        self.draining = True
        stops = [asyncio.create_task(one.stop("the runner is stopping")) for one in self.instances()]
        if stops:
            _, left = await asyncio.wait(stops, timeout=STOP_SECONDS)
            if left:
                log.error("instances do not stop", extra={"runner": self.name, "instances": len(left)})
        self.outbox.close()

    # --- over a restart in place

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_stops": set(), "restart": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update({"shares": Shares(), **state})  # an older runner has none

    def logs(self) -> list[Log]:
        """All of them: those of exchanges, sessions, feeds and tasks."""
        logs = [exchange.log for exchange in self.exchanges.values()] + self.outbox.logs()
        logs += [session.channel for session in self.sessions.values()]
        return logs + [feed.log for feed in self._feeds.values()]

    def adopt(self, processes: dict[int, Process], announce: Callable[[], None]) -> None:
        """Go on after a restart in place, with the processes that it had, by pid."""
        self.restarts += 1
        for pid in processes.keys() - {instance.pid for instance in self.instances()}:
            self._discard(processes[pid])  # it was being stopped for a deployment that is not placed here any more
        self.retention.adopted()
        self.outbox.adopted(announce)
        for instance in self.instances():
            instance.adopt(processes)
