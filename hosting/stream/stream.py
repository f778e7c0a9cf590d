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
from functools import partial

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
        self._connecting: dict[str, asyncio.Future[RunnerLink]] = {}
        self.is_closed = False

    def link_now(self, address: str) -> RunnerLink | None:
        """The link if it is open already; the hot path's way around an await."""
        link = self._links.get(address)
        return link if link is not None and link.is_open else None

    async def link(self, address: str) -> RunnerLink:
        """The open link to `address`; all who want it at once share one attempt. Raises RunnerUnavailableError."""
        link = self.link_now(address)
        if link is not None:
            return link
        if self.is_closed:
            raise RunnerUnavailableError("this process is ending")
        connecting = self._connecting.get(address)
        if connecting is None:
            connecting = self._connecting[address] = asyncio.ensure_future(self._connect(address))
            connecting.add_done_callback(partial(self._connected, address))
        return await asyncio.shield(connecting)  # one who goes takes nobody else along

    async def _connect(self, address: str) -> RunnerLink:
        link = RunnerLink(self._process)
        await link.connect(address, self._identity() if address.startswith("tls:") else None)
        self._links[address] = link
        return link

    def _connected(self, address: str, done: asyncio.Future[RunnerLink]) -> None:
        del self._connecting[address]
        if not done.cancelled():
            done.exception()  # whoever waits is told; that nobody does any more is no error

    async def close(self) -> None:
        """No link is made any more."""
        self.is_closed = True
        for connecting in list(self._connecting.values()):
            connecting.cancel()
        for link in self._links.values():
            link.close()
        self._links.clear()
