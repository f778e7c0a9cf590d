"""/api/tasks/{id}/events: a task as server-sent events, while it lasts. Plain ASGI: a stream here holds no thread.

Open for the task's own user, by an API token with tasks:read or by the session of a signed-in browser. A reader that
comes back with Last-Event-ID gets what it has not seen; one that has seen the end is told by 204 not to come again.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from http.cookies import CookieError, SimpleCookie
from importlib import import_module
from typing import Any, Final
from uuid import UUID

import msgspec
import structlog
from channels.db import database_sync_to_async
from django.conf import settings
from django.contrib.auth import get_user
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest

from accounts.models import User
from common import clock
from common.errors import NotFound, Unavailable
from events.actors import person
from hosting.models import Task
from hosting.tasks import selectors
from hosting.tasks.feed_events import KEEP_ALIVE, MAX_RESULT, RETRY, LineSeen, Reader, TaskSeen
from hosting.tasks.pace import pace_of
from hosting.tasks.states import Outcome
from hosting.tasks.watching import Watches
from oauth.api_tokens import api_token_find

log = structlog.get_logger(__name__)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

PATH: Final = re.compile(r"/api/tasks/([^/]{1,200})/events")
SCOPE: Final = "tasks:read"
CALM_SECONDS: Final = 0.1  # what changes together is read together
KEEP_ALIVE_SECONDS: Final = 15.0  # and so often whoever reads is asked again whether they may
MOST_STREAMS: Final = 64  # of one user in one process
LINES_AT_ONCE: Final = 200


class _Refusal(Exception):
    """Why somebody may not read, as a problem document says it."""

    def __init__(self, status: int, code: str, words: str) -> None:
        super().__init__(words)
        self.status, self.code, self.words = status, code, words


class Feed:
    """The streams of one process."""

    def __init__(self) -> None:
        self._watches = Watches()
        self._open: Counter[UUID] = Counter()
        self._draining = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = PATH.fullmatch(scope["path"])
        assert found is not None
        fields = {name.lower(): value for name, value in scope["headers"]}
        try:
            if scope["method"] != "GET":
                raise _Refusal(405, "method_not_allowed", "This is read with GET.")
            user_id: UUID = await _reader_of(fields)
            task, lines = await _read(user_id, found[1], "")
            if self._open[user_id] >= MOST_STREAMS:
                raise _Refusal(429, "too_many_streams", f"You follow {MOST_STREAMS} tasks already. Close some of them.")
        except _Refusal as refusal:
            await _refuse(send, refusal)
            return
        except (DatabaseError, InterfaceError):
            log.warning("task_feed_unavailable", exc_info=True)
            await _refuse(send, _Refusal(503, "unavailable", "The database does not answer. Try again shortly."))
            return
        reader = Reader(fields.get(b"last-event-id", b"").decode("latin-1"))
        if reader.has_all(task):
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body"})
            return
        self._open[user_id] += 1
        try:
            await self._stream(found[1], user_id, fields, reader, receive, send)
        finally:
            self._open[user_id] -= 1

    async def _stream(
        self,
        task_id: str,
        user_id: UUID,
        fields: dict[bytes, bytes],
        reader: Reader,
        receive: Receive,
        send: Send,
    ) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        await _write(send, [RETRY])
        gone = asyncio.create_task(_until_gone(receive))
        draining = asyncio.create_task(self._draining.wait())
        try:
            async with self._watches.of(task_id) as changed:
                following = asyncio.create_task(self._follow(task_id, user_id, fields, reader, changed, send))
                try:
                    await asyncio.wait({gone, draining, following}, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    following.cancel()
                    with suppress(asyncio.CancelledError, _Refusal, DatabaseError, InterfaceError, OSError):
                        await following
        finally:
            gone.cancel()
            draining.cancel()
        await send({"type": "http.response.body"})

    async def _follow(
        self,
        task_id: str,
        user_id: UUID,
        fields: dict[bytes, bytes],
        reader: Reader,
        changed: asyncio.Event,
        send: Send,
    ) -> None:
        """Until the task's end. Raises _Refusal when its reader may no longer read."""
        while True:
            changed.clear()
            if await self._tell(task_id, user_id, reader, send):
                return
            try:
                async with asyncio.timeout(KEEP_ALIVE_SECONDS):
                    await changed.wait()
            except TimeoutError:
                if await _reader_of(fields) != user_id:
                    return
                await _write(send, [KEEP_ALIVE])
            else:
                await asyncio.sleep(CALM_SECONDS)

    async def _tell(self, task_id: str, user_id: UUID, reader: Reader, send: Send) -> bool:
        """Sends what is news. True when it is over."""
        task: TaskSeen
        while True:
            task, lines = await _read(user_id, task_id, reader.position)
            if not lines:
                break
            await _write(send, reader.lines(lines))
        await _write(send, reader.record(task))
        return task.is_ended

    def drain(self) -> None:
        """This process stops: its streams end, and their readers come back to another one."""
        self._draining.set()

    async def stop(self) -> None:
        self.drain()
        await self._watches.stop()


_feed: Feed | None = None


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    global _feed
    if _feed is None:
        _feed = Feed()
    await _feed(scope, receive, send)


def drain() -> None:
    if _feed is not None:
        _feed.drain()


async def shutdown() -> None:
    global _feed
    feed, _feed = _feed, None
    if feed is not None:
        await feed.stop()


# --- who reads what


@database_sync_to_async  # type: ignore[untyped-decorator]  # channels has no types
def _reader_of(fields: dict[bytes, bytes]) -> UUID:
    """The user who asks. Raises _Refusal. A token that is wrong is refused, whatever cookies come with it."""
    scheme, _, value = fields.get(b"authorization", b"").decode("latin-1").partition(" ")
    if scheme.lower() == "bearer":
        token = api_token_find(value.strip())
        if token is None:
            raise _Refusal(401, "authentication_failed", "This token is unknown, has expired or was revoked.")
        if not token.covers(SCOPE):
            raise _Refusal(403, "insufficient_scope", f"This token lacks the scope {SCOPE}. Make one that has it.")
        return UUID(str(token.user_id))
    user = _user_of_session(fields.get(b"cookie", b"").decode("latin-1"))
    if user is None:
        raise _Refusal(401, "not_authenticated", "Send a token for the API, or sign in.")
    return UUID(str(user.pk))


def _user_of_session(cookies: str) -> User | None:
    jar = SimpleCookie()
    with suppress(CookieError):
        jar.load(cookies)
    morsel = jar.get(settings.SESSION_COOKIE_NAME)
    if morsel is None:
        return None
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(morsel.value)
    user = get_user(request)  # of a session of another password, or of one switched off: nobody
    return user if isinstance(user, User) and user.is_active else None


@database_sync_to_async  # type: ignore[untyped-decorator]
def _read(user_id: UUID, task_id: str, after: str) -> tuple[TaskSeen, list[LineSeen]]:
    """Raises _Refusal, for another's task as for none."""
    try:
        task = selectors.task_of_person(person(user_id), task_id)
    except NotFound as error:
        raise _Refusal(404, error.code, error.message) from error
    rows = selectors.lines_after(task.id, after, LINES_AT_ONCE)
    lines = [LineSeen(selectors.position_of(row), row.at, row.level, row.text) for row in rows]
    try:
        return _seen(task), lines
    except Unavailable as error:
        raise _Refusal(503, error.code, error.message) from error


def _seen(task: Task) -> TaskSeen:
    pace = pace_of(task.samples, task.progress, clock.now().timestamp())
    has_body = task.is_ended and 0 < task.result_bytes <= MAX_RESULT
    return TaskSeen(
        stamp=str(int(task.updated_at.timestamp() * 1_000_000)),
        state=task.state,
        outcome=task.outcome,
        reason=task.reason,
        attempts=task.attempts,
        progress=task.progress,
        questions=task.questions,
        answered=task.answered,
        fraction=pace.fraction,
        left_seconds=pace.left_seconds,
        is_ended=task.is_ended,
        body=selectors.result_of(task) if has_body else b"",
        body_bytes=task.result_bytes,
        is_error=task.outcome == Outcome.ERROR,
    )


# --- the wire

_HEADERS: Final = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-cache, no-store, no-transform"),
    (b"x-accel-buffering", b"no"),
    (b"x-content-type-options", b"nosniff"),
]


async def _write(send: Send, frames: list[bytes]) -> None:
    if frames:
        await send({"type": "http.response.body", "body": b"".join(frames), "more_body": True})


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _refuse(send: Send, refusal: _Refusal) -> None:
    """A problem document (RFC 9457), as the rest of the API gives it."""
    problem = {"type": f"{settings.SLIPWAY_URL}/api/docs#problem-{refusal.code}", "status": refusal.status}
    body = msgspec.json.encode({**problem, "code": refusal.code, "detail": refusal.words})
    headers = [(b"content-type", b"application/problem+json"), (b"content-length", b"%d" % len(body))]
    if refusal.status == 401:
        headers.append((b"www-authenticate", b'Bearer realm="Slipway API"'))
    if refusal.status == 405:
        headers.append((b"allow", b"GET"))
    if refusal.status in (429, 503):
        headers.append((b"retry-after", b"5"))
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
