"""A story played by the client of SDK 1.x, which runs in an environment of its own; prints what it saw as JSON.

Arguments: story, MCP URL, token, and for the story `call` the tool and its arguments as JSON.
"""

import asyncio
import json
import sys
from contextlib import asynccontextmanager

from mcp import ClientSession, types
from mcp.client.streamable_http import streamablehttp_client

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


@asynccontextmanager
async def connect():
    headers = {"Authorization": f"Bearer {token}"}
    callbacks = {"elicitation_callback": elicit, "sampling_callback": sample, "logging_callback": note}
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

        before = int(await text(session, "cancelled"))
        waiting_id = session._request_id  # 1.x tells nobody the id of a request, and does not cancel by itself
        waiting = asyncio.create_task(session.call_tool("wait", {}))
        await asyncio.sleep(0.3)
        params = types.CancelledNotificationParams(requestId=waiting_id, reason="enough")
        await session.send_notification(types.ClientNotification(types.CancelledNotification(params=params)))
        for _ in range(200):
            seen["cancelled"] = int(await text(session, "cancelled")) - before
            if seen["cancelled"]:
                break
            await asyncio.sleep(0.05)
        waiting.cancel()


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


asyncio.run({"call": call, "features": features, "refused": refused}[story]())
print(json.dumps(seen))
