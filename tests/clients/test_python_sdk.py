"""The Python SDK's client: 1.x in an environment of its own, and 2.x here in each of its modes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CreateMessageResult, ElicitResult, TextContent

from tests.clients import packages
from tests.clients.conftest import CALLS, HERE, MODERN, SECONDS, Hosted, Servers, each_server, run

MODES = ["legacy", "auto", MODERN]


class Seen:
    """A person, a model and a log reader, who note what they were told."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.logs: list[Any] = []
        self.progress: list[float] = []

    async def elicit(self, context: Any, params: Any) -> ElicitResult:
        self.asked.append(params.message)
        return ElicitResult(action="accept", content={"name": "Ada"})

    async def sample(self, context: Any, params: Any) -> CreateMessageResult:
        self.asked.append(params.messages[0].content.text)
        return CreateMessageResult(role="assistant", model="none", content=TextContent(text="something"))

    async def note(self, params: Any) -> None:
        self.logs.append(params.data)

    async def progressed(self, progress: float, total: float | None, message: str | None) -> None:
        self.progress.append(progress)


@asynccontextmanager
async def connect(server: Hosted, mode: Any, seen: Seen) -> AsyncIterator[Client]:
    headers = {"Authorization": f"Bearer {server.token}"}
    callbacks: dict[str, Any] = {
        "elicitation_callback": seen.elicit,
        "sampling_callback": seen.sample,
        "logging_callback": seen.note,
    }
    if mode != "legacy":
        callbacks["log_level"] = "info"
    async with (
        httpx2.AsyncClient(headers=headers, timeout=SECONDS) as http,
        Client(streamable_http_client(server.url, http_client=http), mode=mode, **callbacks) as client,
    ):
        yield client


async def text(client: Client, tool: str, arguments: dict[str, Any] | None = None, **options: Any) -> str:
    result: Any = await client.call_tool(tool, arguments or {}, **options)
    return str(result.content[0].text)


@pytest.mark.parametrize("mode", MODES)
@each_server
async def test_2_lists_calls_and_is_asked(hosted: Servers, mode: str, server: str) -> None:
    tool, arguments, expected = CALLS[server]
    seen = Seen()
    async with connect(hosted[server], mode, seen) as client:
        assert client.protocol_version == ("2025-11-25" if mode == "legacy" else MODERN)
        names = {found.name for found in (await client.list_tools()).tools}
        assert tool in names
        assert await text(client, tool, json.loads(arguments)) == expected
        if "ask" in names:
            answered = json.loads(await text(client, "ask"))
            assert answered == {"action": "accept", "content": {"name": "Ada"}}
            assert seen.asked == ["Who?"]


@pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning")  # of logging, which goes on working
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("era", ["legacy", "modern"])
async def test_2_progress_log_sampling_and_cancelling(hosted: Servers, mode: str, era: str) -> None:
    seen = Seen()
    async with connect(hosted[f"features-{era}"], mode, seen) as client:
        await text(client, "progress", progress_callback=seen.progressed)
        if mode == "legacy":
            await client.set_logging_level("info")
        await text(client, "log")
        sampled = json.loads(await text(client, "sample"))
        before, begun = int(await text(client, "cancelled")), int(await text(client, "begun"))
        waiting = asyncio.create_task(text(client, "wait"))
        async with asyncio.timeout(SECONDS):
            while int(await text(client, "begun")) == begun:
                pass
            waiting.cancel()
            while (cancelled := int(await text(client, "cancelled")) - before) == 0:
                pass
    assert cancelled == 1
    assert seen.progress[-3:] == [1, 2, 3]
    assert seen.logs == ["hello"]
    assert sampled["content"] == {"type": "text", "text": "something"}


def leaves(error: BaseException) -> Iterator[str]:
    if isinstance(error, BaseExceptionGroup):
        for one in error.exceptions:
            yield from leaves(one)
    else:
        yield f"{type(error).__name__}: {error}"


@pytest.mark.parametrize("mode", MODES)
async def test_2_a_bad_token_is_a_401(hosted: Servers, mode: str) -> None:
    with pytest.raises(Exception) as caught:  # noqa: B017 - of the SDK's own, in groups of one
        async with connect(Hosted(hosted["legacy"].url, "bad"), mode, Seen()) as client:
            await client.list_tools()
    assert "Unauthorized: this is no token of ours" in "\n".join(leaves(caught.value))


def play(story: str, server: Hosted, *more: str) -> Any:
    outcome = run(packages.python_1(HERE / "scripts" / "python_1.py", story, server.url, server.token, *more))
    assert outcome.code == 0, outcome.errors
    return outcome.found


@each_server
def test_1_lists_calls_and_is_asked(hosted: Servers, server: str) -> None:
    tool, arguments, expected = CALLS[server]
    seen = play("call", hosted[server], tool, arguments)
    assert seen["protocol"] == "2025-11-25"
    assert tool in seen["tools"]
    assert seen["text"] == expected
    assert "no-such-tool" in seen["refused"]
    if "ask" in seen["tools"]:
        assert seen["answered"] == {"action": "accept", "content": {"name": "Ada"}}


@pytest.mark.parametrize("era", ["legacy", "modern"])
def test_1_progress_log_sampling_and_cancelling(hosted: Servers, era: str) -> None:
    seen = play("features", hosted[f"features-{era}"])
    assert seen["progress"][-3:] == [1, 2, 3]
    assert seen["logs"] == ["hello"]
    assert seen["sampled"]["content"]["text"] == "something"
    assert seen["cancelled"] == 1


def test_1_a_bad_token_is_a_401(hosted: Servers) -> None:
    assert "401" in play("refused", Hosted(hosted["legacy"].url, "bad"))["error"]


def test_1_tasks_on_both_sides(hosted: Servers) -> None:
    """2025-11-25: a tool called as a task that asks, and a question that the client takes as a task of its own."""
    seen = play("tasks", hosted["legacy"])
    accepted = {"action": "accept", "content": {"name": "Ada"}}
    assert (seen["created"], seen["answered"], seen["status"], seen["listed"]) == (
        "working", accepted, "completed", True,
    )  # fmt: skip
    created, got, result, after, _ = seen["entrusted"]
    assert created["task"]["status"] == "working"
    assert got["taskId"] == after["taskId"] == created["task"]["taskId"]
    assert (result["action"], after["status"]) == ("accept", "completed")
    assert seen["asked"] == ["Who?", "Go on?"]
    assert seen["polled"] == 2
