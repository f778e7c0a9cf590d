"""A call whose user lacks a key, on a whole site: it waits over a restart of all of it, and goes on with the page."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.person import Person, fields_of
from tests.stack import Stack
from tests.tasks.conftest import LegacyTasks
from tests.tasks.test_modern_clients import DECLARED, ModernTasks

pytestmark = [pytest.mark.slow, pytest.mark.timeout(500)]
SERVER = Path(__file__).parents[1] / "servers" / "legacy.py"
URL: dict[str, Any] = {"elicitation": {"url": {}}}
KEY = "alices-own-key-of-the-lighthouse"
PATIENCE = 90.0
PREPARE = """
from events.actors import OPERATOR
from hosting.credentials.personal import personal_set
from hosting.models import Deployment
personal_set(actor=OPERATOR, deployment=Deployment.objects.get(name="keyed"), keys=["env:ACME_KEY"])
"""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Stack]:
    """A site of its own: it is stopped in between."""
    made = Stack(tmp_path / "home")
    try:
        yield made.start()
    finally:
        made.stop()


def host(site: Stack) -> tuple[str, str]:
    """(URL, token) of a server to which each user brings a key."""
    url = site.manage("host", f"source:{SERVER}", "--owner", "alice", "--name", "keyed", seconds=300).stdout.strip()
    site.manage("shell", "-c", PREPARE)
    return url, site.manage("issue_token", "--user", "alice", "--deployment", "alice/keyed").stdout.strip()


async def test_calls_of_two_clients_wait_over_a_restart_and_go_on_with_one_page(site: Stack) -> None:
    url, token = host(site)
    async with httpx.AsyncClient(timeout=PATIENCE) as http:
        legacy, modern = LegacyTasks(url, token, http), ModernTasks(url, token, http)
        legacy.capabilities = URL
        await legacy.initialize()
        first = await legacy.start("environ", name="ACME_KEY")
        second = await modern.call("environ", {**DECLARED, **URL}, name="ACME_KEY")
        assert (first["status"], second["status"]) == ("input_required", "input_required")
    site.stop()
    site.start()
    async with httpx.AsyncClient(timeout=PATIENCE) as http:
        modern = ModernTasks(url, token, http)
        with Person(site, "alice") as alice:
            page = await asyncio.to_thread(alice.http.get, f"/tasks/{first['taskId']}/")
            assert "Waits for your credentials" in page.text
            path = next(part for part in page.text.split('"') if part.startswith("/elicit/"))
            form = await asyncio.to_thread(alice.http.get, path)
            sent = {**fields_of(form.text), "v0": KEY, "action": "accept"}
            done = await asyncio.to_thread(lambda: alice.http.post(path, data=sent, timeout=PATIENCE))
            assert done.status_code == 302, done.text
        for created in (first, second):
            over = await modern.until(created["taskId"], "completed")
            assert over["result"]["content"][0]["text"] == "[secret]", "the server has the key, and nobody else"
