"""The live feed of a deployment's page: what the site does with it, and, for its owner, what its instances print."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection
from typing import Any
from uuid import UUID

import msgspec
from channels.db import database_sync_to_async
from django.urls import path
from django.utils import translation

from accounts.signed_in import SignedIn, signed_in_of, still_signed_in
from common.batching import Batched
from common.errors import NotFound
from common.languages import language_of
from events.actors import person
from events.consumers import LiveConsumer
from events.types import BuildProgress, DeploymentChanged, Event, deployment_group
from hosting import queue
from hosting.access.permissions import may_manage, may_see
from hosting.models import Deployment
from hosting.reasons import in_words
from hosting.routing import route_by_id
from hosting.runner import frames
from hosting.runner.seen import OutputLine
from hosting.stream.links import runner_links
from hosting.stream.output import Reader, line_of
from hosting.stream.stream import Attachment, DetachedError, RunnerUnavailableError

FEED_OWNER = "system"
RETRY_SECONDS = 2.0
BATCH_SECONDS = 0.1
BATCH_LINES = 200
FRESHEN_SECONDS = 1.0  # at most one round of the reconciler a second for a page that is watched

_decode_line = msgspec.json.Decoder(OutputLine).decode


class DeploymentConsumer(LiveConsumer):
    """/ws/deployments/{id}/. Messages are objects with a `type`: state, tools, instances, build, output.

    A build's step is shown as it comes, so it is in the page's language; the reason of a state is compared only."""

    _manages = False
    _address = ""
    _moved: asyncio.Event

    @property
    def deployment_id(self) -> UUID:
        found: UUID = self.scope["url_route"]["kwargs"]["deployment_id"]
        return found

    # --- LiveConsumer

    async def may_follow(self) -> bool:
        who = signed_in_of(self.scope)
        if who is None:
            return False
        may_see_it, self._manages = await _access((who, self.deployment_id))
        return may_see_it

    def groups_wanted(self) -> list[str]:
        return [deployment_group(self.deployment_id)]

    async def on_open(self) -> None:
        self._moved = asyncio.Event()
        self._freshened_at = 0.0
        self._language = language_of(self.scope)
        await self._send_state()
        if self._manages:
            self.spawn(self._follow_feed())

    async def on_event(self, event: Event) -> None:
        if isinstance(event, BuildProgress):
            with translation.override(self._language):
                text = in_words(event.text)
            await self.send_json({"type": "build", "text": text, "fraction": event.fraction})
        elif isinstance(event, DeploymentChanged):
            await self._send_state()
            await self.send_json({"type": "tools"})
            self._moved.set()

    async def _send_state(self) -> None:
        row = await Deployment.objects.filter(pk=self.deployment_id).values("state", "reason").afirst()
        if row is not None:
            await self.send_json({"type": "state", **row})

    # --- the feed at the runner

    async def _follow_feed(self) -> None:
        """Follows the feed wherever the deployment is placed, over one connection of this page's own."""
        opened_at = time.time()
        async with runner_links() as pool:
            while True:
                self._moved.clear()
                address = await _address_of(self.deployment_id)
                if address:
                    try:
                        link = await pool.link(address)
                        feed = link.attach(f"feed:{self.deployment_id}", owner=FEED_OWNER, mode=frames.Mode.OBSERVE)
                        await self._relay(feed, address, opened_at)
                    except (RunnerUnavailableError, DetachedError):
                        pass
                    # What was printed up to now is on the page; a feed starts with what its runner still has of it.
                    opened_at = time.time()
                await self._wait_for_move()

    async def _wait_for_move(self) -> None:
        try:
            async with asyncio.timeout(RETRY_SECONDS):
                await self._moved.wait()
        except TimeoutError:
            return

    async def _relay(self, feed: Attachment, address: str, since: float) -> None:
        """Until the feed ends, or the deployment is placed elsewhere, or the page's owner isn't one any more."""
        try:
            while self._manages:
                await feed.wait(RETRY_SECONDS)
                if feed.ended is not None:
                    raise feed.ended
                await self._relay_batch(feed, since)
                if self._moved.is_set():
                    self._moved.clear()
                    if await _address_of(self.deployment_id) != address:
                        return
        finally:
            feed.close()

    async def _relay_batch(self, feed: Attachment, since: float) -> None:
        lines: list[dict[str, Any]] = []
        is_changed = False
        reader = Reader(str(self.scope["user"].pk), self._manages)
        while (event := feed.next_now()) is not None and len(lines) < BATCH_LINES:
            if event.kind is frames.Kind.OUTPUT:
                seen = _decode_line(event.data)
                if seen.at >= since and reader.may_read(seen):
                    line = line_of(seen)
                    lines.append(
                        {"at": line.at.isoformat(), "instance": line.instance, "stream": line.stream, "line": line.line}
                    )
            elif event.kind is frames.Kind.INSTANCE:
                is_changed = True
        if lines:
            await self.send_json({"type": "output", "lines": lines})
        if is_changed:
            await self._freshen()
        if lines or is_changed:
            await asyncio.sleep(BATCH_SECONDS)

    async def _freshen(self) -> None:
        """An instance changed: have the records written now, not with the next round. The page hears by its event."""
        if time.monotonic() - self._freshened_at > FRESHEN_SECONDS:
            self._freshened_at = time.monotonic()
            await database_sync_to_async(queue.reconcile)()


def _accesses(asked: Collection[tuple[SignedIn, UUID]]) -> dict[tuple[SignedIn, UUID], tuple[bool, bool]]:
    """May see it, and may manage it; both false once the user is switched off or has signed out."""
    signed_in = still_signed_in({who for who, _ in asked})
    found = Deployment.objects.select_related("owner").in_bulk({deployment_id for _, deployment_id in asked})
    told = dict.fromkeys(asked, (False, False))
    for who, deployment_id in asked:
        if who in signed_in and (deployment := found.get(deployment_id)) is not None:
            actor = person(who[0])
            told[who, deployment_id] = may_see(actor, deployment), may_manage(actor, deployment)
    return told


_access = Batched(_accesses)


@database_sync_to_async  # type: ignore[untyped-decorator]  # channels has no types
def _address_of(deployment_id: UUID) -> str:
    try:
        return route_by_id(deployment_id).runner_address
    except NotFound:
        return ""


urlpatterns = [path("ws/deployments/<uuid:deployment_id>/", DeploymentConsumer.as_asgi())]
