"""Tasks toward clients of 2026-07-28 that declare the extension (SEP-2663)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.e2e.http_client import events, outcome
from tests.tasks.conftest import PATIENCE, Hosted

EXTENSION = "io.modelcontextprotocol/tasks"
DECLARED: dict[str, Any] = {"extensions": {EXTENSION: {}}, "elicitation": {}}
META = "io.modelcontextprotocol/"
NAMED = {"tools/call": "name", "tasks/get": "taskId", "tasks/update": "taskId", "tasks/cancel": "taskId"}


class ModernTasks:
    def __init__(self, url: str, token: str, http: httpx.AsyncClient) -> None:
        self.url = url
        self.token = token
        self.http = http
        self.number = 0

    def request(self, method: str, params: dict[str, Any], capabilities: Any = DECLARED) -> dict[str, Any]:
        self.number += 1
        headers = {
            "Authorization": f"Bearer {self.token}",
            "Accept": "application/json, text/event-stream",
            "MCP-Protocol-Version": "2026-07-28",
            "Mcp-Method": method,
        }
        if method in NAMED and NAMED[method] in params:
            headers["Mcp-Name"] = str(params[NAMED[method]])
        meta = {
            META + "protocolVersion": "2026-07-28",
            META + "clientInfo": {"name": "bare", "version": "1"},
            META + "clientCapabilities": capabilities,
        }
        body = {"jsonrpc": "2.0", "id": self.number, "method": method, "params": {**params, "_meta": meta}}
        return {"url": self.url, "headers": headers, "json": body}

    async def ask(self, method: str, params: dict[str, Any] | None = None, capabilities: Any = DECLARED) -> Any:
        async with self.http.stream("POST", **self.request(method, params or {}, capabilities)) as answer:
            message = await outcome(answer)
            message["status"] = answer.status_code
            return message

    async def call(self, tool: str, capabilities: Any = DECLARED, **arguments: Any) -> Any:
        return (await self.ask("tools/call", {"name": tool, "arguments": arguments}, capabilities))["result"]

    async def until(self, task_id: str, *statuses: str) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE):
            while True:
                task: dict[str, Any] = (await self.ask("tasks/get", {"taskId": task_id}))["result"]
                if task["status"] in statuses:
                    return task
                await asyncio.sleep(0.1)  # polling is what this client does


@pytest.fixture
async def modern(hosted: Hosted) -> AsyncIterator[ModernTasks]:
    async with httpx.AsyncClient(timeout=PATIENCE) as http:
        yield ModernTasks(hosted.url, hosted.token, http)


@pytest.fixture
async def other(hosted: Hosted) -> AsyncIterator[ModernTasks]:
    async with httpx.AsyncClient(timeout=PATIENCE) as http:
        yield ModernTasks(hosted.url, hosted.stranger, http)


async def test_the_extension_is_named_and_nothing_of_2025(modern: ModernTasks) -> None:
    capabilities = (await modern.ask("server/discover"))["result"]["capabilities"]
    assert capabilities["extensions"][EXTENSION] == {}
    assert "tasks" not in capabilities


async def test_a_quick_call_is_no_task(modern: ModernTasks) -> None:
    result = await modern.call("echo", text="hi")
    assert result["resultType"] == "complete"
    assert result["content"] == [{"type": "text", "text": "hi"}]


async def test_a_long_call_becomes_a_task_and_runs_once(modern: ModernTasks) -> None:
    created = await modern.call("slow", seconds=3)
    assert created["resultType"] == "task"
    assert created["status"] == "working"
    assert isinstance(created["ttlMs"], int)
    assert not {"task", "result", "error", "inputRequests", "requestState", "ttl", "pollInterval"} & created.keys()
    task = await modern.until(created["taskId"], "completed")
    assert task["resultType"] == "complete"
    assert task["result"]["content"] == [{"type": "text", "text": "done"}]
    assert "_meta" not in task["result"] or META + "related-task" not in task["result"]["_meta"]


async def test_a_tool_error_completes_the_task(modern: ModernTasks) -> None:
    created = await modern.call("slow_fail", seconds=2)
    task = await modern.until(created["taskId"], "completed", "failed")
    assert (task["status"], task["result"]["isError"]) == ("completed", True)


async def test_a_crash_fails_it_with_an_error(modern: ModernTasks) -> None:
    created = await modern.call("slow_crash", seconds=2)
    task = await modern.until(created["taskId"], "failed")
    assert isinstance(task["error"]["code"], int)
    assert "result" not in task


async def test_questions_are_shown_and_answered_by_update(modern: ModernTasks) -> None:
    created = await modern.call("slow_ask", seconds=2)
    task = await modern.until(created["taskId"], "input_required")
    ((key, question),) = task["inputRequests"].items()
    assert question["method"] == "elicitation/create"
    answer = {"action": "accept", "content": {"name": "Ada"}}
    sent = await modern.ask(
        "tasks/update", {"taskId": created["taskId"], "inputResponses": {"nobody asked": {}, key: answer}}
    )
    assert sent["result"] == {"resultType": "complete"}
    done = await modern.until(created["taskId"], "completed")
    assert json.loads(done["result"]["content"][0]["text"])["content"] == {"name": "Ada"}


async def test_cancel_is_acknowledged_however_often(modern: ModernTasks) -> None:
    created = await modern.call("slow", seconds=20)
    for _ in range(2):
        assert (await modern.ask("tasks/cancel", {"taskId": created["taskId"]}))["result"] == {"resultType": "complete"}
    assert (await modern.until(created["taskId"], "cancelled"))["status"] == "cancelled"


@pytest.mark.parametrize("method", ["tasks/get", "tasks/update", "tasks/cancel"])
async def test_without_the_extension_a_capability_is_missing(modern: ModernTasks, method: str) -> None:
    message = await modern.ask(method, {"taskId": "x", "inputResponses": {}}, capabilities={})
    assert message["status"] == 400
    assert message["error"]["code"] == -32021
    assert message["error"]["data"] == {"requiredCapabilities": {"extensions": {EXTENSION: {}}}}


@pytest.mark.parametrize("method", ["tasks/get", "tasks/update", "tasks/cancel"])
async def test_anothers_task_is_unknown_like_one_that_never_was(
    modern: ModernTasks, other: ModernTasks, method: str
) -> None:
    created = await modern.call("slow", seconds=3)
    errors = [
        (await other.ask(method, {"taskId": task_id, "inputResponses": {}}))["error"]
        for task_id in (created["taskId"], "x" * len(created["taskId"]))
    ]
    assert errors[0] == errors[1]
    assert errors[0]["code"] == -32602
    assert (await modern.until(created["taskId"], "completed"))["status"] == "completed"


@pytest.mark.parametrize("method", ["tasks/result", "tasks/list"])
async def test_methods_of_2025_are_unknown(modern: ModernTasks, method: str) -> None:
    assert (await modern.ask(method, {"taskId": "x"}))["error"]["code"] == -32601


async def test_a_listener_is_told_of_its_tasks_and_of_no_others(modern: ModernTasks, other: ModernTasks) -> None:
    created = await modern.call("slow", seconds=3)
    foreign = await other.call("slow", seconds=3)
    wanted = {"notifications": {"taskIds": [created["taskId"], foreign["taskId"]]}}
    async with modern.http.stream("POST", **modern.request("subscriptions/listen", wanted)) as answer:
        seen = []
        async for event in events(answer):
            if event.data:
                seen.append(event.data)
                if event.data["params"].get("status") == "completed":
                    break
    assert seen[0]["method"] == "notifications/subscriptions/acknowledged"
    assert seen[0]["params"]["notifications"] == {"taskIds": [created["taskId"]]}
    assert {message["method"] for message in seen[1:]} == {"notifications/tasks"}
    assert {message["params"]["taskId"] for message in seen[1:]} == {created["taskId"]}
    assert all(META + "subscriptionId" in message["params"]["_meta"] for message in seen)
    assert seen[-1]["params"]["result"]["content"] == [{"type": "text", "text": "done"}]
