"""Apps at an address of their own (SLIPWAY_APPS_URL): plain ASGI, which reads and sets no cookie and has nothing else.

The document is nobody's there, too: its policy is the one it has at the site's own address. What the other address adds
is that even a browser that fails to keep a sandbox shut has nothing of the site's behind it.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from common.errors import NotFound
from hosting.playground.apps import App, app_take_apart

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

FOLDER: Final = "/app/"
_PATH = re.compile(re.escape(FOLDER) + r"([\w-]{32})", re.ASCII)
# What browsers say that an answer is for (Fetch Metadata, 2.1). One that is too old to say so says nothing.
_PLACES = {b"", b"iframe"}


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """GET /app/{id}, once, into a frame. All else is a 404."""
    found = _PATH.fullmatch(scope["path"])
    place = dict(scope["headers"]).get(b"sec-fetch-dest", b"")
    if found is None or scope["method"] != "GET" or place not in _PLACES:
        await _answer(send, 404, b"There is nothing here.\n")
        return
    try:
        app = await asyncio.to_thread(app_take_apart, found[1])
    except NotFound as error:
        await _answer(send, 404, error.message.encode() + b"\n")
        return
    await _answer(send, 200, app.html.encode(), app)


async def _answer(send: Send, status: int, body: bytes, app: App | None = None) -> None:
    """Refusals are text, under a policy that allows nothing."""
    fields = {
        "content-type": f"text/{'html' if app else 'plain'}; charset=utf-8",
        "content-length": str(len(body)),
        "content-security-policy": app.policy if app else "sandbox; default-src 'none'; frame-ancestors 'none'",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
        "cache-control": "no-store",
    }
    headers = [(name.encode(), value.encode()) for name, value in fields.items()]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
