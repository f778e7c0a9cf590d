"""Calls that wait for their user at the page, and go on by themselves: as tasks of each kind of client, and held."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from accounts.models import User
from hosting.models import Deployment, Elicitation, Task
from hosting.tasks.running import task_advance
from hosting.tasks.starting import task_start
from tests.mcp_endpoint.conftest import PATH, Web, events, request, session
from tests.mcp_endpoint.personal.conftest import (
    ALICES,
    URL,
    Browser,
    client_of,
    environ,
    path_of,
    rows,
    settled,
    value,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def as_task(name: str, number: int = 1) -> dict[str, Any]:
    call = environ(name, number)
    call["params"]["task"] = {"ttl": 60_000}
    return call


async def work(*task_ids: str) -> None:
    """What workers do, until these tasks are over."""
    for task_id in task_ids:
        assert await rows(lambda: Task.objects.get(pk=task_id).state) == "accepted"  # noqa: B023
        await rows(lambda: task_start(task_id))  # noqa: B023

    async def are_over() -> bool:
        for task_id in task_ids:
            await rows(lambda: task_advance(task_id))  # noqa: B023
        return not await rows(lambda: Task.objects.filter(pk__in=task_ids).exclude(state="ended").exists())

    await settled(are_over)


async def test_a_2025_task_waits_for_the_page_and_goes_on(
    web: Web, users: dict[str, User], deployment: Deployment
) -> None:
    client, browser = client_of(web, users["alice"]), Browser(users["alice"])
    greeted = await session(client, **URL)
    assert greeted["capabilities"]["tasks"]["requests"] == {"tools": {"call": {}}}
    created = (await client.post(PATH, json=as_task("REGION"))).json()["result"]["task"]
    task_id = created["taskId"]
    assert created["status"] == "input_required"
    async with client.stream("POST", PATH, json=request("tasks/result", {"taskId": task_id}, 2)) as stream:
        told = events(stream)
        asked = await anext(event.json() async for event in told if '"elicitation/create"' in event.data)
        params = asked["params"]
        assert params["mode"] == "url" and params["url"].endswith(params["elicitationId"])
        assert params["_meta"]["io.modelcontextprotocol/related-task"] == {"taskId": task_id}
        reply = {"jsonrpc": "2.0", "id": asked["id"], "result": {"action": "accept"}}
        assert (await client.post(PATH, json=reply)).status_code == 202
        seen = (await client.post(PATH, json=request("tasks/get", {"taskId": task_id}, 3))).json()["result"]
        assert seen["status"] == "working" and params["url"] in seen["statusMessage"], "asked once"

        assert (await browser.post(path_of(params["url"]), v0=ALICES, v1="eu")).status_code == 302
        await work(task_id)
        async with asyncio.timeout(10):
            result = await anext(event.json() async for event in told if '"content"' in event.data)
    assert result["result"]["content"][0]["text"] == "eu"
    assert await rows(lambda: Elicitation.objects.get().state) == "done"
    assert await rows(lambda: Task.objects.get().attempts) == 1
    plain = await value(await client.post(PATH, json=environ("REGION", 4)))
    assert plain == "eu"
