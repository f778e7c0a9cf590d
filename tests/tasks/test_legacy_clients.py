"""Tasks toward clients of 2025-11-25 (basic/utilities/tasks), at a server that has never heard of them."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime
from typing import Any

import httpx
import pytest

from tests.e2e.http_client import HttpClient, events
from tests.tasks.conftest import PATIENCE, Hosted, LegacyTasks

RELATED = "io.modelcontextprotocol/related-task"
IMMEDIATE = "io.modelcontextprotocol/model-immediate-response"


async def test_the_capability_is_declared_since_the_revision_that_has_it(hosted: Hosted) -> None:
    async with httpx.AsyncClient(timeout=PATIENCE) as http:
        client = HttpClient(hosted.url, hosted.token, http)
        capabilities = (await client.initialize())["result"]["capabilities"]
    assert capabilities["tasks"] == {"list": {}, "cancel": {}, "requests": {"tools": {"call": {}}}}
    assert capabilities["tools"] == {"listChanged": True}


async def test_a_task_is_created_at_once_and_its_result_comes_when_it_is_done(legacy: LegacyTasks) -> None:
    message = await legacy.ask("tools/call", {"name": "slow", "arguments": {"seconds": 3}, "task": {"ttl": 120_000}})
    task = message["result"]["task"]
    assert task["status"] == "working"
    assert task["ttl"] == 120_000
    assert task["pollInterval"] > 0
    for name in ("createdAt", "lastUpdatedAt"):
        datetime.fromisoformat(task[name])
    assert isinstance(message["result"]["_meta"][IMMEDIATE], str)
    async with legacy.post("tasks/result", {"taskId": task["taskId"]}) as answer:
        assert answer.headers["Content-Type"] == "text/event-stream"  # it waits, rather than answering at once
        (final,) = [e.data async for e in events(answer) if e.data and "result" in e.data]
    assert final["result"]["content"] == [{"type": "text", "text": "done"}]
    assert final["result"]["_meta"][RELATED] == {"taskId": task["taskId"]}
    done = (await legacy.get(task["taskId"]))["result"]
    assert done["status"] == "completed"
    assert "_meta" not in done


async def test_a_tool_error_is_a_failed_task_whose_result_is_the_tools(legacy: LegacyTasks) -> None:
    task = await legacy.start("fail")
    await legacy.until(task["taskId"], "failed")
    message = await legacy.ask("tasks/result", {"taskId": task["taskId"]})
    assert message["result"]["isError"] is True


async def test_a_crash_of_the_server_is_told(legacy: LegacyTasks) -> None:
    task = await legacy.start("crash")
    failed = await legacy.until(task["taskId"], "failed")
    assert "exited with code 3" in failed["statusMessage"]
    message = await legacy.ask("tasks/result", {"taskId": task["taskId"]})
    assert message["error"]["data"]["reason"] == "lost"


async def test_progress_comes_with_the_token_of_the_call(legacy: LegacyTasks) -> None:
    params: dict[str, Any] = {"name": "progress", "arguments": {"steps": 3, "pause": 1.2}, "task": {}}
    params["_meta"] = {"progressToken": "mine"}
    task = (await legacy.ask("tools/call", params))["result"]["task"]
    async with legacy.post("tasks/result", {"taskId": task["taskId"]}) as answer:
        seen = [event.data async for event in events(answer) if event.data]
    steps = [m["params"] for m in seen if m.get("method") == "notifications/progress"]
    assert steps and all(step["progressToken"] == "mine" for step in steps)
    assert "result" in seen[-1]


async def test_a_question_rides_on_the_result_stream_and_its_answer_lets_the_task_go_on(legacy: LegacyTasks) -> None:
    task = await legacy.start("ask")
    await legacy.until(task["taskId"], "input_required")
    async with legacy.post("tasks/result", {"taskId": task["taskId"]}) as answer:
        seen = events(answer)
        async for event in seen:
            if event.data and event.data.get("method") == "elicitation/create":
                break
        question = event.data
        assert question["params"]["_meta"][RELATED] == {"taskId": task["taskId"]}
        reply = {"jsonrpc": "2.0", "id": question["id"], "result": {"action": "accept", "content": {"name": "Ada"}}}
        sent = await legacy._http.post(legacy.url, headers=legacy.headers, json=reply)
        assert sent.status_code == 202
        rest = [event.data async for event in seen if event.data]
    assert json.loads(rest[-1]["result"]["content"][0]["text"])["content"] == {"name": "Ada"}


async def test_cancelled_stays_cancelled_and_can_not_be_cancelled_twice(legacy: LegacyTasks) -> None:
    task = await legacy.start("slow", seconds=2)
    cancelled = (await legacy.ask("tasks/cancel", {"taskId": task["taskId"]}))["result"]
    assert cancelled["status"] == "cancelled"
    again = await legacy.ask("tasks/cancel", {"taskId": task["taskId"]})
    assert again["error"]["code"] == -32602
    await asyncio.sleep(2.5)  # the tool has come to its end meanwhile
    assert (await legacy.get(task["taskId"]))["result"]["status"] == "cancelled"


async def test_the_list_has_all_of_them_page_by_page(legacy: LegacyTasks) -> None:
    mine = {(await legacy.start("echo", text=str(number)))["taskId"] for number in range(55)}
    seen: list[str] = []
    cursor: dict[str, Any] = {}
    while True:
        page = (await legacy.ask("tasks/list", cursor))["result"]
        seen += [task["taskId"] for task in page["tasks"]]
        if "nextCursor" not in page:
            break
        cursor = {"cursor": page["nextCursor"]}
    assert mine <= set(seen)
    assert len(seen) == len(set(seen))


@pytest.mark.parametrize("method", ["tasks/get", "tasks/result", "tasks/cancel"])
async def test_anothers_task_is_unknown_like_one_that_never_was(
    legacy: LegacyTasks, stranger: LegacyTasks, method: str
) -> None:
    task = await legacy.start("slow", seconds=1)
    foreign = await stranger.ask(method, {"taskId": task["taskId"]})
    unknown = await stranger.ask(method, {"taskId": "x" * len(task["taskId"])})
    assert foreign["error"] == unknown["error"]
    assert foreign["error"]["code"] == -32602
    listed = (await stranger.ask("tasks/list"))["result"]["tasks"]
    assert task["taskId"] not in [other["taskId"] for other in listed]
    assert (await legacy.until(task["taskId"], "completed"))["status"] == "completed"


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("tasks/get", {}),
        ("tasks/get", {"taskId": 7}),
        ("tasks/get", {"taskId": "x" * 10_000}),
        ("tasks/list", {"cursor": "not one of ours"}),
        ("tools/call", {"name": "echo", "task": 5}),
        ("tools/call", {"name": "echo", "task": {"ttl": "long"}}),
        ("tools/call", {"name": "echo", "task": {"ttl": -1}}),
    ],
)
async def test_bad_params_are_told(legacy: LegacyTasks, method: str, params: Any) -> None:
    assert (await legacy.ask(method, params))["error"]["code"] == -32602


async def test_a_task_outlives_its_session(hosted: Hosted, legacy: LegacyTasks) -> None:
    async with httpx.AsyncClient(timeout=PATIENCE) as http:
        other = LegacyTasks(hosted.url, hosted.token, http)
        await other.initialize()
        task = await other.start("slow", seconds=2)
        await asyncio.sleep(0.5)
        await http.delete(other.url, headers=other.headers)
    done = await legacy.until(task["taskId"], "completed", "failed", "cancelled")
    assert done["status"] == "completed"


async def test_a_ttl_is_kept_within_the_sites_bounds(legacy: LegacyTasks) -> None:
    assert (await legacy.start("echo", {"ttl": 1}))["ttl"] == 60_000
    assert (await legacy.start("echo", {"ttl": 10**12}))["ttl"] == 86_400_000
