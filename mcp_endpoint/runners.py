"""From a route to an open exchange: the link to its runner, and the healing of a placement that is not there.

A runner that does not hold a deployment says `unplaced`; it is told what to place, and the exchange is opened again.
A runner that does not answer is left out once, and the site is asked for another one.
"""

from __future__ import annotations

import asyncio
import itertools
import secrets
from typing import TYPE_CHECKING, Final, Protocol

import msgspec

from common.errors import Unavailable
from hosting.runner.control import Cancel, Place
from hosting.runner.frames import Event, Open, Reason
from hosting.runner.placement import Placement
from hosting.stream.stream import (
    Attachment,
    DetachedError,
    RefusedError,
    RunnerLink,
    RunnerPool,
    RunnerUnavailableError,
)
from mcp_endpoint.directory import Directory

if TYPE_CHECKING:
    from hosting.routing import Route
    from mcp_endpoint.personal.persons import Persons

WAIT_SECONDS: Final = 10.0
RETRY_SECONDS: Final = 0.25
# What may be asked twice: when the runner dies, nobody can say whether it was asked once already.
_REPEATABLE: Final = frozenset(
    {"initialize", "server/discover", "tools/list", "prompts/list", "resources/list", "resources/templates/list"}
)
NO_RUNNER: Final = "no_runner"  # the codes of refusals of hosting.fleet.placing and hosting.routing
NOT_PLACED: Final = "not_placed"
DATA_AWAY: Final = "data_away"
_PASSING: Final = (NO_RUNNER, NOT_PLACED, DATA_AWAY)


class Closable(Protocol):
    def close(self, *, gone: bool) -> None:
        """Stop following; whoever waits in `get` gets DetachedError. `gone`: the client vanished."""


class Source(Closable, Protocol):
    """Where the events of one answer come from."""

    async def get(self, seconds: float) -> Event | None:
        """The next event, None when `seconds` went by. Raises DetachedError when there will be none."""

    def get_now(self) -> Event | None:
        """The next event if it is here already."""


class Followed:
    """A Source for a log that exists: a session's channel, or an exchange that is attached to again."""

    __slots__ = ("attachment",)

    def __init__(self, attachment: Attachment) -> None:
        self.attachment = attachment

    async def get(self, seconds: float) -> Event | None:
        return await take(self.attachment, seconds)

    def get_now(self) -> Event | None:
        return self.attachment.next_now()

    def close(self, *, gone: bool) -> None:
        release(self.attachment, gone=gone)


class Opened:
    """A Source for a new exchange. `link` and `address` name the runner that has it in the end.

    `frame` opens it, and names `attachment`, which is the link's.
    """

    __slots__ = ("_closed", "_frame", "_healed", "_route", "_runners", "address", "attachment", "link")

    def __init__(self, runners: Runners, link: RunnerLink, route: Route, attachment: Attachment, frame: Open) -> None:
        self._runners = runners
        self._route = route
        self._frame = frame
        self._healed: tuple[str, ...] = ()
        self._closed = False
        self.link = link
        self.address = route.runner_address
        self.attachment = attachment
        link.send(frame)

    async def get(self, seconds: float) -> Event | None:
        # `take`, spelled out: each coroutine in between would be paid for by every call.
        attachment = self.attachment
        event = attachment.next_now()
        if event is not None:
            return event
        if attachment.ended is None and not await attachment.wait(seconds):
            return None
        event = attachment.next_now()
        if event is not None:
            return event
        if attachment.ended is None:
            return None
        await self._heal(attachment.ended)
        return await self.get(seconds)

    async def _heal(self, ended: DetachedError) -> None:
        """Open again where that is right, once for each reason; raises `ended` where it is not."""
        reason = ended.reason
        if self._closed or reason in self._healed:
            raise ended
        self._healed += (reason,)
        random_part = self._frame.exchange.removeprefix(self.link.exchange_id(""))
        generation = self._route.generation
        if reason in (Reason.UNPLACED, Reason.DRAINING):
            self.address, self.link, placement = await self._runners.place(
                self._route, self.address if reason == Reason.DRAINING else ""
            )
            epoch, generation = placement.epoch, placement.generation
            if self._frame.personal:
                await self._runners.give_personal(self.link, self._route, self._frame.subject)
        elif reason == Reason.CLOSED and self._frame.method in _REPEATABLE:
            self.link, self._route = await self._runners.link_for(self._route)
            self.address, epoch = self._route.runner_address, self._route.epoch
            generation = self._route.generation
        else:
            raise ended
        if self._closed:
            raise DetachedError(Reason.CLOSED)
        attachment = self.attachment = self.link.attachment(random_part)
        self._frame = msgspec.structs.replace(
            self._frame,
            attachment=attachment.number,
            exchange=attachment.exchange,
            epoch=epoch,
            generation=generation,
        )
        self.link.send(self._frame)

    def get_now(self) -> Event | None:
        return self.attachment.next_now()

    def close(self, *, gone: bool) -> None:
        self._closed = True
        release(self.attachment, gone=gone)


async def take(attachment: Attachment, seconds: float) -> Event | None:
    event = attachment.next_now()
    if event is not None:
        return event
    if attachment.ended is None and not await attachment.wait(seconds):
        return None
    event = attachment.next_now()
    if event is None and attachment.ended is not None:
        raise attachment.ended
    return event


def release(attachment: Attachment, *, gone: bool) -> None:
    """Let go of the log and wake whoever waits for its next event."""
    attachment.close(gone=gone)
    attachment.detached(Reason.CLOSED, "")


class Runners:
    """The runners of the site, as far as calls need them."""

    def __init__(self, pool: RunnerPool, directory: Directory, persons: Persons) -> None:
        self.pool = pool
        self._directory = directory
        self._persons = persons
        self.in_thread = directory.in_thread
        self._prefix = secrets.token_urlsafe(16)
        self._count = itertools.count(1)

    def new_part(self) -> str:
        """The random part of a new exchange's id: one draw a process, counted on, since each draw is a system call."""
        return f"{self._prefix}~{next(self._count)}"

    async def link_for(self, route: Route) -> tuple[RunnerLink, Route]:
        """The link to the runner that has (or will get) the deployment. Raises RunnerUnavailableError and AppError.

        A runner that is being started again is waited for: a restart must not cost a call.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + WAIT_SECONDS
        while True:
            try:
                return await self._link_now(route)
            except (RunnerUnavailableError, Unavailable) as error:
                if (isinstance(error, Unavailable) and error.code not in _PASSING) or loop.time() > deadline:
                    raise
            await asyncio.sleep(RETRY_SECONDS)

    async def _link_now(self, route: Route) -> tuple[RunnerLink, Route]:
        if not route.runner_address:
            route = await self._directory.ensure_placed(route.deployment_id)
        try:
            return await self.pool.link(route.runner_address), route
        except RunnerUnavailableError:
            route = await self._directory.ensure_placed(route.deployment_id, route.runner_address)
            return await self.pool.link(route.runner_address), route

    async def place(self, route: Route, avoid: str = "") -> tuple[str, RunnerLink, Placement]:
        """Tell the runner that should have it what to run; (its address, the link, what it was told).

        `avoid` is the address of one that takes nothing new. Raises RunnerUnavailableError, RefusedError and AppError.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + WAIT_SECONDS
        to_avoid: str | None = avoid or None
        while True:
            try:
                if to_avoid is not None:
                    await self._directory.ensure_placed(route.deployment_id, to_avoid)
                address, placement = await self._directory.placement(route.deployment_id)
                to_avoid = address
                link = await self.pool.link(address)
                await link.ask(Place(placement))
                return address, link, placement
            except (RunnerUnavailableError, RefusedError) as error:
                if isinstance(error, RefusedError) and error.reason not in (Reason.DRAINING, Reason.UNPLACED):
                    raise
                if loop.time() > deadline:
                    raise
            except Unavailable as error:
                to_avoid = ""  # nobody else can take it: perhaps the one that was left out, in a moment
                if error.code not in _PASSING or loop.time() > deadline:
                    raise
            await asyncio.sleep(RETRY_SECONDS)

    async def give_personal(self, link: RunnerLink, route: Route, subject: str) -> None:
        """What the next instance of that user is started with. Raises RefusedError and AppError."""
        await link.ask(await self.in_thread(self._persons.placement, route.deployment_id, subject))

    async def follow(self, link: RunnerLink, log: str, owner: str, after: int) -> Followed:
        """Attach to a log that should exist. Raises DetachedError at once when it does not."""
        source = Followed(link.attach(log, owner=owner, after=after))
        # Frames are taken in order, so the answer to a question about nothing comes after a refusal to attach.
        await link.ask(Cancel(exchange="", owner=owner))
        ended = source.attachment.ended
        if ended is not None and ended.reason != Reason.DONE:
            raise ended
        return source
