"""Run by the story of two users under the 1.x SDK, in an environment of its own: URL, token.

Calls `whose` and prints what it is refused with as a line of JSON: code, url, id. After a line on standard input it
calls again, waits to hear that a page is done, and prints the texts of the result and the ids of such pages.
"""

import asyncio
import json
import sys

from mcp import ClientSession, McpError
from mcp.client.streamable_http import streamablehttp_client
from mcp.types import ElicitResult


async def main() -> None:
    url, token = sys.argv[1:]
    heard, is_heard = [], asyncio.Event()

    async def elicit(context, params):  # with which the client declares both modes
        return ElicitResult(action="cancel")

    async def message(found) -> None:
        root = getattr(found, "root", None)
        if getattr(root, "method", "") == "notifications/elicitation/complete":
            heard.append(root.params.elicitationId)
            is_heard.set()

    headers = {"Authorization": f"Bearer {token}"}
    async with (
        streamablehttp_client(url, headers=headers) as (read, write, _),
        ClientSession(read, write, elicitation_callback=elicit, message_handler=message) as session,
    ):
        await session.initialize()
        try:
            await session.call_tool("whose", {})
        except McpError as refused:
            (asked,) = refused.error.data["elicitations"]
            print(
                json.dumps({"code": refused.error.code, "url": asked["url"], "id": asked["elicitationId"]}), flush=True
            )
        await asyncio.to_thread(sys.stdin.readline)
        result = await session.call_tool("whose", {})
        await asyncio.wait_for(is_heard.wait(), 60)
        print(json.dumps({"texts": [one.text for one in result.content], "heard": heard}), flush=True)


asyncio.run(main())
