"""The last lines a deployment's instances printed, asked of its runner when a page is shown."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime

from asgiref.sync import async_to_sync

from hosting.routing import Route
from hosting.runner import control
from hosting.runner.seen import OutputLine
from hosting.stream.links import runner_links
from hosting.stream.stream import DetachedError, RunnerUnavailableError

ASKED_LINES = 500  # of everybody; what the reader may read of them is shown
TAIL_SECONDS = 1.0


@dataclass(frozen=True)
class Line:
    """`stream` is stderr, or protocol for what the runner says about the conversation."""

    at: datetime
    instance: str
    stream: str
    line: str


@dataclass(frozen=True)
class Reader:
    """Who looks. What a caller's own instance prints is the caller's: the owner reads it only where the deployment
    traced bodies when it was printed, and lines of shared instances, of the platform's own looks and of their own."""

    user_id: str
    manages: bool

    def may_read(self, seen: OutputLine) -> bool:
        return seen.who == self.user_id or (self.manages and (seen.is_open or not seen.who))


def line_of(seen: OutputLine) -> Line:
    return Line(datetime.fromtimestamp(seen.at, UTC), seen.instance, seen.stream, seen.line)


def tail(route: Route, reader: Reader) -> list[Line]:
    """Oldest first. Empty when nothing is placed, or the runner doesn't answer: no page waits longer than a second."""
    if not route.runner_address:
        return []
    return [line_of(seen) for seen in async_to_sync(_ask)(route) if reader.may_read(seen)]


async def _ask(route: Route) -> list[OutputLine]:
    try:
        async with asyncio.timeout(TAIL_SECONDS), runner_links() as pool:
            link = await pool.link(route.runner_address)
            return (await link.ask(control.GetTail(route.deployment_id, ASKED_LINES))).lines
    except (TimeoutError, RunnerUnavailableError, DetachedError):
        return []
