"""Bodies without an end are refused before Django has written them down."""

from __future__ import annotations

from typing import Any

import pytest

from config.asgi import application
from config.bodies import MAX_BODY

CHUNK = b"x" * (1024 * 1024)


async def answer_to(path: str, *headers: tuple[bytes, bytes], chunks: int = 0) -> Any:
    """Status, headers and body of the answer, and how often more of the request was asked for."""
    sent: list[Any] = []
    asked = 0

    async def receive() -> Any:
        nonlocal asked
        asked += 1
        return {"type": "http.request", "body": CHUNK, "more_body": asked < chunks}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "scheme": "http",
        "http_version": "1.1",
        "headers": [(b"host", b"127.0.0.1"), *headers],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8000),
    }
    await application(scope, receive, send)
    body = b"".join(message.get("body", b"") for message in sent)
    return sent[0]["status"], dict(sent[0]["headers"]), body, asked


@pytest.mark.parametrize(("path", "kind"), [("/api/deployments", b"json"), ("/servers/new", b"text/plain")])
async def test_body_that_says_it_is_too_large_is_not_read(path: str, kind: bytes) -> None:
    status, headers, body, asked = await answer_to(path, (b"content-length", b"%d" % (MAX_BODY + 1)))
    assert (status, asked) == (413, 0)
    assert kind in headers[b"content-type"]
    assert b"32 MiB" in body


async def test_body_that_turns_out_too_large_is_read_no_further() -> None:
    status, headers, _, asked = await answer_to("/api/deployments", (b"transfer-encoding", b"chunked"), chunks=10_000)
    assert (status, headers[b"content-type"]) == (413, b"application/problem+json")
    assert asked == MAX_BODY // len(CHUNK) + 1
