"""The HTTP+SSE transport of 2024-11-05: one stream for all that the remote says, and an address to post to.

Source: 2024-11-05 basic/transports; tried where a POST of `initialize` is refused (2026-07-28
basic/transports/streamable-http, "Backward Compatibility").
"""

from __future__ import annotations

import asyncio
from urllib.parse import urljoin, urlsplit

from hosting.runner.remote.events import EventReader, TooLargeError
from hosting.runner.remote.http import ERROR_BYTES, STREAM, Answer, too_large
from hosting.runner.remote.trouble import Cause, TroubleError
from hosting.runner.remote.wire import Wire

ENDPOINT_SECONDS = 10.0


class Older:
    """`ready` is set once the remote has named its address; `run` ends with the stream, which ends the instance."""

    def __init__(self, wire: Wire) -> None:
        self.ready = asyncio.Event()
        self._wire = wire

    async def run(self) -> None:
        """Raises TroubleError, always: a stream of this transport can't be taken up again."""
        wire = self._wire
        fields = wire.fields(STREAM, has_body=False)
        async with wire.http.ask("GET", fields, seconds=None) as answer:
            if not answer.is_stream:
                raise answer.trouble(await answer.read(ERROR_BYTES))
            await self._follow(answer)
        raise TroubleError(Cause.BROKEN, f"{wire.host} closed its event stream")

    async def _follow(self, answer: Answer) -> None:
        wire, reader = self._wire, EventReader(self._wire.limit)
        try:
            while chunk := await answer.chunk():
                for event in reader.feed(chunk):
                    if event.name == b"endpoint":
                        wire.post_url = self._address(event.data)
                        self.ready.set()
                    elif wire.post_url:
                        for message in wire.messages(event):
                            wire.take(message, 0)
        except TooLargeError:
            raise too_large(wire.host, wire.limit) from None

    def _address(self, data: bytes) -> str:
        """Within the same origin: an answer must not be able to send our headers anywhere else."""
        wire = self._wire
        address = urljoin(wire.http.url, data.decode("utf-8", "replace").strip())
        ours, theirs = urlsplit(wire.http.url), urlsplit(address)
        if (ours.scheme, ours.netloc) != (theirs.scheme, theirs.netloc) or not address.isascii():
            raise TroubleError(Cause.CONTENT, f"{wire.host} named an address elsewhere to post to")
        return address
