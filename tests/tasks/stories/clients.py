"""The Python SDK's client in the three ways in which clients know tasks, behind one set of verbs.

`Legacy` speaks 2025-11-25 and asks for tasks, `Modern` speaks 2026-07-28 and declares io.modelcontextprotocol/tasks,
`Plain` knows no tasks and reads what it is told.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Literal, TypeVar

import httpx2
from mcp import Client
from mcp.client.extension import ClaimContext, ClientExtension, ResultClaim
from mcp.client.streamable_http import streamable_http_client
from mcp_types import (
    CallToolRequestParams,
    CallToolResult,
    CancelTaskRequest,
    CancelTaskRequestParams,
    CancelTaskResult,
    CreateTaskResult,
    ElicitResult,
    GetTaskPayloadRequest,
    GetTaskPayloadRequestParams,
    GetTaskRequest,
    GetTaskRequestParams,
    GetTaskResult,
    Request,
    RequestParams,
    Result,
    SamplingCapability,
    SamplingToolsCapability,
    TaskMetadata,
    TextContent,
)
from pydantic import Field

SECONDS = 60.0
POLL_SECONDS = 0.15
MODERN = "2026-07-28"
EXTENSION = "io.modelcontextprotocol/tasks"
OVER = frozenset({"completed", "failed", "cancelled"})
_HANDED_OFF = re.compile(r"as task ([\w-]{32})")
T = TypeVar("T", bound=Result)


class Person:
    """Who sits at a client: what they are asked, what they see, and what they say to it."""

    def __init__(
        self,
        choose: Callable[[str, list[str]], str] | None = None,
        sample: Callable[[Any], Any] | None = None,
    ) -> None:
        """`choose(message, options)` is "" to decline; `sample(params)` has params as on the wire, and gives a
        CreateMessageResult of either kind."""
        self.asked: list[str] = []
        self.progress: list[tuple[float, float | None, str | None]] = []
        self.choose = choose
        self.sample = sample

    async def elicit(self, context: Any, params: Any) -> ElicitResult:
        return self.answer(params.message, params.requested_schema)

    def answer(self, message: str, schema: Any) -> ElicitResult:
        self.asked.append(message)
        assert self.choose is not None
        choice = self.choose(message, schema["properties"]["choice"]["enum"])
        return ElicitResult(action="accept", content={"choice": choice}) if choice else ElicitResult(action="decline")

    async def sampled(self, context: Any, params: Any) -> Any:
        assert self.sample is not None
        return self.sample(params.model_dump(by_alias=True, mode="json", exclude_none=True))

    async def progressed(self, progress: float, total: float | None, message: str | None) -> None:
        self.progress.append((progress, total, message))


def text_of(result: CallToolResult) -> str:
    block = result.content[0]
    assert isinstance(block, TextContent)
    return block.text


class Legacy:
    """A session of 2025-11-25.

    The SDK's 2.x has the types of its tasks, but takes no CreateTaskResult as the answer of a tool; so that one answer
    goes past its check. `test_other_sdks.py` has the clients that were made for it.
    """

    mode = "legacy"

    def __init__(self, client: Client, person: Person) -> None:
        self.client = client
        self.person = person

    @classmethod
    def extensions(cls, person: Person) -> Sequence[ClientExtension]:
        return ()

    async def send(self, request: Request[Any, Any], result: type[T], **options: Any) -> T:
        return await self.client.session.send_request(request, result, **options)

    async def start(self, tool: str, **arguments: Any) -> str:
        params = CallToolRequestParams(name=tool, arguments=arguments, task=TaskMetadata(ttl=600_000))
        body = params.model_dump(by_alias=True, mode="json", exclude_none=True)
        raw = await self.client.session._dispatcher.send_raw_request("tools/call", body, {"timeout": SECONDS})
        return CreateTaskResult.model_validate(raw, by_name=False).task.task_id

    async def status(self, task_id: str) -> str:
        return (await self.send(GetTaskRequest(params=GetTaskRequestParams(task_id=task_id)), GetTaskResult)).status

    async def result(self, task_id: str) -> CallToolResult:
        """Waits for the end, and answers what is asked meanwhile."""
        asked = GetTaskPayloadRequest(params=GetTaskPayloadRequestParams(task_id=task_id))
        return await self.send(asked, CallToolResult, request_read_timeout_seconds=SECONDS)

    async def cancel(self, task_id: str) -> None:
        asked = CancelTaskRequest(params=CancelTaskRequestParams(task_id=task_id))
        await self.send(asked, CancelTaskResult)


class TaskCreated(Result):
    """CreateTaskResult of the extension."""

    result_type: Literal["task"] = Field(alias="resultType")
    task_id: str = Field(alias="taskId")


class TaskGot(Result):
    """GetTaskResult of the extension. `input_requests`: by key, method and params."""

    status: str
    status_message: str | None = Field(default=None, alias="statusMessage")
    input_requests: dict[str, Any] = Field(default_factory=dict, alias="inputRequests")
    result: dict[str, Any] | None = None
    error: dict[str, Any] | None = None


class _TaskParams(RequestParams):
    task_id: str = Field(alias="taskId")
    input_responses: dict[str, Any] | None = Field(default=None, alias="inputResponses")


class _TaskRequest(Request[_TaskParams, str]):
    name_param = "taskId"


def asked(method: str, task_id: str, responses: dict[str, Any] | None = None) -> _TaskRequest:
    return _TaskRequest(method=method, params=_TaskParams(taskId=task_id, inputResponses=responses))


class Tasks(ClientExtension):
    """io.modelcontextprotocol/tasks: a call whose answer is a task is followed to its end."""

    identifier = EXTENSION

    def __init__(self, person: Person) -> None:
        self._person = person

    def claims(self) -> Sequence[ResultClaim[Any]]:
        return [ResultClaim(result_type="task", model=TaskCreated, resolve=self._resolve)]

    async def _resolve(self, created: TaskCreated, context: ClaimContext) -> CallToolResult:
        return await followed(context.session, created.task_id, self._person)


async def followed(session: Any, task_id: str, person: Person) -> CallToolResult:
    """Polls until the task is over, and answers what it asks."""
    answered: set[str] = set()
    while True:
        task = await session.send_request(asked("tasks/get", task_id), TaskGot)
        if task.status == "completed":
            return CallToolResult.model_validate(task.result)
        assert task.status not in OVER, (task.status, task.status_message, task.error)
        answers: dict[str, Any] = {}
        for key in task.input_requests.keys() - answered:
            answers[key] = await _answer(task.input_requests[key], person)
        if answers:
            answered |= answers.keys()
            await session.send_request(asked("tasks/update", task_id, answers), Result)
        else:
            await asyncio.sleep(POLL_SECONDS)  # polling is what this client does


async def _answer(request: dict[str, Any], person: Person) -> Any:
    if request["method"] == "elicitation/create":
        params = request["params"]
        found: Any = person.answer(params["message"], params["requestedSchema"])
    else:
        assert request["method"] == "sampling/createMessage" and person.sample is not None
        found = person.sample(request["params"])
    return found.model_dump(by_alias=True, mode="json", exclude_none=True)


class Modern(Legacy):
    mode = MODERN

    @classmethod
    def extensions(cls, person: Person) -> Sequence[ClientExtension]:
        return (Tasks(person),)

    async def start(self, tool: str, **arguments: Any) -> str:
        found = await self.client.session.call_tool(tool, arguments, allow_claimed=True, allow_input_required=True)
        assert isinstance(found, TaskCreated), found
        return found.task_id

    async def status(self, task_id: str) -> str:
        return (await self.send(asked("tasks/get", task_id), TaskGot)).status

    async def result(self, task_id: str) -> CallToolResult:
        return await followed(self.client.session, task_id, self.person)

    async def cancel(self, task_id: str) -> None:
        await self.send(asked("tasks/cancel", task_id), Result)


class Plain(Legacy):
    """It has heard of tasks in no way. Its deployment hands calls off after a second."""

    mode = "legacy"

    async def start(self, tool: str, **arguments: Any) -> str:
        result = await self.client.call_tool(tool, arguments, progress_callback=self.person.progressed)
        found = _HANDED_OFF.search(text_of(result))
        assert found is not None, result
        return found[1]

    async def status(self, task_id: str) -> str:
        words = text_of(await self.client.call_tool("task_status", {"task_id": task_id}))
        return "working" if "still running" in words else words

    async def result(self, task_id: str) -> CallToolResult:
        async with asyncio.timeout(SECONDS):
            while True:
                result = await self.client.call_tool("task_result", {"task_id": task_id})
                if "still running" not in text_of(result):
                    return result

    async def cancel(self, task_id: str) -> None:
        await self.client.call_tool("task_cancel", {"task_id": task_id})


@asynccontextmanager
async def connect(kind: type[Legacy], url: str, token: str, person: Person | None = None) -> AsyncIterator[Any]:
    """One of the three, connected. Capabilities are declared as far as `person` can do something."""
    person = person or Person()
    options: dict[str, Any] = {}
    if person.choose is not None:
        options["elicitation_callback"] = person.elicit
    if person.sample is not None:
        options["sampling_callback"] = person.sampled
        options["sampling_capabilities"] = SamplingCapability(tools=SamplingToolsCapability())
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=SECONDS) as http,
        Client(
            streamable_http_client(url, http_client=http),
            mode=kind.mode,
            extensions=kind.extensions(person),
            **options,
        ) as client,
    ):
        yield kind(client, person)
