"""The ASGI entry of the registry's API: `application` for /v0.1 and /v0. Cookies are never read here.

`config/asgi.py` calls `startup` and `shutdown` from the server's lifespan.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import structlog

from registry.api import bodies, parameters, paths, reads, status_pages, writes
from registry.api.cache import Body, Cache
from registry.api.database import Database
from registry.api.paths import BadEscape, Route
from registry.api.problems import Problem, bad, not_found

log = structlog.get_logger(__name__)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

JSON: Final = b"application/json"
WRITERS: Final = 8  # writes of one process that run at once; further ones wait
# For readers in any browser. Nothing here knows a cookie, so another site's page gets what anybody gets.
CORS: Final[Headers] = [
    (b"access-control-allow-origin", b"*"),
    (b"access-control-allow-methods", b"GET, POST, PUT, PATCH, DELETE, OPTIONS"),
    (b"access-control-allow-headers", b"Authorization, Content-Type, If-None-Match, *"),
    (b"access-control-expose-headers", b"ETag, Link, Retry-After"),
    (b"x-content-type-options", b"nosniff"),
]
_FRESH: Final = (b"cache-control", b"public, max-age=0, must-revalidate")
_NO_STORE: Final = (b"cache-control", b"no-store")


class Api:
    """One process's API between startup and shutdown."""

    def __init__(self) -> None:
        self._database = Database()
        self.cache = Cache()
        self._writers = ThreadPoolExecutor(WRITERS, thread_name_prefix="registry")

    async def start(self) -> None:
        await self._database.start()
        self.cache.start()

    async def stop(self) -> None:
        await self.cache.stop()
        await self._database.stop()
        self._writers.shutdown(wait=False, cancel_futures=True)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._answer(scope, receive, send)
        except Problem as problem:
            await refuse(scope, send, problem)
        except Exception:
            log.exception("registry_api_failed", path=scope["path"])
            await refuse(scope, send, Problem(500, "Something went wrong here. It has been written down."))

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        raw: bytes = scope.get("raw_path") or scope["path"].encode()
        query: bytes = scope["query_string"]
        check_no_nul(raw, query)
        method: str = scope["method"]
        if method == "OPTIONS":
            await answer(scope, send, 204, b"", [(b"access-control-max-age", b"86400")])
            return
        path = raw.decode("latin-1")
        if path.endswith("/"):
            await _redirect(scope, send, path, query)
            return
        try:
            route = paths.route(method, path)
        except BadEscape as error:
            raise bad(str(error)) from error
        if route is None:
            raise not_found("Endpoint not found. The operations are listed at /api/docs and begin with /v0.1 or /v0.")
        if route.operation in ("list", "versions", "entry"):
            await self._read(scope, send, route, parameters.query_of(query))
        elif (fixed := status_pages.BODIES.get(route.operation)) is not None:
            await answer(scope, send, 200, fixed(), [(b"content-type", JSON), _NO_STORE])
        else:
            await self._write(scope, receive, send, route)

    async def _write(self, scope: Scope, receive: Receive, send: Send, route: Route) -> None:
        """In a thread: writes use Django's connections, and wait for locks and for other sites."""
        headers: dict[bytes, bytes] = {}
        for name, value in scope["headers"]:
            headers.setdefault(name.lower(), value)
        content = await bodies.body_read(scope, receive)
        if route.operation == "validate":
            body = await asyncio.to_thread(writes.validate, content)
        else:
            writes.check_header(route, headers)
            body = await asyncio.get_running_loop().run_in_executor(
                self._writers, writes.write, route, headers, content
            )
            self.cache.forget()  # who wrote reads it at once; other processes hear of it
        await answer(scope, send, 200, body, [(b"content-type", JSON), _NO_STORE])

    async def _read(self, scope: Scope, send: Send, route: Route, query: dict[str, str]) -> None:
        key: Any
        make: Callable[[], Awaitable[bytes]]
        if route.operation == "list":
            key = wanted = parameters.listing(query)
            make = lambda: reads.list_page(self._database, wanted)
        else:
            deleted = parameters.include_deleted(query)
            key = (route.operation, route.name, route.version, deleted)
            if route.operation == "versions":
                make = lambda: reads.versions_page(self._database, route.name, deleted)
            else:
                make = lambda: reads.entry_of(self._database, route.name, route.version, deleted)
        body = self.cache.get(key) or await self.cache.made(key, make)
        await send_body(scope, send, body)


async def send_body(scope: Scope, send: Send, body: Body) -> None:
    """With its entity tag; 304 to who has it."""
    known = next((value for name, value in scope["headers"] if name == b"if-none-match"), b"")
    tags = {tag.strip().removeprefix(b"W/") for tag in known.split(b",")}
    if body.etag in tags or b"*" in tags:
        await answer(scope, send, 304, b"", [(b"etag", body.etag), _FRESH])
        return
    await answer(scope, send, 200, body.content, [(b"content-type", JSON), (b"etag", body.etag), _FRESH])


async def answer(scope: Scope, send: Send, status: int, content: bytes, headers: Headers) -> None:
    if status not in (204, 304):
        headers = [*headers, (b"content-length", b"%d" % len(content))]
    await send({"type": "http.response.start", "status": status, "headers": [*headers, *CORS]})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else content})


async def refuse(scope: Scope, send: Send, problem: Problem) -> None:
    more = [(name.lower().encode(), value.encode()) for name, value in problem.headers.items()]
    headers = [(b"content-type", problem.media_type), _NO_STORE, *more]
    await answer(scope, send, problem.status, problem.body(), headers)


def check_no_nul(raw: bytes, query: bytes) -> None:
    """Raises Problem; in plain JSON, as this is told before anything knows of problem documents elsewhere."""
    for what, text in (("path", raw), ("query", query)):
        if b"%00" in text or b"\0" in text:
            raise Problem(400, f"URL {what} contains null bytes", media_type=JSON)


async def _redirect(scope: Scope, send: Send, path: str, query: bytes) -> None:
    there = "/" + path.strip("/")  # one slash in front: two would name a host
    location = there.encode("latin-1") + (b"?" + query if query else b"")
    await answer(scope, send, 308, b"", [(b"location", location)])


_api: Api | None = None


async def startup() -> None:
    global _api
    _api = Api()
    await _api.start()


async def shutdown() -> None:
    global _api
    api, _api = _api, None
    if api is not None:
        await api.stop()


def is_ours(path: str) -> bool:
    return path.startswith(("/v0.1/", "/v0/")) or path in ("/v0.1", "/v0")


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    if _api is None:
        starting = Problem(503, "The site is starting. Try again shortly.", headers={"Retry-After": "1"})
        await refuse(scope, send, starting)
        return
    await _api(scope, receive, send)
