"""What the entry decides before anything else sees a request."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings

from config import asgi
from config.asgi import admit, host_name


async def ask(path: str, *headers: tuple[bytes, bytes], kind: str = "http") -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = []
    scope = {"type": kind, "path": path, "method": "GET", "headers": list(headers), "query_string": b""}

    async def receive() -> dict[str, Any]:
        return {"type": f"{kind}.connect" if kind == "websocket" else "http.request", "body": b""}

    async def send(message: Any) -> None:
        sent.append(message)

    await asgi.application(scope, receive, send)
    return sent


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (b"localhost:8000", b"localhost"),
        (b"LocalHost", b"localhost"),
        (b"[::1]:8000", b"[::1]"),
        (b"example.org.", b"example.org"),
        (b"", b""),
        (b"[::1", b""),
    ],
)
def test_the_host_is_read_without_its_port(value: bytes, name: bytes) -> None:
    assert host_name(value) == name


def test_every_name_of_ours_becomes_the_one_of_the_public_address() -> None:
    ours = settings.SLIPWAY_URL.removeprefix("http://").encode()
    for given in (b"127.0.0.1:8000", b"localhost:1234", b"[::1]"):
        headers = admit([(b"host", given), (b"accept", b"*/*"), (b"x-forwarded-host", b"evil.example")])
        assert headers == [(b"host", ours), (b"accept", b"*/*")]


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [(b"host", b"evil.example")],
        [(b"host", b"127.0.0.1.evil.example")],
        [(b"host", b"localhost"), (b"host", b"evil.example")],
        [(b"host", b"localhost"), (b"host", b"localhost")],
        [(b"host", b"evil.example@localhost")],
    ],
)
@pytest.mark.parametrize("path", ["/", "/mcp/alice/time", "/.well-known/oauth-protected-resource/mcp/alice/time"])
async def test_another_host_is_a_400_everywhere(headers: list[tuple[bytes, bytes]], path: str) -> None:
    sent = await ask(path, *headers)
    assert sent[0]["status"] == 400


async def test_a_websocket_for_another_host_is_closed_before_it_opens() -> None:
    sent = await ask("/ws/deployments/x/", (b"host", b"evil.example"), kind="websocket")
    assert [message["type"] for message in sent] == ["websocket.close"]


async def test_health_is_answered_by_any_name() -> None:
    start, body = await ask("/healthz", (b"host", b"10.0.0.7:8000"))
    assert (start["status"], body["body"]) == (200, b"ok\n")


PATHS = ("/", "/healthz", "/mcp/alice/time", "/static/js/app.js", "/accounts/login/", "/app/", f"/app/{'x' * 32}")


@pytest.mark.parametrize("path", PATHS)
async def test_under_the_name_of_apps_there_is_nothing_else(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asgi, "_APPS_HOST", b"apps.example.org")
    start, _ = await ask(path, (b"host", b"Apps.example.org:443"))
    fields = dict(start["headers"])
    assert start["status"] == 404 and b"set-cookie" not in fields
    assert fields[b"content-security-policy"].startswith(b"sandbox; default-src 'none'")
    both = ((b"host", b"apps.example.org"), (b"host", b"localhost"))
    assert (await ask(path, *both))[0]["status"] == (200 if path == "/healthz" else 400)


async def test_nor_websockets_nor_anything_over_plain_http(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asgi, "_APPS_HOST", b"apps.example.org")
    sent = await ask("/ws/deployments/x/", (b"host", b"apps.example.org"), kind="websocket")
    assert [message["type"] for message in sent] == ["websocket.close"]
    monkeypatch.setattr(asgi, "_NEEDS_HTTPS", True)
    assert (await ask("/app/x", (b"host", b"apps.example.org")))[0]["status"] == 400


async def test_a_site_with_https_takes_no_call_over_plain_http(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asgi, "_NEEDS_HTTPS", True)
    sent = await ask("/mcp/alice/time", (b"host", b"localhost"))
    assert (sent[0]["status"], sent[1]["body"][:9]) == (400, b"Use https")
