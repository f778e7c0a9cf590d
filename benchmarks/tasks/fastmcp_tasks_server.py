"""FastMCP 4's server with one tool that runs as a task: port, backend. Run by FastMCP's own interpreter."""

import asyncio
import sys
import time

from fastmcp import FastMCP
from fastmcp_tasks import TasksExtension

port, url = int(sys.argv[1]), sys.argv[2]
mcp = FastMCP("bench")
mcp.add_extension(TasksExtension(url=url, concurrency=64))


@mcp.tool(task=True)
async def stamp(seconds: float) -> str:
    began = time.time()
    await asyncio.sleep(seconds)
    return str(began)


mcp.run("http", host="127.0.0.1", port=port, show_banner=False, log_level="warning")
