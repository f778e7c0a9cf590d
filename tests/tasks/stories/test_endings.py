"""How work ends: a cancelled run takes its children along; a task outlives its client, its session and its token."""

from __future__ import annotations

import asyncio
import secrets
from pathlib import Path

import httpx
import pytest

from tests.tasks.stories.clients import Legacy, Plain, connect, text_of
from tests.tasks.stories.conftest import KINDS, Workshop, until


def living(mark: str) -> list[str]:
    """Commands of the machine's processes that carry the mark; what runs in a sandbox is seen from outside."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue  # it ended meanwhile
        if any(mark in word for word in words):
            found.append(" ".join(words))
    return found


@pytest.mark.parametrize("kind", KINDS)
async def test_a_cancelled_run_stops_its_children(workshop: Workshop, kind: type[Legacy]) -> None:
    mark = "".join(secrets.choice("123456789") for _ in range(12))
    async with connect(kind, *workshop.door(kind)) as client:
        task = await client.start("crunch", mark=mark, children=3)
        await until(lambda: len(living(mark)) == 6)  # three, and a child of each
        await client.cancel(task)
        await until(lambda: not living(mark))
        assert "cancelled" in await client.status(task)


async def test_a_run_that_is_cancelled_at_the_site_stops_its_children(workshop: Workshop) -> None:
    mark = "".join(secrets.choice("123456789") for _ in range(12))
    async with connect(Legacy, *workshop.door(Legacy)) as client:
        task = await client.start("crunch", mark=mark, children=2)
        await until(lambda: len(living(mark)) == 4)
        headers = {"Authorization": f"Bearer {workshop.api}"}
        async with httpx.AsyncClient(headers=headers, timeout=60) as http:
            answer = await http.post(f"{workshop.site.url}/api/tasks/{task}/cancel")
        assert answer.status_code == 200, answer.text
        await until(lambda: not living(mark))
        assert await client.status(task) == "cancelled"


@pytest.mark.parametrize("kind", KINDS)
async def test_a_task_outlives_its_client_its_session_and_its_token(workshop: Workshop, kind: type[Legacy]) -> None:
    url, fresh = workshop.door(kind)
    passing = "passing1" if kind is Legacy else "passing2"
    _, brief = workshop.door(kind, passing)
    label = f"outlives-{kind.__name__}"
    async with connect(kind, url, brief) as client:
        task = await client.start("work", name=label, seconds=3)
        assert await client.status(task) == "working"
    # Its client is gone, and has deleted its session. Now its token.
    name = "brief" if kind is Plain else "workshop"
    await asyncio.to_thread(workshop.site.manage, "revoke_token", workshop.tokens[f"{name}-{passing}"].id)
    async with httpx.AsyncClient(timeout=60) as http:
        ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
        async with asyncio.timeout(60):  # each web process learns of it by itself
            headers = {"Authorization": f"Bearer {brief}"}
            while (await http.post(url, headers=headers, json=ping)).status_code != 401:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
    async with connect(kind, url, fresh) as client:
        assert text_of(await client.result(task)) == f"{label} done"
