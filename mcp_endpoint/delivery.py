"""From a log's events to one HTTP answer: plain JSON when the outcome comes at once, an event stream otherwise.

Knows nothing of eras: a `View` says what each event is to its client.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

from hosting.runner.frames import TERMINAL, Event, Kind, Reason
from hosting.stream.stream import DetachedError
from mcp_endpoint.admission.limits import KEEP_ALIVE_SECONDS, START_SECONDS
from mcp_endpoint.sources import Source
from mcp_endpoint.streams import DRAINED, GONE, RESTED, Stream, Streams
from mcp_endpoint.wire import sse
from mcp_endpoint.wire.answer import Answer
from mcp_endpoint.wire.errors import write_report


class View(Protocol):
    """How one client sees one log."""

    is_stream: bool  # answers as a stream whatever comes
    shows_status: bool  # wants to be told how a start goes
    comes_back: bool  # its client can go on elsewhere when the stream ends early
    polls: bool  # its client knows that streams may be closed in between

    def message(self, event: Event) -> bytes | None:
        """The JSON-RPC message for `event`, None when the client is told nothing."""

    def event_id(self, event: Event) -> str:
        """The id of the server-sent event, "" where streams can't be resumed."""

    def priming(self) -> bytes:
        """What a stream begins with."""

    def pause(self) -> bytes:
        """What a stream ends with whose client is to come back for the rest."""

    def status(self, event: Event) -> int:
        """The HTTP status when the outcome `event` is answered as plain JSON."""

    def last_words(self, reason: str, detail: str, ended_by: str) -> bytes | None:
        """The message to end a started stream with when its log goes away."""


class Delivery:
    """One answer being written."""

    def __init__(self, answer: Answer, source: Source, view: View, stream: Stream) -> None:
        self._answer = answer
        self._source = source
        self._view = view
        self._stream = stream

    async def run(self, streams: Streams, first: Event | None) -> None:
        """Write the answer. `first` is what came within the time for plain JSON, None when nothing did.

        Raises DetachedError (and what opening raises) as long as nothing has been written.
        """
        watcher = None
        try:
            streams.add(self._stream)
            watcher = asyncio.get_running_loop().create_task(self._watch())
            event = first
            if event is not None and event.kind is Kind.STATUS:
                self._answer.was_cold = True
                if not self._view.shows_status:
                    event = await while_starting(self._source)
            if event is not None and event.kind in TERMINAL and not self._view.is_stream:
                message = self._view.message(event)
                if message is not None:
                    await self._answer.json(self._view.status(event), message)
                    return
            await self._answer.start_stream()
            await self._write(event)
        except DetachedError:
            if self._stream.ended_by in (DRAINED, RESTED):  # a stream says best what now follows
                await self._answer.start_stream()
                await self._write(None)
            elif self._stream.ended_by != GONE:
                raise
        finally:
            if watcher is not None:
                watcher.cancel()
            streams.remove(self._stream)
            self._source.close(gone=True)

    async def _watch(self) -> None:
        while (await self._answer.receive())["type"] != "http.disconnect":
            pass
        self._stream.end(GONE)

    async def _write(self, event: Event | None) -> None:
        """The stream, from `event` on to its outcome or its end."""
        chunk = self._view.priming()
        try:
            while True:
                more, is_over = self._available(event)
                chunk += more
                if is_over:
                    break
                if chunk:
                    await self._answer.write(chunk)
                    chunk = b""
                event = await self._source.get(KEEP_ALIVE_SECONDS)
                if event is None:
                    chunk = sse.COMMENT
        except DetachedError as error:
            if self._stream.ended_by == GONE:
                return
            chunk += self._last_words(error)
        await self._answer.finish(chunk)

    def _available(self, event: Event | None) -> tuple[bytes, bool]:
        """Frames for `event` and all that is here already, and whether the outcome is among them."""
        frames: list[bytes] = []
        while event is not None:
            message = self._view.message(event)
            if message is not None:
                frames.append(sse.event(message, self._view.event_id(event)))
            if event.kind in TERMINAL:
                self._answer.body = message
                return b"".join(frames), True
            if event.kind is Kind.STATUS:
                self._answer.was_cold = True
            event = self._source.get_now()
        return b"".join(frames), False

    def _last_words(self, error: DetachedError) -> bytes:
        if error.reason == Reason.SUPERSEDED and not self._stream.ended_by:
            return b""
        if self._stream.ended_by == RESTED:
            return self._view.pause()
        message = self._view.last_words(error.reason, error.detail, self._stream.ended_by)
        if message is None:
            return b""
        if not self._stream.ended_by:
            write_report(self._answer, 200, f"{error.reason}: {error.detail}" if error.detail else error.reason)
        self._answer.body = message
        return sse.event(message)


async def while_starting(source: Source) -> Event | None:
    """The first event that is not about the start of an instance; None when the start takes long."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + START_SECONDS
    while (left := deadline - loop.time()) > 0:
        event = await source.get(left)
        if event is None or event.kind is not Kind.STATUS:
            return event
    return None
