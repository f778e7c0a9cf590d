"""From a route to an open exchange: the link to its runner, and the healing of a placement that is not there.

A runner that does not hold a deployment says `unplaced`; it is told what to place, and the exchange is opened again.
A runner that does not answer is left out once, and the site is asked for another one.
"""

from __future__ import annotations

import asyncio
import itertools
import secrets
from typing import TYPE_CHECKING, Final

from common.errors import Unavailable
from hosting.runner.control import Cancel, Place
from hosting.runner.frames import Reason
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
from mcp_endpoint.sources import Followed

if TYPE_CHECKING:
    from hosting.routing import Route
    from mcp_endpoint.personal.persons import Persons

WAIT_SECONDS: Final = 10.0
RETRY_SECONDS: Final = 0.25
NO_RUNNER: Final = "no_runner"  # the codes of refusals of hosting.fleet.placing and hosting.routing
NOT_PLACED: Final = "not_placed"
DATA_AWAY: Final = "data_away"
_PASSING: Final = (NO_RUNNER, NOT_PLACED, DATA_AWAY)


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

    async def link_again(self, address: str, boot: str) -> RunnerLink | None:
        """The link to the runner at `address`, which is waited for; None when it was started anew since `boot`, so that
        nothing of what it had is left. Raises RunnerUnavailableError."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + WAIT_SECONDS
        while True:
            try:
                link = await self.pool.link(address)
                return link if link.boot == boot else None
            except RunnerUnavailableError:
                if self.pool.is_closed or loop.time() > deadline:
                    raise
            await asyncio.sleep(RETRY_SECONDS)

    async def rejoin(
        self, address: str, link: RunnerLink, attachment: Attachment, owner: str
    ) -> tuple[RunnerLink, Attachment]:
        """Follow a log on from its last event, after the link to its runner broke.

        Raises DetachedError: CALL_LOST where the runner has nothing of it any more, CLOSED where it does not answer.
        """
        try:
            again = await self.link_again(address, link.boot)
            if again is not None:
                return again, (await self.follow(again, attachment.exchange, owner, attachment.seen)).attachment
        except RunnerUnavailableError as error:
            raise DetachedError(Reason.CLOSED, str(error)) from None
        except DetachedError as error:
            if error.reason != Reason.LOST:
                raise
        raise DetachedError(Reason.CALL_LOST)

    async def follow(self, link: RunnerLink, log: str, owner: str, after: int, *, address: str = "") -> Followed:
        """Attach to a log that should exist. Raises DetachedError at once when it does not."""
        source = Followed(self, link, link.attach(log, owner=owner, after=after), owner, address=address)
        # Frames are taken in order, so the answer to a question about nothing comes after a refusal to attach.
        await link.ask(Cancel(exchange="", owner=owner))
        ended = source.attachment.ended
        if ended is not None and ended.reason != Reason.DONE:
            raise ended
        return source
