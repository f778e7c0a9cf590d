"""Holding a call while its user is at the page: it goes on in the same request when the page is done.

One request that waits is one event of its process and no thread; what has ended is told by one message to all processes
(`hosting.tasks.watching`). It counts as one of its principal's streams, so it ends when the process stops, and when its
token is revoked or its client goes away.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING

from mcp_endpoint.streams import GONE, Stream
from mcp_endpoint.wire import jsonrpc as j
from mcp_endpoint.wire.rejection import refuse

if TYPE_CHECKING:
    from mcp_endpoint.context import Context
    from mcp_endpoint.personal.persons import Page


class GoneError(Exception):
    """The client went away while its call was held: there is nobody to answer."""


class _Held:
    """What a held call is as a stream."""

    def __init__(self, news: asyncio.Event) -> None:
        self._news = news

    def close(self, *, gone: bool) -> None:
        self._news.set()


async def held(context: Context, page_id: str, request_id: bytes) -> Page:
    """How the page stands once it has ended, or after the site's time for that, or when this process is to stop.

    Raises GoneError, RefusedError for who may not call any more, Unavailable, and AppError for too many open streams.
    """
    services = context.services
    async with services.tasks.changes(page_id) as news:
        stream = Stream(_Held(news), context.principal, context.key)
        services.streams.add(stream)
        watcher = asyncio.get_running_loop().create_task(_watch(context, stream))
        try:
            page = await _page(context, page_id)  # read after having begun to listen: nothing is missed
            if page.is_open and services.hold_seconds and not stream.ended_by:
                with suppress(TimeoutError):
                    async with asyncio.timeout(services.hold_seconds):
                        await news.wait()
                page = await _page(context, page_id)
        finally:
            watcher.cancel()
            services.streams.remove(stream)
    if stream.ended_by == GONE:
        raise GoneError
    if not services.streams.may_use(stream):
        words = "The access with which this call began has ended: sign in again"
        refuse(j.INVALID_REQUEST, words, request_id, status=HTTPStatus.UNAUTHORIZED)
    return page


async def _page(context: Context, page_id: str) -> Page:
    services = context.services
    found: Page = await services.runners.in_thread(services.persons.page, page_id, context.subject)
    return found


async def _watch(context: Context, stream: Stream) -> None:
    while (await context.answer.receive())["type"] != "http.disconnect":
        pass
    stream.end(GONE)
