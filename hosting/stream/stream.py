"""The site's side of the stream to a runner: one connection a runner and process, many attachments on it.

Used by the web process (plain ASGI and Channels) and by Celery jobs; it imports nothing of Django.

    pool = RunnerPool("web-1")
    link = await pool.link("unix:/run/…/r1.sock")
    attachment = link.open(deployment=…, epoch=…, owner=…, method="tools/call", params=b"{…}", revision="2025-11-25",
                           end=EndRule.SESSION)
    event = await attachment.next()
    attachment.close()
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from hosting.runner.transport import Identity
from hosting.stream.asking import RefusedError, RunnerUnavailableError
from hosting.stream.attachment import Attachment, DetachedError
from hosting.stream.link import RunnerLink

__all__ = ["Attachment", "DetachedError", "RefusedError", "RunnerLink", "RunnerPool", "RunnerUnavailableError"]


class RunnerPool:
    """The links of one process, made when first wanted and again after a break."""

    def __init__(self, process: str, identity: Callable[[], Identity | None] = lambda: None) -> None:
        """`identity` is asked when a runner on another host is connected to: certificates may be issued later."""
        self._process = process
        self._identity = identity
        self._links: dict[str, RunnerLink] = {}
        self._connecting: dict[str, asyncio.Lock] = {}

    def link_now(self, address: str) -> RunnerLink | None:
        """The link if it is open already; the hot path's way around an await."""
        link = self._links.get(address)
        return link if link is not None and link.is_open else None

    async def link(self, address: str) -> RunnerLink:
        """The open link to `address`. Raises RunnerUnavailableError."""
        link = self.link_now(address)
        if link is not None:
            return link
        async with self._connecting.setdefault(address, asyncio.Lock()):
            link = self.link_now(address)
            if link is None:
                link = RunnerLink(self._process)
                await link.connect(address, self._identity() if address.startswith("tls:") else None)
                self._links[address] = link
            return link

    async def close(self) -> None:
        for link in self._links.values():
            link.close()
        self._links.clear()
