"""The operator's switch: who is told to come back, when, and what goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from common import clock
from config import asgi, maintenance

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def home(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A switch of the test's own, looked at each time."""
    settings.SLIPWAY_HOME = tmp_path
    monkeypatch.setattr(maintenance, "LOOK_SECONDS", 0.0)
    yield tmp_path
    maintenance.switch_off()
    assert not maintenance.is_on()


def test_pages_say_that_the_site_is_back_soon(client: Client, django_assert_num_queries: Any) -> None:
    maintenance.switch_on(words="We move to a <larger> machine.", minutes=10)
    with django_assert_num_queries(0):
        answer = client.get("/")
    text = answer.content.decode()
    assert answer.status_code == 503 and "Back soon" in text
    assert "We move to a &lt;larger&gt; machine." in text
    assert 500 <= int(answer["Retry-After"]) <= 600 and answer["Cache-Control"] == "no-store"
    assert answer["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize("path", ["/api/deployments", "/v0.1/servers", "/oauth/token"])
def test_programs_are_told_as_programs(client: Client, path: str) -> None:
    maintenance.switch_on()
    answer = client.post(path)
    assert (answer.status_code, answer.json()["code"]) == (503, "maintenance")
    assert answer["Retry-After"] == str(maintenance.RETRY_SECONDS)


@pytest.mark.parametrize("path", ["/readyz", "/metrics", "/static/css/tokens.css"])
def test_probes_and_files_go_on(client: Client, path: str) -> None:
    maintenance.switch_on()
    answer = client.get(path)
    assert "Back soon" not in answer.content.decode() and "maintenance" not in answer.content.decode()


async def test_the_endpoint_goes_on_and_the_registry_does_not() -> None:
    """As the server asks: before Django."""

    async def asked_for(path: str) -> tuple[int, bytes]:
        sent: list[Any] = []
        headers = [(b"host", b"127.0.0.1:8000"), (b"accept", b"text/html")]
        scope: dict[str, Any] = {"type": "http", "method": "GET", "path": path, "raw_path": path.encode()}
        scope |= {"headers": headers, "scheme": "http", "http_version": "1.1", "client": ("127.0.0.1", 1)}
        scope |= {"query_string": b"", "server": ("127.0.0.1", 8000), "extensions": {}}
        messages = [{"type": "http.request", "body": b"", "more_body": False}]

        async def receive() -> Any:
            return messages.pop() if messages else await asyncio.Event().wait()  # a client that stays

        async def send(message: Any) -> None:
            sent.append(message)

        await asgi.application(scope, receive, send)
        return sent[0]["status"], b"".join(message.get("body", b"") for message in sent)

    maintenance.switch_on()
    assert await asked_for("/healthz") == (200, b"ok\n")
    assert b"maintenance" not in (await asked_for("/mcp/alice/time"))[1]
    status, body = await asked_for("/v0.1/servers")
    assert status == 503 and b"maintenance" in body


def test_the_command_switches_it(capsys: pytest.CaptureFixture[str], client: Client) -> None:
    call_command("maintenance", "on", minutes=30.0, message="Moving.")
    assert client.get("/").status_code == 503
    call_command("maintenance", "status")
    call_command("maintenance", "off")
    assert client.get("/").status_code == 200
    call_command("maintenance", "off")
    said = capsys.readouterr().out.split("\n")
    assert [line.split(" ")[0] for line in said if line] == ["on", "on", "off", "off"]


def test_a_time_that_has_passed_is_no_promise() -> None:
    late = maintenance.Maintenance(until=clock.now() - timedelta(hours=1))
    assert late.retry_after == maintenance.RETRY_SECONDS


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"until": "soon"}', b'{"until": 5}', b"\xff"])
def test_a_file_that_an_operator_touched_closes_the_site(home: Path, client: Client, content: bytes) -> None:
    (home / "maintenance.json").write_bytes(content)
    answer = client.get("/")
    assert answer.status_code == 503 and answer["Retry-After"] == str(maintenance.RETRY_SECONDS)
