"""A story played by the client of SDK 1.x, which runs in an environment of its own; prints what it saw as JSON.

Arguments: story, MCP URL, token, and for the story `call` the tool and its arguments as JSON.
"""

import asyncio
import json
import sys
from contextlib import asynccontextmanager

from mcp import ClientSession, types
from mcp.client.experimental.task_handlers import ExperimentalTaskHandlers
from mcp.client.streamable_http import streamablehttp_client
from mcp.shared.experimental.tasks.in_memory_task_store import InMemoryTaskStore

story, url, token, *more = sys.argv[1:]
seen = {"asked": [], "logs": [], "progress": []}


async def elicit(context, params):
    seen["asked"].append(params.message)
    return types.ElicitResult(action="accept", content={"name": "Ada"})


async def sample(context, params):
    seen["asked"].append(params.messages[0].content.text)
    content = types.TextContent(type="text", text="something")
    return types.CreateMessageResult(role="assistant", model="none", content=content)


async def note(params):
    seen["logs"].append(params.data)


async def progressed(progress, total, message):
    seen["progress"].append(progress)


class Answers:
    """Questions as tasks of this client's own."""

    def __init__(self):
        self.store = InMemoryTaskStore()
        self.running = {}
        self.handlers = ExperimentalTaskHandlers(
            get_task=self.get, get_task_result=self.result, augmented_elicitation=self.elicit
        )

    async def elicit(self, context, params, wanted):
        seen["asked"].append(params.message)
        created = await self.store.create_task(wanted)
        self.running[created.taskId] = asyncio.create_task(self.answer(created.taskId))
        return types.CreateTaskResult(task=created)

    async def answer(self, task_id):
        await asyncio.sleep(0.3)
        answer = types.ElicitResult(action="accept", content={"name": "Ada"})
        await self.store.store_result(task_id, answer)
        await self.store.update_task(task_id, status="completed")

    async def get(self, context, params):
        seen["polled"] = seen.get("polled", 0) + 1
        found = await self.store.get_task(params.taskId)
        return types.GetTaskResult(**found.model_dump())

    async def result(self, context, params):
        await self.running[params.taskId]
        found = await self.store.get_result(params.taskId)
        return types.GetTaskPayloadResult.model_validate(found.model_dump(by_alias=True))


@asynccontextmanager
async def connect(**callbacks_too):
    headers = {"Authorization": f"Bearer {token}"}
    callbacks = {"elicitation_callback": elicit, "sampling_callback": sample, "logging_callback": note}
    callbacks |= callbacks_too
    async with (
        streamablehttp_client(url, headers=headers) as (read, write, _),
        ClientSession(read, write, **callbacks) as session,
    ):
        seen["protocol"] = (await session.initialize()).protocolVersion
        yield session


async def text(session, tool, arguments=None, **options):
    return (await session.call_tool(tool, arguments or {}, **options)).content[0].text


async def call():
    async with connect() as session:
        seen["tools"] = [tool.name for tool in (await session.list_tools()).tools]
        seen["text"] = await text(session, more[0], json.loads(more[1]))
        try:
            seen["refused"] = await text(session, "no-such-tool")
        except Exception as error:
            seen["refused"] = str(error)
        if "ask" in seen["tools"]:
            seen["answered"] = json.loads(await text(session, "ask"))


async def features():
    async with connect() as session:
        await text(session, "progress", progress_callback=progressed)
        await session.set_logging_level("info")
        await text(session, "log")
        seen["sampled"] = json.loads(await text(session, "sample"))

        before, begun = int(await text(session, "cancelled")), int(await text(session, "begun"))
        waiting_id = session._request_id  # 1.x tells nobody the id of a request, and does not cancel by itself
        waiting = asyncio.create_task(session.call_tool("wait", {}))
        await asyncio.sleep(0)  # so that it takes that id, and not the next question
        assert session._request_id == waiting_id + 1
        while int(await text(session, "begun")) == begun:
            pass
        params = types.CancelledNotificationParams(requestId=waiting_id, reason="enough")
        await session.send_notification(types.ClientNotification(types.CancelledNotification(params=params)))
        seen["cancelled"] = 0
        while not seen["cancelled"]:  # until the test ends this
            seen["cancelled"] = int(await text(session, "cancelled")) - before
        waiting.cancel()


async def tasks():
    """Tasks on both sides: a tool called as one, and a question that this client takes as one."""
    async with connect(experimental_task_handlers=Answers().handlers) as session:
        created = await session.experimental.call_tool_as_task("ask", {}, ttl=120_000)
        seen["created"] = created.task.status
        async for status in session.experimental.poll_task(created.task.taskId):
            if status.status == "input_required":
                break
        result = await session.experimental.get_task_result(created.task.taskId, types.CallToolResult)
        seen["answered"] = json.loads(result.content[0].text)
        seen["status"] = (await session.experimental.get_task(created.task.taskId)).status
        seen["listed"] = created.task.taskId in [
            each.taskId for each in (await session.experimental.list_tasks()).tasks
        ]
        arguments = {
            "method": "elicitation/create",
            "params": {"message": "Go on?", "requestedSchema": {"type": "object", "properties": {}}},
        }
        seen["entrusted"] = json.loads(await text(session, "entrust", arguments))


def causes(error):
    for one in getattr(error, "exceptions", ()):
        yield from causes(one)
    yield str(error)


async def refused():
    try:
        async with connect():
            pass
    except BaseException as error:
        seen["error"] = "\n".join(causes(error))


asyncio.run({"call": call, "features": features, "refused": refused, "tasks": tasks}[story]())
print(json.dumps(seen))
