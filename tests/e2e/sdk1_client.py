"""Run by the end-to-end test under the 1.x SDK, in an environment of its own: URL, token, tool, arguments as JSON.

Prints {"protocol": …, "tools": […], "text": …}.
"""

import asyncio
import json
import sys

from mcp import ClientSession
from mcp.client.streamable_http import streamablehttp_client


async def main() -> None:
    url, token, tool, arguments = sys.argv[1:]
    headers = {"Authorization": f"Bearer {token}"}
    async with streamablehttp_client(url, headers=headers) as (read, write, _), ClientSession(read, write) as session:
        hello = await session.initialize()
        tools = await session.list_tools()
        result = await session.call_tool(tool, json.loads(arguments))
        print(
            json.dumps(
                {
                    "protocol": hello.protocolVersion,
                    "tools": [t.name for t in tools.tools],
                    "text": result.content[0].text,
                }
            )
        )


asyncio.run(main())
