"""Clients that know no tasks: a call that takes too long is answered with words, and three tools do the rest."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

from tests.e2e.http_client import events, outcome, text_of
from tests.tasks.conftest import PATIENCE, Hosted, LegacyTasks
from tests.tasks.test_modern_clients import ModernTasks

TOOLS = ["task_status", "task_result", "task_cancel"]


@pytest.fixture(scope="package")
def impatient(hosted: Hosted) -> Hosted:
    """The same server, whose calls are handed off after two seconds."""
    words = ("pypi:slipway-test-legacy", "--owner", "alice", "--name", "impatient", "--access", "public")
    url = hosted.site.manage("host", *words).stdout.strip()
    change = (
        'from hosting.models import Deployment; Deployment.objects.filter(name="impatient").update(hand_off_seconds=2)'
    )
    hosted.site.manage("shell", "-c", change)
    tokens = [
        hosted.site.manage("issue_token", "--user", user, "--deployment", "alice/impatient").stdout.strip()
        for user in ("alice", "bob")
    ]
    return Hosted(hosted.site, url, *tokens)


def task_id_of(text: str) -> str:
    found = re.search(r"as task ([\w-]{32})", text)
    assert found is not None, text
    return found[1]


async def test_the_tools_are_listed_and_described(impatient: Hosted) -> None:
    async with httpx.AsyncClient(timeout=PATIENCE) as http:
        client = LegacyTasks(impatient.url, impatient.token, http)
        await client.initialize()
        tools = (await client.ask("tools/list"))["result"]["tools"]
    assert [tool["name"] for tool in tools][-3:] == TOOLS
    assert all(tool["description"] and tool["inputSchema"]["required"] == ["task_id"] for tool in tools[-3:])


async def test_who_declares_the_extension_is_not_bothered_with_them(impatient: Hosted) -> None:
    async with httpx.AsyncClient(timeout=PATIENCE) as http:
        client = ModernTasks(impatient.url, impatient.token, http)
        declared = (await client.ask("tools/list"))["result"]["tools"]
        plain = (await client.ask("tools/list", capabilities={}))["result"]["tools"]
    assert not {tool["name"] for tool in declared} & set(TOOLS)
    assert [tool["name"] for tool in plain][-3:] == TOOLS


async def test_a_long_call_is_handed_off_and_its_result_fetched(impatient: Hosted) -> None:
    async with httpx.AsyncClient(timeout=PATIENCE) as http:
        client = LegacyTasks(impatient.url, impatient.token, http)
        await client.initialize()
        words = await client.call("slow", seconds=8)
        task_id = task_id_of(words)
        assert "still running" in await client.call("task_status", task_id=task_id)
        assert "still running" in await client.call("task_result", task_id=task_id, wait_seconds=0.1)
        assert await client.call("task_result", task_id=task_id) == "done"


async def test_a_call_whose_stream_broke_off_is_handed_off_on_the_one_that_goes_on(impatient: Hosted) -> None:
    """At the limit, counted from the call's begin, so that who breaks off again and again waits no longer."""
    async with httpx.AsyncClient(timeout=PATIENCE) as http:
        client = LegacyTasks(impatient.url, impatient.token, http)
        await client.initialize()
        arguments = {"name": "slow", "arguments": {"seconds": 5}}
        async with client.post("tools/call", arguments) as answer:
            last = await anext(event.id async for event in events(answer) if event.id)
        async with client.resume(last) as rest:
            message = await outcome(rest)
        task_id = task_id_of(text_of(message))
        assert await client.call("task_result", task_id=task_id) == "done"


async def test_a_modern_client_without_the_extension(impatient: Hosted) -> None:
    async with httpx.AsyncClient(timeout=PATIENCE) as http:
        client = ModernTasks(impatient.url, impatient.token, http)
        handed = await client.call("slow", {}, seconds=5)
        assert handed["resultType"] == "complete"
        task_id = task_id_of(handed["content"][0]["text"])
        done = await client.call("task_result", {}, task_id=task_id)
    assert (done["resultType"], done["content"][0]["text"]) == ("complete", "done")


async def test_it_can_be_cancelled_once(impatient: Hosted) -> None:
    async with httpx.AsyncClient(timeout=PATIENCE) as http:
        client = LegacyTasks(impatient.url, impatient.token, http)
        await client.initialize()
        task_id = task_id_of(await client.call("slow", seconds=30))
        assert "cancelled" in await client.call("task_cancel", task_id=task_id)
        again = await client.ask("tools/call", {"name": "task_cancel", "arguments": {"task_id": task_id}})
    assert again["result"]["isError"] is True


async def test_anothers_task_is_no_task(impatient: Hosted) -> None:
    async with httpx.AsyncClient(timeout=PATIENCE) as http:
        client = LegacyTasks(impatient.url, impatient.token, http)
        await client.initialize()
        stranger = LegacyTasks(impatient.url, impatient.stranger, http)
        await stranger.initialize()
        task_id = task_id_of(await client.call("slow", seconds=4))
        for tool in TOOLS:
            foreign, unknown = [
                await stranger.ask("tools/call", {"name": tool, "arguments": {"task_id": each}})
                for each in (task_id, "x" * 32)
            ]
            assert foreign["result"] == unknown["result"]
            assert foreign["result"]["isError"] is True
        assert await client.call("task_result", task_id=task_id) == "done"


@pytest.mark.parametrize(
    "arguments", [{}, {"task_id": 5}, {"task_id": "x" * 9999}, {"task_id": "x", "wait_seconds": "y"}]
)
async def test_bad_arguments_are_tool_errors(impatient: Hosted, arguments: dict[str, Any]) -> None:
    async with httpx.AsyncClient(timeout=PATIENCE) as http:
        client = LegacyTasks(impatient.url, impatient.token, http)
        await client.initialize()
        message = await client.ask("tools/call", {"name": "task_result", "arguments": arguments})
    assert message["result"]["isError"] is True
    assert text_of(message)
