"""Several at once: two agents, a server's own agent with tools in parallel, a hundred tasks."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from mcp.shared.exceptions import MCPError
from mcp_types import CreateMessageResult, CreateMessageResultWithTools, TextContent, ToolUseContent

from tests.tasks.stories.clients import Legacy, Modern, Person, connect, text_of
from tests.tasks.stories.conftest import Workshop


async def test_two_agents_at_once(workshop: Workshop) -> None:
    """Each is asked its own questions, its answers go nowhere else, and neither knows of the other's task."""
    alice = Person(choose=lambda message, options: options[0])
    bob = Person(choose=lambda message, options: options[1])
    async with (
        connect(Legacy, *workshop.door(Legacy), alice) as first,
        connect(Modern, *workshop.door(Modern, "foreign"), bob) as second,
    ):
        tasks = await asyncio.gather(
            first.start("research", topic="ants", pause=3), second.start("research", topic="bees", pause=3)
        )
        results = await asyncio.gather(first.result(tasks[0]), second.result(tasks[1]))
        for client, foreign in ((first, tasks[1]), (second, tasks[0])):
            with pytest.raises(MCPError, match="Task not found"):
                await client.status(foreign)
    assert [text_of(result) for result in results] == ["ants, history, short", "bees, biology, long"]
    assert alice.asked == ["ants: which way?", "history of ants: how deep?"]
    assert bob.asked == ["bees: which way?", "biology of bees: how deep?"]


def model(params: dict[str, Any]) -> Any:
    """Looks at the weather in two towns at once, then writes a mail, then says so."""
    assert [tool["name"] for tool in params["tools"]] == ["weather", "mail"]
    last = params["messages"][-1]["content"]
    results = [block for block in last if block["type"] == "tool_result"] if isinstance(last, list) else []
    if not results:
        content: list[Any] = [
            ToolUseContent(id=f"w-{town}", name="weather", input={"town": town}) for town in ("Oslo", "Rome")
        ]
    elif len(results) == 2:
        assert {block["toolUseId"] for block in results} == {"w-Oslo", "w-Rome"}
        assert sorted(block["content"][0]["text"] for block in results) == [
            'weather({"town": "Oslo"})',
            'weather({"town": "Rome"})',
        ]
        content = [ToolUseContent(id="m", name="mail", input={"to": "Ada"})]
    else:
        return CreateMessageResult(role="assistant", model="m", content=TextContent(text="It is written."))
    return CreateMessageResultWithTools(role="assistant", model="m", content=content, stop_reason="toolUse")


@pytest.mark.parametrize("kind", [Legacy, Modern])
@pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning")  # of sampling, which goes on working
async def test_an_agent_at_the_server_uses_tools_in_parallel(workshop: Workshop, kind: type[Legacy]) -> None:
    async with connect(kind, *workshop.door(kind), Person(sample=model)) as client:
        result = await client.result(await client.start("agent", goal="Write Ada of the weather.", pause=3))
    assert text_of(result) == "It is written."
    assert result.structured_content == {"used": ["weather", "weather", "mail"]}


@pytest.mark.parametrize("seconds", [1, pytest.param(6, marks=pytest.mark.slow)])
async def test_a_hundred_tasks_at_once(workshop: Workshop, seconds: int) -> None:
    """More than an instance runs at a time: the others wait for their turn, however long that takes."""
    names = [f"h{number}-{seconds}" for number in range(100)]
    async with connect(Legacy, *workshop.door(Legacy)) as client:
        tasks = await asyncio.gather(*(client.start("work", name=name, seconds=seconds) for name in names))
        results = await asyncio.gather(*(client.result(task) for task in tasks))
        runs = json.loads(text_of(await client.client.call_tool("runs", {})))
    assert [text_of(result) for result in results] == [f"{name} done" for name in names]
    assert {name: runs[name] for name in names} == dict.fromkeys(names, 1)
