"""Routes and revocations as the endpoint sees them: cached, refreshed in the background, stale rather than absent.

Imports nothing of Django: what it asks is a `Backend`, whose methods block and are called in a small thread pool. A
route is good for `FRESH_SECONDS`; up to `STALE_SECONDS` it is served while a newer one is fetched; for older ones the
newer one is waited for, unless the database does not answer, when the last known one is used.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

import structlog

from common.errors import AppError, Unavailable

if TYPE_CHECKING:
    from hosting.routing import Route
    from hosting.runner.placement import Placement
    from hosting.usage.calls import CallRow

log = structlog.get_logger(__name__)
T = TypeVar("T")

FRESH_SECONDS: Final = 0.5
STALE_SECONDS: Final = 1.5
ANSWER_SECONDS: Final = 3.0
REVOCATION_SECONDS: Final = 0.5
_CACHE_SIZE: Final = 10_000
THREADS: Final = 4

Key = tuple[str, str]


class Backend(Protocol):
    """Blocking look-ups, but for `why_not`. Raises common.errors.Unavailable when the database does not answer."""

    def route_for(self, owner: str, name: str) -> Route | None: ...
    def placement_ensure(self, deployment_id: str, exclude_address: str) -> Route: ...
    def placement_for(self, deployment_id: str) -> tuple[str, Placement]: ...
    def why_not(self, route: Route) -> AppError: ...
    def tools_of(self, version_id: str) -> bytes | None: ...
    def revoked_jtis(self) -> frozenset[str]: ...
    def anonymous_keys(self) -> frozenset[Key]: ...
    def calls_write(self, rows: list[CallRow]) -> None: ...
    def tools_seen(self, deployment_id: str, definitions: list[dict[str, Any]]) -> None: ...


class _Entry:
    """`at` is when `route` was read, `tried_at` when it was last asked for; `is_failing`: the last time in vain."""

    __slots__ = ("at", "is_failing", "refresh", "route", "tried_at")

    def __init__(self) -> None:
        self.at = self.tried_at = float("-inf")
        self.route: Route | None = None
        self.is_failing = False
        self.refresh: asyncio.Task[None] | None = None


class Directory:
    """The endpoint's view of what is hosted and who may use it."""

    def __init__(self, backend: Backend, threads: int = THREADS) -> None:
        self._backend = backend
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="mcp-lookup")
        self._entries: dict[Key, _Entry] = {}
        self._placing: dict[str, asyncio.Future[tuple[str, Placement]]] = {}
        self._revoked: frozenset[str] = frozenset()
        self._anonymous: frozenset[Key] = frozenset()
        self._revocations_known = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        self._spawn(self._follow_revocations())

    async def stop(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def in_thread(self, work: Callable[..., T], *arguments: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)

    # --- routes

    def peek(self, key: Key) -> tuple[bool, Route | None]:
        """(known, route) without waiting; asks for a newer one in the background where it is not fresh any more."""
        entry = self._entries.get(key)
        if entry is None:
            return False, None
        now = time.monotonic()
        if entry.refresh is None and now - entry.tried_at > FRESH_SECONDS:
            entry.tried_at = now
            entry.refresh = self._spawn(self._refresh(key, entry))
        return now - entry.at <= STALE_SECONDS or (entry.is_failing and entry.at > 0), entry.route

    async def route(self, key: Key) -> Route | None:
        """The route, None when there is no such deployment. Raises Unavailable when nothing is known of it."""
        known, route = self.peek(key)
        if known:
            return route
        entry = self._entries.get(key)
        if entry is None:
            if len(self._entries) >= _CACHE_SIZE:
                self._entries.pop(next(iter(self._entries)))
            entry = self._entries[key] = _Entry()
        if entry.refresh is None:
            entry.refresh = self._spawn(self._refresh(key, entry))
        _, late = await asyncio.wait({entry.refresh}, timeout=ANSWER_SECONDS)
        entry.is_failing |= bool(late)
        if entry.at < 0:
            raise Unavailable("lookup", "The site can't look up this server right now. Try again shortly.")
        return entry.route

    async def _refresh(self, key: Key, entry: _Entry) -> None:
        try:
            entry.route = await self.in_thread(self._backend.route_for, *key)
            entry.at = time.monotonic()
            entry.is_failing = False
        except Unavailable as error:
            entry.is_failing = True
            log.warning("a route could not be looked up", deployment="/".join(key), reason=str(error))
        except Exception:
            entry.is_failing = True
            log.exception("a route could not be looked up", deployment="/".join(key))
        finally:
            entry.refresh = None

    def why_not(self, route: Route) -> AppError:
        """Why a route that is not callable is not, in words for the caller."""
        return self._backend.why_not(route)

    # --- placements

    async def ensure_placed(self, deployment_id: str, exclude_address: str = "") -> Route:
        """A route with a runner; other than the one at `exclude_address`, where that one does not answer."""
        return await self.in_thread(self._backend.placement_ensure, deployment_id, exclude_address)

    async def placement(self, deployment_id: str) -> tuple[str, Placement]:
        """(runner address, what to place there); asked once for all calls that wait for it."""
        waiting = self._placing.get(deployment_id)
        if waiting is None:
            waiting = asyncio.ensure_future(self.in_thread(self._backend.placement_for, deployment_id))
            self._placing[deployment_id] = waiting
            waiting.add_done_callback(lambda _: self._placing.pop(deployment_id, None))
        return await asyncio.shield(waiting)

    # --- tools

    async def tools(self, version_id: str) -> bytes | None:
        """The version's tools as a raw JSON array; None while it was not asked for them. Raises TimeoutError."""
        async with asyncio.timeout(ANSWER_SECONDS):
            return await self.in_thread(self._backend.tools_of, version_id)

    async def tools_seen(self, deployment_id: str, definitions: list[dict[str, Any]]) -> None:
        """Tools that went by and that nobody approved. Raises Unavailable."""
        await self.in_thread(self._backend.tools_seen, deployment_id, definitions)

    # --- records

    async def calls_write(self, rows: list[CallRow]) -> None:
        """Raises Unavailable."""
        await self.in_thread(self._backend.calls_write, rows)

    # --- revocations

    def is_revoked(self, jti: str) -> bool:
        return jti in self._revoked

    def is_anonymous(self, key: Key) -> bool:
        """Whether anybody may call it. Known of all, so that a request without a token asks no database."""
        return key in self._anonymous

    @property
    def is_ready(self) -> bool:
        """Whether revocations have been read; until then no token may be trusted."""
        return self._revocations_known.is_set()

    async def revocations_known(self) -> None:
        """Returns once `is_ready`. Raises Unavailable."""
        try:
            await asyncio.wait_for(self._revocations_known.wait(), ANSWER_SECONDS)
        except TimeoutError:
            raise Unavailable("lookup", "The site can't check tokens right now. Try again shortly.") from None

    def _read_access(self) -> tuple[frozenset[str], frozenset[Key]]:
        return self._backend.revoked_jtis(), self._backend.anonymous_keys()

    async def _follow_revocations(self) -> None:
        """Tokens live for a day at most, so the unexpired revoked ones are few and are read as a whole; so are the
        deployments that anybody may call."""
        while True:
            try:
                self._revoked, self._anonymous = await self.in_thread(self._read_access)
                self._revocations_known.set()
            except Unavailable as error:
                log.warning("revoked tokens could not be read", reason=str(error))
            except Exception:
                log.exception("revoked tokens could not be read")
            await asyncio.sleep(REVOCATION_SECONDS)
