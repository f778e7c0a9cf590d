"""Bodies of requests: at most a mebibyte of JSON, read within a time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import msgspec

from registry.api.problems import Detail, Problem, bad, invalid
from registry.server_json.binding import bind
from registry.server_json.shapes import Members, Text

MAX_BODY = 1024 * 1024
SECONDS = 30.0

STATUS = Members(
    {"status": Text(choices=("active", "deprecated", "deleted")), "statusMessage": Text(most=500)}, ("status",)
)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]


async def body_read(scope: Scope, receive: Receive) -> bytes:
    """Raises Problem 413, 408."""
    stated = next((value for name, value in scope["headers"] if name == b"content-length"), b"")
    if stated.isdigit() and int(stated) > MAX_BODY:
        raise _too_large()
    content = bytearray()
    try:
        async with asyncio.timeout(SECONDS):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Problem(400, "The request broke off.")
                content += message.get("body", b"")
                if len(content) > MAX_BODY:
                    raise _too_large()
                if not message.get("more_body"):
                    return bytes(content)
    except TimeoutError:
        raise Problem(408, "The request's body did not come in time.", headers={"Connection": "close"}) from None


def json_of(content: bytes) -> Any:
    """Raises Problem 422 for an empty body, as one that is required; 400 for what is no JSON."""
    if not content.strip():
        raise Problem(422, "validation failed", [Detail("request body is required", "body")])
    try:
        return msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise bad("request body is not valid JSON", str(error)) from None
    except RecursionError:
        raise bad("request body is not valid JSON", "it is nested too deeply") from None


def status_of(content: bytes) -> dict[str, Any]:
    """Raises Problem."""
    found = json_of(content)
    breaches = bind(found, STATUS)
    if breaches:
        raise unbound(breaches)
    bound: dict[str, Any] = found
    return bound


def unbound(breaches: Any) -> Problem:
    """`breaches` are what keeps a body from binding."""
    return invalid([Detail(one.message, f"body.{one.path}" if one.path else "body", one.value) for one in breaches])


def _too_large() -> Problem:
    words = f"request body is too large limit={MAX_BODY} bytes"
    return Problem(413, words, headers={"Connection": "close"})
