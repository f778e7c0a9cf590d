"""A server that runs elsewhere, in the place of a child: lines in, messages out, and an end with a reason.

Streamable HTTP of either era, and the older HTTP+SSE (2024-11-05) where a remote speaks nothing else. Which era is
spoken follows from what the probe asks first. What goes wrong with one request is that request's error; the connection
ends when the remote can't be reached at its start, asks for sign-in, or has ended the session. Nothing is sent twice.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine
from typing import Any, Final

import msgspec

from hosting.runner.listening import LISTEN
from hosting.runner.placement import Limits, Remote
from hosting.runner.remote.channel import Channel
from hosting.runner.remote.door import Door
from hosting.runner.remote.far import Far
from hosting.runner.remote.handed import RemoteState, not_again
from hosting.runner.remote.http import Http
from hosting.runner.remote.notices import Notices
from hosting.runner.remote.older import ENDPOINT_SECONDS, Older
from hosting.runner.remote.outgoing import CANCELLED, INITIALIZED, Outgoing, cancelled_number, decode_outgoing
from hosting.runner.remote.post import Post
from hosting.runner.remote.posts import Posts, ends_connection
from hosting.runner.remote.trouble import Cause, TroubleError
from hosting.runner.remote.wire import ANY, Wire
from hosting.runner.runtimes.base import Exit
from hosting.runner.seen import SignInAsked
from hosting.runner.upstream import messages as m

log = logging.getLogger(__name__)

PARTING_SECONDS: Final = 2.0
CHANNEL_SECONDS: Final = 0.5  # some servers begin to answer with their first event only
_OLDER_AFTER = (400, 404, 405)


class RemoteConnection:
    """Made for one instance. `take` is given each message and the number of the request that it belongs to, or 0;
    `asked` is told when the remote wants somebody to sign in."""

    def __init__(
        self,
        remote: Remote,
        limits: Limits,
        door: Door,
        *,
        seconds: float,
        take: Callable[[m.Message, int], None],
        note: Callable[[str], None],
        asked: Callable[[SignInAsked], None],
    ) -> None:
        self._asked = asked
        self.process = Far()
        connections = 2 * limits.in_flight + 8 if limits.in_flight else 1024
        http = Http(remote.url, remote.headers, door, connections=connections, credentials_page=remote.credentials_page)
        http.use_bearer(remote.bearer, remote.serial)
        self._wire = Wire(http, limits.message_bytes, seconds, take=take, note=note, end=self._end)
        self._transport = remote.transport
        self._posts = Posts(self._failed)
        self._tasks: set[asyncio.Task[None]] = set()
        self._notices = Notices(self._wire, self._told)
        self._initialized = asyncio.Event()
        self._channel: Channel | None = None
        self._older: Older | None = None
        self._is_closing = False

    @property
    def host(self) -> str:
        return self._wire.host

    def use_bearer(self, bearer: str, serial: int) -> None:
        """Of every request from now on."""
        self._wire.http.use_bearer(bearer, serial)

    # --- what an instance asks of a child

    def write(self, line: bytes) -> None:
        """Send a message of ours; what comes of it is told by `take`."""
        if self._is_closing or self.process.poll() is not None:
            return
        body = line.rstrip(b"\n")
        outgoing = decode_outgoing(body)
        if outgoing.method == CANCELLED:
            self._cancelled(outgoing, body)
        elif outgoing.number:
            self._request(outgoing, body)
        elif outgoing.method:
            self._notify(outgoing, body)
        else:
            self._spawn(self._notices.tell(outgoing, body))

    def drain(self) -> None:
        """All that came was passed on when it came."""

    async def stop(self, grace_seconds: float) -> Exit:
        """End the session, within the grace, and close every connection. Repeatable."""
        if not self._is_closing:
            self._is_closing = True
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, *self._posts.cancel_all(), return_exceptions=True)
            if self._wire.session:
                await self._end_session(min(grace_seconds, PARTING_SECONDS))
            await self._wire.http.close()
            self.process.end(Exit(0, 0, "the connection was closed"))
        return await self.process.wait()

    def close(self) -> None:
        """Nothing is left after `stop`."""

    # --- over a restart of the runner in place: connections can't be inherited, but sessions and streams taken up

    def pause(self) -> None:
        """What comes from now on is asked for again by event id, or lost with its connection."""

    def resume(self) -> None:
        """It was never paused."""

    @property
    def handed(self) -> RemoteState:
        wire, channel = self._wire, self._channel
        posts = self._posts.under_way()
        return RemoteState(
            era=wire.era,
            revision=wire.revision,
            session=wire.session,
            channel=channel.last_event_id if channel is not None else b"",
            streams={post.number: post.last_event_id for post in posts if post.method != LISTEN},
            listeners=[post.body for post in posts if post.method == LISTEN],
            unsent=self._notices.unsent,
            is_older=bool(wire.post_url),
        )

    def go_on(self, state: RemoteState) -> None:
        """Go on where another connection was handed over. What can't be taken up is answered with an error."""
        wire = self._wire
        wire.era, wire.revision, wire.session = state.era, state.revision, state.session
        if state.is_older:
            self._end(f"the runner was restarted, and {wire.host} has only one stream for everything")
            return
        if state.era == "legacy":
            self._initialized.set()
            self._channel = Channel(wire, state.channel)
            self._spawn(self._channel.run())
        for number, last_id in state.streams.items():
            post = Post(wire, Outgoing(number, "resumed"), b"")
            self._posts.start(post, post.resume(last_id) if last_id else not_again(wire.host))
        for body in [*state.listeners, *state.unsent]:
            self.write(body)

    # --- requests

    def _request(self, outgoing: Outgoing, body: bytes) -> None:
        if outgoing.method == "initialize":
            self._posts.cancel_all()  # a probe that was given up on
            self._wire.era = "legacy"
        elif not self._wire.era:
            self._wire.era = "modern"
        post = Post(self._wire, outgoing, body)
        self._posts.start(post, self._run(post, outgoing, body))

    async def _run(self, post: Post, outgoing: Outgoing, body: bytes) -> None:
        wire = self._wire
        if wire.era == "legacy" and post.method != "initialize":
            await self._initialized.wait()
        if wire.post_url:
            await self._notices.tell(outgoing, body)
            return
        if post.method == "initialize" and self._transport == "sse":
            await self._go_older(outgoing, body)
            return
        try:
            await post.run()
        except TroubleError as trouble:
            if post.method != "initialize" or trouble.status not in _OLDER_AFTER or self._transport:
                raise
            try:
                await self._go_older(outgoing, body)
            except TroubleError:
                raise trouble from None

    def _failed(self, post: Post, trouble: TroubleError) -> None:
        if trouble.sign_in is not None:
            self._asked(trouble.sign_in)
        if ends_connection(post.method, trouble):
            self._end(trouble.words)
            return
        error = m.error_body(m.INTERNAL_ERROR, trouble.words, {"reason": trouble.words})
        self._wire.take(m.Message(id=post.number, error=msgspec.Raw(error)), post.number)

    def _cancelled(self, outgoing: Outgoing, body: bytes) -> None:
        """Closing the stream is the stateless revisions' word for it; before, closing it meant nothing."""
        if self._wire.era == "legacy":
            self._notify(outgoing, body)
        self._posts.cancel(cancelled_number(bytes(outgoing.params)))

    # --- what has no answer

    def _notify(self, outgoing: Outgoing, body: bytes) -> None:
        """Notifications go one after the other, in their order."""
        if self._wire.era != "legacy":
            return  # the stateless revisions have none
        if self._notices.add(outgoing, body):
            self._spawn(self._notices.send_all())

    async def _told(self, method: str) -> None:
        if method == INITIALIZED and not self._initialized.is_set():
            if not self._wire.post_url:
                await self._open_channel()
            self._initialized.set()

    async def _open_channel(self) -> None:
        """Before the first request, so that nothing the remote says meanwhile is lost; but not for long."""
        channel = self._channel = Channel(self._wire)
        self._spawn(channel.run())
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(channel.answered.wait(), CHANNEL_SECONDS)

    def _spawn(self, running: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(self._followed(running))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _followed(self, running: Coroutine[Any, Any, None]) -> None:
        try:
            await running
        except TroubleError as trouble:
            if trouble.cause is Cause.SESSION:
                self._end(trouble.words)
                return
            if trouble.sign_in is not None:
                self._asked(trouble.sign_in)
            self._wire.note(trouble.words)
        except Exception:
            log.exception("a stream of a remote server failed", extra={"host": self.host})

    # --- the older transport

    async def _go_older(self, outgoing: Outgoing, body: bytes) -> None:
        """Raises TroubleError when the remote does not speak it either."""
        older = self._older = Older(self._wire)
        stream = asyncio.create_task(older.run())
        self._tasks.add(stream)
        stream.add_done_callback(self._older_ended)
        named = asyncio.create_task(older.ready.wait())
        try:
            await asyncio.wait({stream, named}, timeout=ENDPOINT_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            if not older.ready.is_set():
                if stream.done():
                    await stream
                raise TroubleError(Cause.CONTENT, f"{self.host} named no address to post to")
        finally:
            named.cancel()
            if not older.ready.is_set():
                stream.cancel()
        await self._notices.tell(outgoing, body)

    def _older_ended(self, stream: asyncio.Task[None]) -> None:
        self._tasks.discard(stream)
        if stream.cancelled():
            return
        error = stream.exception()
        if self._wire.post_url and error is not None:
            self._end(error.words if isinstance(error, TroubleError) else "the runner failed; its log has the details")

    # --- its end

    def _end(self, reason: str) -> None:
        self.process.end(Exit(1, 0, reason))

    async def _end_session(self, seconds: float) -> None:
        """2025-11-25 basic/transports, "Session Management": who needs it no more says so; a refusal is fine."""
        wire = self._wire
        with contextlib.suppress(TroubleError, TimeoutError):
            async with (
                asyncio.timeout(seconds),
                wire.http.ask("DELETE", wire.fields(ANY, has_body=False), seconds=seconds),
            ):
                pass
