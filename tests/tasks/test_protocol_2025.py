"""2025-11-25 basic/utilities/tasks, rule by rule: transitions, error codes, metadata. Each test names the rule."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.e2e.http_client import events
from tests.tasks.conftest import PATIENCE, Hosted, LegacyTasks

META = "io.modelcontextprotocol/"
RELATED = META + "related-task"
TERMINAL = {"completed", "failed", "cancelled"}
ACCEPT = {"action": "accept", "content": {"name": "Ada"}}
STRICT = """
from events.actors import OPERATOR
from hosting.configuration import configuring
from hosting.tools import records as tools
from hosting.models import Deployment
strict, off = (Deployment.objects.get(name=name) for name in ("strict", "off"))
for name, support in (("echo", "forbidden"), ("slow", "required")):
    tools.tool_task_support_set(actor=OPERATOR, deployment=strict, name=name, support=support)
configuring.tasks_set(actor=OPERATOR, deployment=off, has_tasks=False)
"""


async def messages_until(seen: Any, wanted: str) -> Any:
    """The next message of a stream that has that method, or that member."""
    async for event in seen:
        if event.data and (event.data.get("method") == wanted or wanted in event.data):
            return event.data
    raise AssertionError(f"the stream ended without {wanted}")


async def reply(client: LegacyTasks, question: Any, result: Any = ACCEPT) -> None:
    body = {"jsonrpc": "2.0", "id": question["id"], "result": result}
    assert (await client._http.post(client.url, headers=client.headers, json=body)).status_code == 202


# --- creation


async def test_a_task_begins_as_working_however_quick_it_is(legacy: LegacyTasks) -> None:
    message = await legacy.ask("tools/call", {"name": "echo", "arguments": {"text": "x"}, "task": {}})
    assert message["result"]["task"]["status"] == "working"


async def test_the_answer_to_the_call_names_its_task_in_its_meta(legacy: LegacyTasks) -> None:
    message = await legacy.ask("tools/call", {"name": "echo", "arguments": {}, "task": {}})
    task_id = message["result"]["task"]["taskId"]
    assert message["result"]["_meta"][RELATED] == {"taskId": task_id}
    assert task_id in message["result"]["_meta"][META + "model-immediate-response"]


async def test_ids_are_strings_and_no_two_are_alike(legacy: LegacyTasks) -> None:
    ids = [(await legacy.start("echo"))["taskId"] for _ in range(3)]
    assert all(isinstance(each, str) and len(each) >= 32 for each in ids)
    assert len(set(ids)) == 3


@pytest.mark.parametrize("task", [{}, {"ttl": None}, {"ttl": 0}, {"ttl": 90_000.0}])
async def test_the_actual_ttl_is_told_whatever_was_wanted(legacy: LegacyTasks, task: Any) -> None:
    created = await legacy.start("echo", task)
    assert created["ttl"] == {None: 86_400_000, 0: 60_000, 90_000.0: 90_000}[task.get("ttl")]
    assert (await legacy.get(created["taskId"]))["result"]["ttl"] >= created["ttl"]


# --- transitions


async def test_working_to_completed(legacy: LegacyTasks) -> None:
    task = await legacy.start("echo", text="x")
    done = await legacy.until(task["taskId"], *TERMINAL)
    assert done["status"] == "completed"
    assert done["lastUpdatedAt"] >= done["createdAt"] == task["createdAt"]
    assert "pollInterval" not in done


async def test_working_to_failed_with_words(legacy: LegacyTasks) -> None:
    done = await legacy.until((await legacy.start("link", code=-32050))["taskId"], *TERMINAL)
    assert done["status"] == "failed"
    assert done["statusMessage"] == "Something is needed first"


async def test_working_to_cancelled_before_the_answer_is_sent(legacy: LegacyTasks) -> None:
    task = await legacy.start("slow", seconds=30)
    assert (await legacy.ask("tasks/cancel", {"taskId": task["taskId"]}))["result"]["status"] == "cancelled"
    assert (await legacy.get(task["taskId"]))["result"]["status"] == "cancelled"


async def test_working_to_input_required_to_working_to_completed(legacy: LegacyTasks) -> None:
    task = await legacy.start("twice")
    first = await legacy.until(task["taskId"], "input_required")
    assert first["pollInterval"] > 0
    async with legacy.post("tasks/result", {"taskId": task["taskId"]}) as answer:
        seen = events(answer)
        for _ in range(2):
            await reply(legacy, await messages_until(seen, "elicitation/create"))
        final = await messages_until(seen, "result")
    assert json.loads(final["result"]["content"][0]["text"]) == [ACCEPT, ACCEPT]
    assert (await legacy.get(task["taskId"]))["result"]["status"] == "completed"


async def test_input_required_to_cancelled(legacy: LegacyTasks) -> None:
    task = await legacy.start("ask")
    await legacy.until(task["taskId"], "input_required")
    assert (await legacy.ask("tasks/cancel", {"taskId": task["taskId"]}))["result"]["status"] == "cancelled"
    message = await legacy.ask("tasks/result", {"taskId": task["taskId"]})
    assert message["error"]["data"] == {"reason": "cancelled"}


async def test_input_required_to_failed(legacy: LegacyTasks) -> None:
    """Its server dies of something else while it waits for an answer."""
    task = await legacy.start("ask")
    await legacy.until(task["taskId"], "input_required")
    await legacy.start("crash")
    failed = await legacy.until(task["taskId"], *TERMINAL)
    assert (failed["status"], "exited with code 3" in failed["statusMessage"]) == ("failed", True)


# --- results


async def test_result_of_a_jsonrpc_error_is_that_same_error(legacy: LegacyTasks) -> None:
    task = await legacy.start("link", code=-32050)
    message = await legacy.ask("tasks/result", {"taskId": task["taskId"]})
    assert (message["error"]["code"], message["error"]["message"]) == (-32050, "Something is needed first")
    assert message["error"]["data"]["elicitations"][0]["elicitationId"] == "e1"


async def test_result_of_a_page_that_the_client_can_not_open_names_it_in_words(legacy: LegacyTasks) -> None:
    task = await legacy.start("link")
    message = await legacy.ask("tasks/result", {"taskId": task["taskId"]})
    assert message["result"]["isError"] and "https://example.org/go" in message["result"]["content"][0]["text"]


async def test_result_of_a_tool_error_is_that_result_and_names_its_task(legacy: LegacyTasks) -> None:
    task = await legacy.start("fail")
    message = await legacy.ask("tasks/result", {"taskId": task["taskId"]})
    assert message["result"] == {
        "content": [{"type": "text", "text": "it failed"}],
        "isError": True,
        "_meta": {RELATED: {"taskId": task["taskId"]}},
    }


async def test_result_may_be_had_again_until_the_ttl_is_over(legacy: LegacyTasks) -> None:
    task = await legacy.start("echo", text="kept")
    for _ in range(2):
        message = await legacy.ask("tasks/result", {"taskId": task["taskId"]})
        assert message["result"]["content"][0]["text"] == "kept"


# --- messages of a task


async def test_progress_names_its_task_in_its_meta(legacy: LegacyTasks) -> None:
    params = {"name": "progress", "arguments": {"steps": 3, "pause": 1.1}, "task": {}, "_meta": {"progressToken": 7}}
    task = (await legacy.ask("tools/call", params))["result"]["task"]
    async with legacy.post("tasks/result", {"taskId": task["taskId"]}) as answer:
        step = await messages_until(events(answer), "notifications/progress")
    assert step["params"]["_meta"] == {RELATED: {"taskId": task["taskId"]}}


async def test_status_notifications_have_the_whole_task_and_no_related_task(legacy: LegacyTasks) -> None:
    task = await legacy.start("slow_ask", seconds=4)
    async with legacy.post("tasks/result", {"taskId": task["taskId"]}) as answer:
        status = await messages_until(events(answer), "notifications/tasks/status")
    assert status["params"]["taskId"] == task["taskId"]
    assert status["params"]["status"] == "input_required"
    assert {"createdAt", "lastUpdatedAt", "ttl", "pollInterval"} <= status["params"].keys()
    assert "_meta" not in status["params"]


@pytest.mark.parametrize("method", ["tasks/get", "tasks/cancel", "tasks/list"])
async def test_what_has_the_id_in_it_has_no_related_task(legacy: LegacyTasks, method: str) -> None:
    task = await legacy.start("slow", seconds=5)
    result = (await legacy.ask(method, {"taskId": task["taskId"]} if method != "tasks/list" else {}))["result"]
    assert "_meta" not in result
    assert all("_meta" not in each for each in result.get("tasks", []))


async def test_the_parameter_counts_and_not_the_metadata_of_a_request(legacy: LegacyTasks) -> None:
    wanted, other = await legacy.start("echo", text="wanted"), await legacy.start("echo", text="other")
    meta = {RELATED: {"taskId": other["taskId"]}}
    params = {"taskId": wanted["taskId"], "_meta": meta}
    assert (await legacy.ask("tasks/get", params))["result"]["taskId"] == wanted["taskId"]
    assert (await legacy.ask("tasks/result", params))["result"]["content"][0]["text"] == "wanted"


# --- errors


@pytest.mark.parametrize("method", ["tasks/get", "tasks/result", "tasks/cancel"])
@pytest.mark.parametrize("task_id", ["", "nonexistent", "x\0y", "ä" * 40])
async def test_unknown_ids_are_invalid_params(legacy: LegacyTasks, method: str, task_id: str) -> None:
    error = (await legacy.ask(method, {"taskId": task_id}))["error"]
    assert (error["code"], error["message"]) == (-32602, "Failed to retrieve task: Task not found")


@pytest.mark.parametrize("how", ["completed", "failed", "cancelled"])
async def test_what_is_over_can_not_be_cancelled(legacy: LegacyTasks, how: str) -> None:
    tool = {"completed": "echo", "failed": "fail", "cancelled": "slow"}[how]
    task = await legacy.start(tool, seconds=30)
    if how == "cancelled":
        await legacy.ask("tasks/cancel", {"taskId": task["taskId"]})
    await legacy.until(task["taskId"], how)
    assert (await legacy.ask("tasks/cancel", {"taskId": task["taskId"]}))["error"]["code"] == -32602
    assert (await legacy.get(task["taskId"]))["result"]["status"] == how


async def test_a_late_answer_to_a_question_is_ignored(legacy: LegacyTasks) -> None:
    task = await legacy.start("ask")
    async with legacy.post("tasks/result", {"taskId": task["taskId"]}) as answer:
        seen = events(answer)
        question = await messages_until(seen, "elicitation/create")
        await reply(legacy, question)
        final = await messages_until(seen, "result")
    await reply(legacy, question, {"action": "decline"})
    assert json.loads(final["result"]["content"][0]["text"]) == ACCEPT
    again = await legacy.ask("tasks/result", {"taskId": task["taskId"]})
    assert again["result"]["content"] == final["result"]["content"]


# --- negotiation


@pytest.fixture(scope="module")
def switched(hosted: Hosted) -> dict[str, tuple[str, str]]:
    """URL and token: `strict` has a tool that must and one that must not run as a task, `off` has no tasks."""
    found = {}
    for name in ("strict", "off"):
        url = hosted.site.manage("host", "pypi:slipway-test-legacy", "--owner", "alice", "--name", name).stdout.strip()
        words = ("issue_token", "--user", "alice", "--deployment", f"alice/{name}")
        found[name] = url, hosted.site.manage(*words).stdout.strip()
    hosted.site.manage("shell", "-c", STRICT)
    return found


@pytest.fixture
async def strict(switched: dict[str, tuple[str, str]]) -> AsyncIterator[LegacyTasks]:
    async with httpx.AsyncClient(timeout=PATIENCE) as http:
        client = LegacyTasks(*switched["strict"], http)
        await client.initialize()
        yield client


async def test_tools_say_whether_they_run_as_tasks(strict: LegacyTasks) -> None:
    tools = (await strict.ask("tools/list"))["result"]["tools"]
    support = {tool["name"]: tool["execution"]["taskSupport"] for tool in tools if "execution" in tool}
    assert (support["echo"], support["slow"], support["ask"]) == ("forbidden", "required", "optional")


async def test_a_tool_that_must_not_run_as_a_task_is_method_not_found(strict: LegacyTasks) -> None:
    message = await strict.ask("tools/call", {"name": "echo", "arguments": {}, "task": {}})
    assert message["error"]["code"] == -32601
    assert await strict.call("echo", text="plain") == "plain"


async def test_a_tool_that_must_run_as_a_task_is_method_not_found_without(strict: LegacyTasks) -> None:
    message = await strict.ask("tools/call", {"name": "slow", "arguments": {"seconds": 0}})
    assert message["error"]["code"] == -32601
    assert (await strict.start("slow", seconds=0))["status"] == "working"


async def test_a_modern_client_without_the_extension_lacks_a_capability_for_it(
    switched: dict[str, tuple[str, str]],
) -> None:
    from tests.tasks.test_modern_clients import EXTENSION, ModernTasks

    async with httpx.AsyncClient(timeout=PATIENCE) as http:
        client = ModernTasks(*switched["strict"], http)
        refused = await client.ask("tools/call", {"name": "slow", "arguments": {"seconds": 0}}, capabilities={})
        created = await client.call("slow", seconds=3)
    assert (refused["status"], refused["error"]["code"]) == (400, -32021)
    assert refused["error"]["data"] == {"requiredCapabilities": {"extensions": {EXTENSION: {}}}}
    assert created["resultType"] == "task"


async def test_where_tasks_are_off_none_are_declared_and_what_asks_for_one_is_served_plainly(
    switched: dict[str, tuple[str, str]],
) -> None:
    async with httpx.AsyncClient(timeout=PATIENCE) as http:
        client = LegacyTasks(*switched["off"], http)
        assert "tasks" not in (await client.initialize())["result"]["capabilities"]
        message = await client.ask("tools/call", {"name": "echo", "arguments": {"text": "x"}, "task": {"ttl": 1}})
    assert message["result"]["content"] == [{"type": "text", "text": "x"}]
