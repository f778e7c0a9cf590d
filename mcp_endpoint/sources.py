"""Where the events of one answer come from: a new exchange at a runner, or a log that is followed.

What can go on by itself does: an exchange whose deployment is not placed yet is opened again, and a call of a session
whose link broke is followed from its last event on. So a client waits where it would have to come back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

import msgspec

from hosting.runner.frames import EndRule, Event, Open, Reason
from hosting.stream.stream import Attachment, DetachedError, RunnerLink

if TYPE_CHECKING:
    from hosting.routing import Route
    from mcp_endpoint.runners import Runners

# What may be asked twice: when the runner dies, nobody can say whether it was asked once already.
_REPEATABLE: Final = frozenset(
    {"initialize", "server/discover", "tools/list", "prompts/list", "resources/list", "resources/templates/list"}
)


class Closable(Protocol):
    def close(self, *, gone: bool) -> None:
        """Stop following; whoever waits in `get` gets DetachedError. `gone`: the client vanished."""


class Source(Closable, Protocol):
    """Where the events of one answer come from."""

    async def get(self, seconds: float) -> Event | None:
        """The next event, None when `seconds` went by. Raises DetachedError when there will be none."""

    def get_now(self) -> Event | None:
        """The next event if it is here already."""


class _Attached:
    """What both sources are: an attachment at a runner, of which there may be another one after the link broke."""

    __slots__ = ("_closed", "_runners", "address", "attachment", "link")

    def __init__(self, runners: Runners, link: RunnerLink, attachment: Attachment, address: str) -> None:
        self._runners = runners
        self._closed = False
        self.link = link
        self.address = address
        self.attachment = attachment

    async def _rejoin(self, owner: str) -> None:
        """Go on after the last event, over a new link. Raises DetachedError where there is nothing to go on with."""
        self.link, self.attachment = await self._runners.rejoin(self.address, self.link, self.attachment, owner)
        if self._closed:  # by somebody else, in the meantime
            release(self.attachment, gone=True)

    def get_now(self) -> Event | None:
        return self.attachment.next_now()

    def close(self, *, gone: bool) -> None:
        self._closed = True
        release(self.attachment, gone=gone)


class Followed(_Attached):
    """A Source for a log that exists: a session's channel, or an exchange that is attached to again.

    `address` is that of its runner, where it goes on when the link breaks; with "" it ends then.
    """

    __slots__ = ("_owner",)

    def __init__(
        self, runners: Runners, link: RunnerLink, attachment: Attachment, owner: str, *, address: str = ""
    ) -> None:
        super().__init__(runners, link, attachment, address)
        self._owner = owner

    async def get(self, seconds: float) -> Event | None:
        try:
            return await take(self.attachment, seconds)
        except DetachedError as ended:
            if self._closed or ended.reason != Reason.CLOSED or not self.address:
                raise
        await self._rejoin(self._owner)
        return await take(self.attachment, seconds)


class Opened(_Attached):
    """A Source for a new exchange. `link` and `address` name the runner that has it in the end.

    `frame` opens it, and names `attachment`, which is the link's.
    """

    __slots__ = ("_frame", "_healed", "_route")

    def __init__(self, runners: Runners, link: RunnerLink, route: Route, attachment: Attachment, frame: Open) -> None:
        super().__init__(runners, link, attachment, route.runner_address)
        self._route = route
        self._frame = frame
        self._healed: tuple[str, ...] = ()
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
        elif reason == Reason.CLOSED and self._frame.end is EndRule.SESSION:
            await self._rejoin(self._frame.owner)
            return
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
