"""JSON-RPC batches, which only protocol version 2025-03-26 had (basic/transports, "Sending Messages to the Server").

All requests run at once. A JSON array is the answer when every outcome comes at once and nothing precedes it, otherwise
one stream carries what belongs to any of them; each event's id names its own request, so each can be resumed.
"""

from __future__ import annotations

import asyncio

from hosting.runner.frames import TERMINAL
from hosting.stream.stream import DetachedError
from mcp_endpoint.admission.limits import JSON_SECONDS, KEEP_ALIVE_SECONDS
from mcp_endpoint.context import Context
from mcp_endpoint.legacy.calls import open_call, tell, view_of
from mcp_endpoint.legacy.messages import Call, LegacyPost
from mcp_endpoint.legacy.sessions import found, link_of
from mcp_endpoint.legacy.views import CallView
from mcp_endpoint.sources import Opened
from mcp_endpoint.streams import GONE, Stream
from mcp_endpoint.tools.tool_policy import tool_refusal
from mcp_endpoint.wire import jsonrpc as j
from mcp_endpoint.wire import sse
from mcp_endpoint.wire.errors import failure_of, report
from mcp_endpoint.wire.rejection import refuse
from mcp_endpoint.wire.revisions import BATCHES

_FOREVER = 3600.0


async def post(context: Context, inbound: LegacyPost) -> None:
    session = found(context)
    if session.revision not in BATCHES:
        refuse(j.INVALID_REQUEST, f"Batches do not exist in protocol version {session.revision}")
    link = await link_of(context, session)
    calls: list[tuple[CallView, Opened]] = []
    refused: dict[bytes, bytes] = {}
    for message in inbound.messages:
        if isinstance(message, Call):
            refusal = tool_refusal(context.route, message)
            if refusal is not None:
                refused[message.id] = j.failure(message.id, refusal.code, refusal.message)
                continue
            calls.append((view_of(context, message, session.revision), open_call(context, link, session, message)))
        else:
            await tell(link, context.owner, session, message)
    if calls or refused:
        await _Batch(context, calls, refused).run()
    else:
        await context.answer.empty(202)


class _Batch:
    """The merged answer of several exchanges."""

    def __init__(self, context: Context, calls: list[tuple[CallView, Opened]], refused: dict[bytes, bytes]) -> None:
        self._context = context
        self._calls = calls
        self._frames: asyncio.Queue[tuple[bytes, str, bool]] = asyncio.Queue()
        self._open = len(calls) + len(refused)
        self._parts = refused  # responses by request id; the others come to these
        for message in refused.values():
            self._frames.put_nowait((message, "", True))
        self._stream = Stream(_All([source for _, source in calls]), context.principal, context.key)

    async def run(self) -> None:
        streams = self._context.services.streams
        self._context.answer.parts = self._parts
        streams.add(self._stream)
        tasks = [asyncio.create_task(self._pump(view, source)) for view, source in self._calls]
        tasks.append(asyncio.create_task(self._watch()))
        try:
            await self._answer()
        finally:
            for task in tasks:
                task.cancel()
            streams.remove(self._stream)
            self._stream.source.close(gone=True)

    async def _pump(self, view: CallView, source: Opened) -> None:
        """Move one exchange's messages into the queue, its last one marked."""
        try:
            while True:
                event = await source.get(_FOREVER)
                if event is None:
                    continue
                is_last = event.kind in TERMINAL
                message = view.message(event) or b""
                self._frames.put_nowait((message, view.event_id(event), is_last))
                if is_last:
                    self._parts[view.request_id] = message
                    return
        except DetachedError as error:
            message = self._parts[view.request_id] = view.last_words(error.reason, error.detail, "") or b""
            self._frames.put_nowait((message, "", True))
        except Exception as error:
            failure = failure_of(error)
            report(self._context.answer, failure, error)
            message = j.failure(view.request_id, failure.code, failure.message, failure.data)
            self._parts[view.request_id] = message
            self._frames.put_nowait((message, "", True))

    async def _watch(self) -> None:
        while (await self._context.answer.receive())["type"] != "http.disconnect":
            pass
        self._stream.end(GONE)

    async def _answer(self) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + JSON_SECONDS
        ready: list[tuple[bytes, str, bool]] = []
        is_plain = True
        while is_plain and self._open:
            try:
                async with asyncio.timeout_at(deadline):
                    frame = await self._frames.get()
            except TimeoutError:
                is_plain = False
                break
            ready.append(frame)
            self._open -= frame[2]
            is_plain = frame[2]
        answer = self._context.answer
        if is_plain:
            await answer.json(200, b"[%b]" % b",".join(message for message, _, _ in ready if message))
            return
        await answer.start_stream()
        await answer.write(self._calls[0][0].priming())
        for frame in ready:
            await self._write(frame)
        while self._open:
            try:
                async with asyncio.timeout(KEEP_ALIVE_SECONDS):
                    frame = await self._frames.get()
            except TimeoutError:
                await answer.write(sse.COMMENT)
                continue
            self._open -= frame[2]
            await self._write(frame)
        await answer.finish()

    async def _write(self, frame: tuple[bytes, str, bool]) -> None:
        message, event_id, _ = frame
        if message:
            await self._context.answer.write(sse.event(message, event_id))


class _All:
    """Several sources that are let go of together."""

    def __init__(self, sources: list[Opened]) -> None:
        self._sources = sources

    def close(self, *, gone: bool) -> None:
        for source in self._sources:
            source.close(gone=gone)
