"""Calls that are handed off: names that a server has itself, results with a schema, and tools that are never tasks."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.e2e.http_client import text_of
from tests.tasks.conftest import PATIENCE, Hosted, LegacyTasks
from tests.tasks.test_modern_clients import DECLARED, ModernTasks
from tests.tasks.test_other_clients import TOOLS, task_id_of

pytestmark = pytest.mark.timeout(300)
LIMIT = 2  # seconds
# Changes to tools are taken as they are, so that the endpoint holds no list of approved names to compare with.
PREPARE = f"""
import time
from events.actors import OPERATOR
from hosting.configuration import configuring
from hosting.tools import records as tools
from hosting.models import Deployment
namesake = Deployment.objects.get(name="namesake")
tools.approval_set(actor=OPERATOR, deployment=namesake, approval="automatic")
Deployment.objects.filter(pk=namesake.pk).update(hand_off_seconds={LIMIT})
end = time.monotonic() + 60
while not namesake.tools.exists() and time.monotonic() < end:
    time.sleep(0.1)
tools.tool_task_support_set(actor=OPERATOR, deployment=namesake, name="slow_fail", support="forbidden")
"""

OFF = """
from events.actors import OPERATOR
from hosting.configuration.configuring import tasks_set
from hosting.models import Deployment
tasks_set(actor=OPERATOR, deployment=Deployment.objects.get(owner__folded="bob", name="own"), hand_off_seconds=0)
"""


@pytest.fixture(scope="module")
def namesake(hosted: Hosted) -> Hosted:
    words = ("pypi:slipway-test-namesake", "--owner", "alice", "--name", "namesake")
    url = hosted.site.manage("host", *words).stdout.strip()
    hosted.site.manage("shell", "-c", PREPARE)
    token = hosted.site.manage("issue_token", "--user", "alice", "--deployment", "alice/namesake").stdout.strip()
    return Hosted(hosted.site, url, token, "")


async def begun(namesake: Hosted, http: httpx.AsyncClient) -> LegacyTasks:
    client = LegacyTasks(namesake.url, namesake.token, http)
    await client.initialize()
    return client


async def result_of(client: LegacyTasks, tool: str, **arguments: Any) -> Any:
    return (await client.ask("tools/call", {"name": tool, "arguments": arguments}))["result"]


async def test_a_tool_of_the_servers_own_keeps_its_name_and_ours_gets_the_prefix(namesake: Hosted) -> None:
    async with httpx.AsyncClient(timeout=PATIENCE) as http:
        client = await begun(namesake, http)
        names = [tool["name"] for tool in (await client.ask("tools/list"))["result"]["tools"]]
        assert names[-3:] == ["slipway_task_status", "task_result", "task_cancel"]
        assert names.count("task_status") == 1
        assert await client.call("task_status", task_id="x") == '["task_status", {"task_id": "x"}]'
        words = await client.call("slow", seconds=LIMIT + 5)
        assert "Call task_result" in words
        assert "slipway_task_status to see" in words
        task_id = task_id_of(words)
        assert "still running" in await client.call("slipway_task_status", task_id=task_id)
        assert await client.call("task_result", task_id=task_id) == "done"


async def test_where_results_have_a_schema_the_words_are_an_error_that_no_client_checks(namesake: Hosted) -> None:
    """2025-11-25 server/tools, "Output Schema": results must conform to it. What is an error is not looked at."""
    async with httpx.AsyncClient(timeout=PATIENCE) as http:
        client = await begun(namesake, http)
        handed = await result_of(client, "slow_echo", text="x", seconds=LIMIT + 2)
        assert handed["isError"] is True
        assert "structuredContent" not in handed
        done = await result_of(client, "task_result", task_id=task_id_of(handed["content"][0]["text"]))
        assert "isError" not in done
        assert done["content"] == [{"type": "text", "text": "x"}]
        plain = await result_of(client, "slow", seconds=LIMIT + 1)
        assert "isError" not in plain


@pytest.mark.parametrize("capabilities", [None, {}, DECLARED], ids=["2025", "2026", "2026 with tasks"])
async def test_a_tool_that_never_runs_as_a_task_is_waited_for(namesake: Hosted, capabilities: Any) -> None:
    async with httpx.AsyncClient(timeout=PATIENCE) as http:
        if capabilities is None:
            result = await result_of(await begun(namesake, http), "slow_fail", seconds=LIMIT + 2)
        else:
            client = ModernTasks(namesake.url, namesake.token, http)
            result = await client.call("slow_fail", capabilities, seconds=LIMIT + 2)
    assert text_of({"result": result}) == "it failed"


async def test_off_by_a_switch(hosted: Hosted) -> None:
    hosted.site.manage("shell", "-c", OFF)
    token = hosted.site.manage("issue_token", "--user", "bob", "--deployment", "bob/own").stdout.strip()
    async with httpx.AsyncClient(timeout=PATIENCE) as http:
        client = LegacyTasks(f"{hosted.site.url}/mcp/bob/own", token, http)
        await client.initialize()
        names = {tool["name"] for tool in (await client.ask("tools/list"))["result"]["tools"]}
        called = await client.ask("tools/call", {"name": "task_status", "arguments": {"task_id": "x"}})
    assert "slow" in names
    assert not names & set(TOOLS)
    assert "no tool named task_status" in json.dumps(called) or "There is no approved tool" in json.dumps(called)
