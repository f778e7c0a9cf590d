"""One deployment as this runner holds it: its placement, its instances by isolation key, and when a start may be tried.

Who shares an instance with whom is `isolation`'s to say. An instance with an open question takes no further call of a
modern client, which gets another one instead; where a data folder is kept, one instance at a time has it.
"""

from __future__ import annotations

import time
from typing import Any

import msgspec

from hosting.runner.eras import Eras
from hosting.runner.exchange import Exchange
from hosting.runner.feed import Feed
from hosting.runner.frames import Open
from hosting.runner.host import Host
from hosting.runner.instance import Instance
from hosting.runner.isolation import ONCE, client_of, folder_of, key_of
from hosting.runner.judge import Judge
from hosting.runner.personal import Hidden, OutdatedError, Personals, placement_with
from hosting.runner.placement import Pages, Personal, Placement
from hosting.runner.seen import SignInAsked
from hosting.runner.session import Session
from hosting.runner.shares import too_many
from hosting.runner.starter import Starter

FIRST_BACK_OFF_SECONDS = 1.0
MAX_BACK_OFF_SECONDS = 60.0


class BusyError(Exception):
    """No instance can take the call now; the message names the limit or the reason of the last failure."""


class Placed:
    """Owns a deployment's instances on this runner."""

    sign_in: SignInAsked | None = None  # what the remote server last refused; None: nothing with this token

    def __init__(self, placement: Placement, *, starter: Starter, feed: Feed, host: Host) -> None:
        self.placement = placement
        self.feed = feed
        self.judge = Judge(feed, placement.pages)
        self._hide(placement)
        self.personals = Personals()
        self.own_sign_ins: dict[str, SignInAsked] = {}  # what it refused of a user's own account, by user
        self.instances: dict[str, Instance] = {}
        self._starter = starter
        self._host = host
        self._writers: dict[str, Instance] = {}  # who had which data folder last
        self._eras = Eras(placement.era)
        self._listeners: dict[str, dict[str, Exchange]] = {}  # by isolation key, while no instance runs
        self.is_leaving = False  # nothing new begins here; what runs may end
        self._failures = 0
        self._retry_at = 0.0
        self.last_failure = ""

    # --- finding an instance

    def instance_for(self, opened: Open, session: Session | None) -> Instance:
        """The instance for this call, started if need be. Raises BusyError, LackingError and OutdatedError."""
        bound = self.instances.get(session.instance) if session is not None else None
        if bound is not None and bound.hidden is not None and bound.hidden.mark != opened.personal:
            raise self._outdated(bound)
        if bound is not None and bound.is_alive and not bound.is_full:
            return bound
        if bound is not None and bound.retires_at and bound.has_waiting_room:
            return bound
        key = key_of(self.placement, self._eras, opened, session)
        alive = [i for i in self.instances.values() if i.key == key and i.is_alive and not i.retires_at]
        fit = [i for i in alive if session is not None or not i.has_open_questions]
        for instance in fit:
            if not instance.is_full:
                return instance
        crowded = next((i for i in fit if i.has_waiting_room), None)
        if not alive or (session is None and self.placement.isolation != "shared"):
            try:
                return self._start(key, opened, session)
            except BusyError:
                if crowded is None:
                    raise
        if crowded is None:
            limits = self.placement.limits
            raise BusyError(f"{limits.in_flight} calls are running already, and {limits.waiting} wait for their turn")
        return crowded

    def _outdated(self, bound: Instance) -> OutdatedError:
        """Its session is over. Calls that run finish as they began: a renewed token is no reason to end them."""
        if bound.exchanges:
            bound.retires_at = bound.retires_at or time.monotonic() + self.placement.drain_seconds
        else:
            self._host.stop_instance(bound, "its user's credentials are others now")
        return OutdatedError()

    def _start(self, key: str, opened: Open, session: Session | None) -> Instance:
        now = time.monotonic()
        if now < self._retry_at:
            pause = self._retry_at - now
            raise BusyError(f"the last start failed and is tried again in {pause:.0f} s: {self.last_failure}")
        personal = self.personals.of(opened, session)
        subject = folder_of(self.placement, opened, session)
        before = self._last_writer(subject)
        self._make_room()
        instance = Instance(
            placement_with(self.placement, personal) if personal is not None else self.placement,
            key,
            client_of(self.placement, opened, session),
            first=(msgspec.structs.replace(opened, params=b""), session),
            subject=subject,
            after=before,
            is_shared=self.placement.isolation == "shared",
            starter=self._starter,
            feed=self.feed,
            known_era=self._eras.known_for(opened.revision),
            holder=self,
            hidden=Hidden([*personal.masked, *personal.tokens], personal.mark) if personal is not None else None,
        )
        if personal is not None:
            self.personals.used(personal)
        self.instances[instance.id] = instance
        if subject:
            self._writers[subject] = instance
        return instance

    def _last_writer(self, subject: str) -> Instance | None:
        """The instance that must be gone before another one may have the same folder. Raises BusyError."""
        self._writers = {name: one for name, one in self._writers.items() if not one.is_gone}
        writer = self._writers.get(subject) if subject else None
        if writer is not None and writer.is_alive:
            if not writer.is_spare(time.monotonic() - self.placement.spare_seconds):
                raise BusyError("its data folder is in use by another client or an earlier version")
            self._host.stop_instance(writer, "another client needs its data folder")
        return writer

    def _make_room(self) -> None:
        """Below the limit, or by ending the instance that was quiet longest: its client starts a session anew (404)."""
        alive = [i for i in self.instances.values() if i.is_alive and not i.retires_at]
        if len(alive) >= self.placement.max_instances:
            self._end_spare(alive, f"all of its {self.placement.max_instances} instances are in use")
        awake, shares = self._host.instances_of(self.placement.owner), self._host.shares
        while problem := too_many(self.placement, shares.of(self.placement), awake):
            shares.fell_short(self.placement.owner)
            awake.remove(self._end_spare(awake, problem))

    def _end_spare(self, alive: list[Instance], problem: str) -> Instance:
        """Raises BusyError when none can be spared."""
        since = time.monotonic() - self.placement.spare_seconds
        spare = min((i for i in alive if i.is_spare(since)), key=lambda i: i.used_at, default=None)
        if spare is None:
            raise BusyError(problem)
        self._host.stop_instance(spare, "made room for another session")
        return spare

    def changed(self, instance: Instance) -> None:
        if instance.state == "running":
            self._failures, self._retry_at, self.last_failure = 0, 0.0, ""
            self._eras.found(instance.client.revision, instance.era)
            if instance.retires_at:
                return
            instance.key = key_of(
                self.placement, self._eras, *instance.first
            )  # the era that was wanted need not be the one that was found
            for exchange in self._listeners.pop(instance.key, {}).values():
                instance.submit(exchange)
            return
        self.instances.pop(instance.id, None)
        if instance.listeners:
            self._listeners.setdefault(instance.key, {}).update(instance.listeners)
            if self.is_leaving:
                self.end_listeners()
        if instance.state == "failed" and instance.hidden is None:  # one user's key says nothing of another's
            self.last_failure = instance.reason
            if instance.upstream is None:
                self._failures += 1
                if self._failures > 1:
                    pause = min(FIRST_BACK_OFF_SECONDS * 2 ** (self._failures - 2), MAX_BACK_OFF_SECONDS)
                    self._retry_at = time.monotonic() + pause
        self._host.instance_gone(instance)

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update({"personals": Personals(), "own_sign_ins": {}, **state})  # an older runner has none
        if "judge" not in state:
            self.judge = Judge(self.feed, Pages())

    # --- which placement

    def accepts(self, opened: Open) -> bool:
        """Whether a call that knows of this epoch and generation may begin here."""
        placement = self.placement
        is_known = opened.epoch == placement.epoch and opened.generation <= placement.generation
        return is_known and not self.is_leaving

    def update(self, placement: Placement) -> None:
        """The same version and settings. A new token of the account elsewhere counts at once, for what runs too."""
        self.placement = placement
        self._hide(placement)
        if placement.remote is not None:
            if self.sign_in is not None and self.sign_in.serial != placement.remote.serial:
                self.sign_in = None
            if not placement.remote.is_own:
                for instance in self.instances.values():
                    instance.use_bearer(placement.remote)

    def sign_in_asked(self, asked: SignInAsked) -> None:
        if asked.subject:
            self.own_sign_ins[asked.subject] = asked
        else:
            self.sign_in = asked

    def renew(self, placement: Placement) -> None:
        """Another version, other settings: what is new begins with these, what runs goes on as it is for a while."""
        before, self.placement = self.placement, placement
        self._hide(placement)
        self.personals.clear()
        self.is_leaving = False
        self._failures, self._retry_at, self.last_failure = 0, 0.0, ""
        if (before.version, before.argv, before.remote) != (placement.version, placement.argv, placement.remote):
            self._eras = Eras(placement.era)
        self.sign_in = None
        self.own_sign_ins.clear()
        self.retire(placement.drain_seconds, "a newer version takes over")

    def _hide(self, placement: Placement) -> None:
        self.judge.pages = placement.pages
        self.feed.hide(placement.masked)
        if placement.remote is not None:
            self.feed.hide_token(placement.remote.bearer)

    def give(self, personal: Personal) -> None:
        """A user's own values, for the next start of an instance of theirs."""
        self.feed.hide(personal.masked)
        for token in personal.tokens:
            self.feed.hide_token(token)
        self.personals.give(personal)
        remote = personal.remote
        if remote is None:
            return
        refused = self.own_sign_ins.get(personal.subject)
        if refused is not None and (refused.serial, refused.mark) != (remote.serial, personal.mark):
            del self.own_sign_ins[personal.subject]
        if not remote.is_own:
            return
        for instance in self.instances.values():
            hidden = instance.hidden
            if hidden is not None and (instance.who, hidden.mark) == (personal.subject, personal.mark):
                instance.use_bearer(remote)

    def leave(self, seconds: float, reason: str) -> None:
        """Begin nothing any more; what runs may end within that time."""
        self.end_listeners()
        self.retire(seconds, reason)

    def retire(self, seconds: float, reason: str) -> None:
        latest = time.monotonic() + seconds
        for instance in list(self.instances.values()):
            instance.retires_at = min(instance.retires_at or latest, latest)
            if instance.is_idle and instance.is_alive:
                self._host.stop_instance(instance, reason)

    # --- what the runner asks

    def forget_listener(self, exchange: Exchange) -> None:
        """Its client is gone; nothing is sent to the next instance for it."""
        for waiting in self._listeners.values():
            waiting.pop(exchange.id, None)

    def end_listeners(self) -> None:
        """The deployment leaves this runner: their streams end in good order, so that clients listen anew."""
        self.is_leaving = True
        listeners, self._listeners = self._listeners, {}
        for waiting in listeners.values():
            for exchange in waiting.values():
                exchange.succeed(b'{"resultType":"complete"}')

    def find(self, exchange: Exchange) -> Instance | None:
        return self.instances.get(exchange.instance)

    def tired(self) -> list[Instance]:
        """Instances that nobody has used for the deployment's idle time, and those that have done their one call."""
        since = time.monotonic() - self.placement.idle_seconds
        idle = [i for i in self.instances.values() if i.state == "running" and i.is_idle]
        return [i for i in idle if i.used_at < since or i.retires_at or i.key.startswith(ONCE)]

    def overdue(self) -> list[Instance]:
        """Instances of an earlier version whose time is over."""
        now = time.monotonic()
        return [i for i in self.instances.values() if i.is_alive and 0 < i.retires_at < now]

    def era(self) -> str:
        """What is known of the server: "", legacy, modern or dual."""
        return self._eras.word()
