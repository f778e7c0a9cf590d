"""A bound on the bodies that Django takes. It writes each to a temporary file before anybody may look at it, so one
without an end would fill the disk; the tighter bounds of forms and of the API come after that."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from http import HTTPStatus

from mcp_endpoint.wire.asgi import Message, Receive, Scope, Send

MAX_BODY = 32 * 1024 * 1024  # bytes; above all uploads, so that those are refused by a form with its own words
WORDS = f"The body is larger than the {MAX_BODY // 1024 // 1024} MiB that this site takes."


async def bounded(
    application: Callable[[Scope, Receive, Send], Awaitable[None]], scope: Scope, receive: Receive, send: Send
) -> None:
    """Hands the request on; answers 413 itself when its body says that it is too large, or turns out to be."""
    stated = next((value for name, value in scope["headers"] if name == b"content-length"), b"")
    taken = 0

    async def counted() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        # Of a client that went away Django closes and forgets what it has written, and answers nothing.
        return message if taken <= MAX_BODY else {"type": "http.disconnect"}

    if stated.isdigit() and int(stated) > MAX_BODY:
        await _refuse(scope["path"], send)
        return
    await application(scope, counted, send)
    if taken > MAX_BODY:
        await _refuse(scope["path"], send)


async def _refuse(path: str, send: Send) -> None:
    body, content_type = WORDS.encode() + b"\n", b"text/plain; charset=utf-8"
    if path.startswith("/api/"):
        problem = {"type": "about:blank", "title": HTTPStatus(413).phrase, "status": 413}
        body = json.dumps({**problem, "code": "too_large", "detail": WORDS}).encode()
        content_type = b"application/problem+json"
    headers = [(b"content-type", content_type), (b"content-length", b"%d" % len(body)), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": body})
