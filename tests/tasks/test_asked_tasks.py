"""Task-augmented elicitation over HTTP: a client that offers it has the task; for a task of ours the runner has it."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.e2e.http_client import HttpClient, events
from tests.tasks.conftest import PATIENCE, Hosted, LegacyTasks

RELATED = "io.modelcontextprotocol/related-task"
TASKS: dict[str, Any] = {
    "list": {},
    "cancel": {},
    "requests": {"elicitation": {"create": {}}, "sampling": {"createMessage": {}}},
}
ASKS = {"method": "elicitation/create", "params": {"message": "Go on?", "requestedSchema": {}}}
SAMPLES: dict[str, Any] = {
    "method": "sampling/createMessage",
    "params": {"messages": [{"role": "user", "content": {"type": "text", "text": "Go on?"}}], "maxTokens": 5},
}
ACCEPT: dict[str, Any] = {"action": "accept", "content": {"name": "Ada"}}
SAMPLE: dict[str, Any] = {"role": "assistant", "model": "none", "content": {"type": "text", "text": "on"}}


class Answering(LegacyTasks):
    """Offers questions as tasks; answers whatever is asked on a stream, and notes it."""

    async def until_answered(self, answer: httpx.Response, answers: dict[str, Any]) -> tuple[list[Any], Any]:
        """All requests of the server on this stream, and the response."""
        asked = []
        async for event in events(answer):
            message = event.data
            if message and "method" in message and "id" in message:
                asked.append(message)
                body = {"jsonrpc": "2.0", "id": message["id"], "result": answers[message["method"]]}
                sent = await self._http.post(self.url, headers=self.headers, json=body)
                assert sent.status_code == 202
            elif message and "id" in message:
                return asked, message
        raise AssertionError("the stream ended without a response")


async def client(hosted: Hosted, http: httpx.AsyncClient) -> Answering:
    made = Answering(hosted.url, hosted.token, http)
    made.capabilities = {"elicitation": {}, "sampling": {}, "tasks": TASKS}
    await made.initialize()
    return made


@pytest.mark.parametrize(("question", "reply"), [(ASKS, ACCEPT), (SAMPLES, SAMPLE)])
async def test_the_client_has_the_task_and_is_asked_for_it(hosted: Hosted, question: Any, reply: Any) -> None:
    own = {"taskId": "mine", "status": "working", "createdAt": "x", "lastUpdatedAt": "x", "ttl": 60000}
    done = {**own, "status": "completed"}
    answers = {question["method"]: {"task": own}, "tasks/get": own, "tasks/result": reply, "tasks/cancel": done}
    async with httpx.AsyncClient(timeout=PATIENCE) as http:
        asking = await client(hosted, http)
        async with asking.post("tools/call", {"name": "entrust", "arguments": question}) as answer:
            asked, response = await asking.until_answered(answer, answers)
    assert [message["method"] for message in asked] == [
        question["method"], "tasks/get", "tasks/result", "tasks/get", "tasks/cancel",
    ]  # fmt: skip
    assert asked[0]["params"]["task"] == {"ttl": 60000}
    assert all(message["params"] == {"taskId": "mine"} for message in asked[1:])
    assert json.loads(response["result"]["content"][0]["text"]) == [{"task": own}, own, reply, own, done]


async def test_what_a_task_asks_is_a_plain_question_on_its_result_stream(hosted: Hosted) -> None:
    async with httpx.AsyncClient(timeout=PATIENCE) as http:
        asking = await client(hosted, http)
        task = await asking.start("entrust", **ASKS)
        async with asking.post("tasks/result", {"taskId": task["taskId"]}) as answer:
            asked, response = await asking.until_answered(answer, {"elicitation/create": ACCEPT})
    assert [message["method"] for message in asked] == ["elicitation/create"]
    assert "task" not in asked[0]["params"]
    assert asked[0]["params"]["_meta"] == {RELATED: {"taskId": task["taskId"]}}
    created, _, result, after, _ = json.loads(response["result"]["content"][0]["text"])
    inner = created["task"]["taskId"]
    assert inner != task["taskId"]
    assert (result, after["status"]) == ({**ACCEPT, "_meta": {RELATED: {"taskId": inner}}}, "completed")


async def test_a_client_that_does_not_offer_it_is_asked_plainly(hosted: Hosted) -> None:
    async with httpx.AsyncClient(timeout=PATIENCE) as http:
        asking = Answering(hosted.url, hosted.token, http)
        await HttpClient.initialize(asking)
        async with asking.post("tools/call", {"name": "entrust", "arguments": ASKS}) as answer:
            asked, response = await asking.until_answered(answer, {"elicitation/create": ACCEPT})
    assert "task" not in asked[0]["params"]
    assert json.loads(response["result"]["content"][0]["text"]) == [ACCEPT]
