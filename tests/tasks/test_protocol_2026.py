"""SEP-2663 (io.modelcontextprotocol/tasks for 2026-07-28), rule by rule. Each test names the rule."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.e2e.http_client import events
from tests.tasks.test_modern_clients import EXTENSION, META, ModernTasks, modern, other  # noqa: F401 - fixtures

MISSING: dict[str, Any] = {"requiredCapabilities": {"extensions": {EXTENSION: {}}}}
TERMINAL = {"completed", "failed", "cancelled"}


def accepted(name: str) -> dict[str, Any]:
    return {"action": "accept", "content": {"name": name}}


async def update(client: ModernTasks, task_id: str, responses: Any) -> Any:
    return await client.ask("tasks/update", {"taskId": task_id, "inputResponses": responses})


# --- creation


async def test_a_created_task_can_be_had_at_once(modern: ModernTasks) -> None:  # noqa: F811
    created = await modern.call("slow", seconds=2)
    got = (await modern.ask("tasks/get", {"taskId": created["taskId"]}))["result"]
    assert (created["resultType"], got["resultType"]) == ("task", "complete")
    assert got["createdAt"] == created["createdAt"]
    assert isinstance(got["ttlMs"], int)
    assert got["pollIntervalMs"] > 0


async def test_the_server_decides_and_who_asks_for_a_task_is_not_heard(modern: ModernTasks) -> None:  # noqa: F811
    message = await modern.ask("tools/call", {"name": "echo", "arguments": {"text": "x"}, "task": {"ttl": 5}})
    assert message["result"]["resultType"] == "complete"


async def test_who_does_not_declare_the_extension_is_never_given_a_task(modern: ModernTasks) -> None:  # noqa: F811
    result = await modern.call("slow", capabilities={}, seconds=2)
    assert (result["resultType"], result["content"][0]["text"]) == ("complete", "done")


# --- states


async def test_working_has_neither_result_nor_error_nor_questions(modern: ModernTasks) -> None:  # noqa: F811
    created = await modern.call("slow", seconds=4)
    task = (await modern.ask("tasks/get", {"taskId": created["taskId"]}))["result"]
    assert task["status"] == "working"
    assert not {"result", "error", "inputRequests"} & task.keys()


async def test_failed_has_the_jsonrpc_error(modern: ModernTasks) -> None:  # noqa: F811
    created = await modern.call("slow_crash", seconds=1.5)
    task = await modern.until(created["taskId"], *TERMINAL)
    assert (task["status"], "result" in task, isinstance(task["error"]["message"], str)) == ("failed", False, True)


async def test_cancelled_has_neither_result_nor_error(modern: ModernTasks) -> None:  # noqa: F811
    created = await modern.call("slow", seconds=20)
    await modern.ask("tasks/cancel", {"taskId": created["taskId"]})
    task = await modern.until(created["taskId"], *TERMINAL)
    assert task["status"] == "cancelled"
    assert not {"result", "error"} & task.keys()


async def test_what_is_over_stays_so_when_it_is_cancelled(modern: ModernTasks) -> None:  # noqa: F811
    created = await modern.call("slow", seconds=1.5)
    await modern.until(created["taskId"], "completed")
    answer = await modern.ask("tasks/cancel", {"taskId": created["taskId"]})
    assert answer["result"] == {"resultType": "complete"}
    assert (await modern.until(created["taskId"], *TERMINAL))["status"] == "completed"


# --- questions


async def test_some_of_the_questions_may_be_answered_first(modern: ModernTasks) -> None:  # noqa: F811
    created = await modern.call("slow_both", seconds=2)
    task_id = created["taskId"]
    task = await modern.until(task_id, "input_required")
    while len(task["inputRequests"]) < 2:  # the second one follows the first
        task = await modern.until(task_id, "input_required")
    keys = {asked["params"]["message"]: key for key, asked in task["inputRequests"].items()}
    assert (await update(modern, task_id, {keys["first"]: accepted("1")}))["result"] == {"resultType": "complete"}
    task = (await modern.ask("tasks/get", {"taskId": task_id}))["result"]
    assert (task["status"], list(task["inputRequests"])) == ("input_required", [keys["second"]])
    await update(modern, task_id, {keys["first"]: accepted("late"), keys["second"]: accepted("2")})
    done = await modern.until(task_id, *TERMINAL)
    answers = json.loads(done["result"]["content"][0]["text"])
    assert {name: answer["content"]["name"] for name, answer in answers.items()} == {"first": "1", "second": "2"}
    assert "inputRequests" not in done


async def test_a_key_is_never_used_again(modern: ModernTasks) -> None:  # noqa: F811
    created = await modern.call("slow_twice", seconds=2)
    seen = []
    for name in ("1", "2"):
        task = await modern.until(created["taskId"], "input_required")
        (key,) = task["inputRequests"]
        seen.append(key)
        for late in seen[:-1]:
            await update(modern, created["taskId"], {late: accepted("late")})
        await update(modern, created["taskId"], {key: accepted(name)})
    done = await modern.until(created["taskId"], *TERMINAL)
    assert len(set(seen)) == 2
    assert [each["content"]["name"] for each in json.loads(done["result"]["content"][0]["text"])] == ["1", "2"]


async def test_answers_to_what_nobody_asked_are_ignored(modern: ModernTasks) -> None:  # noqa: F811
    created = await modern.call("slow", seconds=2)
    for responses in ({}, {"never": accepted("x")}):
        assert (await update(modern, created["taskId"], responses))["result"] == {"resultType": "complete"}


@pytest.mark.parametrize("responses", [{"q1": 5}, {"q1": "yes"}, {"q1": []}])
async def test_an_answer_is_an_object(modern: ModernTasks, responses: Any) -> None:  # noqa: F811
    created = await modern.call("slow", seconds=2)
    assert (await update(modern, created["taskId"], responses))["error"]["code"] == -32602


# --- errors


@pytest.mark.parametrize("method", ["tasks/get", "tasks/update", "tasks/cancel"])
@pytest.mark.parametrize("task_id", ["nonexistent", "x" * 5000])
async def test_unknown_ids_are_invalid_params(modern: ModernTasks, method: str, task_id: str) -> None:  # noqa: F811
    message = await modern.ask(method, {"taskId": task_id, "inputResponses": {}})
    assert message["error"]["code"] == -32602


async def test_listening_for_tasks_without_the_extension_lacks_a_capability(modern: ModernTasks) -> None:  # noqa: F811
    wanted = {"notifications": {"taskIds": ["x"]}}
    message = await modern.ask("subscriptions/listen", wanted, capabilities={})
    assert (message["status"], message["error"]["code"], message["error"]["data"]) == (400, -32021, MISSING)


# --- headers


@pytest.mark.parametrize("method", ["tasks/get", "tasks/update", "tasks/cancel"])
@pytest.mark.parametrize("name", [None, "another"])
async def test_the_name_header_is_the_tasks_id(modern: ModernTasks, method: str, name: str | None) -> None:  # noqa: F811
    created = await modern.call("slow", seconds=2)
    request = modern.request(method, {"taskId": created["taskId"], "inputResponses": {}})
    del request["headers"]["Mcp-Name"]
    if name is not None:
        request["headers"]["Mcp-Name"] = name
    answer = await modern.http.post(**request)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, -32020)
    assert (await modern.until(created["taskId"], *TERMINAL))["status"] == "completed"


# --- notifications


async def test_a_listener_is_told_each_state_as_get_would_give_it_and_no_progress(modern: ModernTasks) -> None:  # noqa: F811
    created = await modern.call("slow_ask", seconds=5)
    wanted = {"notifications": {"taskIds": [created["taskId"]]}}
    seen: list[Any] = []
    async with modern.http.stream("POST", **modern.request("subscriptions/listen", wanted)) as answer:
        async for event in events(answer):
            if not event.data:
                continue
            seen.append(event.data)
            status = event.data["params"].get("status")
            if status == "input_required":
                (key,) = event.data["params"]["inputRequests"]
                await update(modern, created["taskId"], {key: accepted("Ada")})
            if status in TERMINAL:
                break
    assert {message["method"] for message in seen[1:]} == {"notifications/tasks"}
    statuses = [message["params"]["status"] for message in seen[1:]]
    assert (statuses[0], "input_required" in statuses, statuses[-1]) == ("working", True, "completed")
    got = (await modern.ask("tasks/get", {"taskId": created["taskId"]}))["result"]
    last = {name: value for name, value in seen[-1]["params"].items() if name != "_meta"}
    assert {**last, "resultType": "complete"} == got
    assert META + "subscriptionId" in seen[-1]["params"]["_meta"]


async def test_a_listener_for_tasks_of_nobodys_is_acknowledged_with_none(modern: ModernTasks) -> None:  # noqa: F811
    wanted = {"notifications": {"taskIds": ["nonexistent"]}}
    async with modern.http.stream("POST", **modern.request("subscriptions/listen", wanted)) as answer:
        async for event in events(answer):
            if event.data:
                break
    assert event.data["params"]["notifications"] == {"taskIds": []}
