"""The official SDK's own HTTP server with the same two tools, run in the SDK's environment: `sdk_server.py PORT`.

The low-level Server, since it is the SDK's fastest; tools run in its own process, so there is no child behind it.
"""

from __future__ import annotations

import sys
from typing import Any

import uvicorn
from mcp import types
from mcp.server.lowlevel import Server

SCHEMA = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
TOOLS = [types.Tool(name=name, input_schema=SCHEMA) for name in ("echo", "stream")]


async def list_tools(context: Any, params: Any) -> types.ListToolsResult:
    return types.ListToolsResult(tools=TOOLS)


async def call_tool(context: Any, params: types.CallToolRequestParams) -> types.CallToolResult:
    if params.name == "stream":
        for step in range(1, 11):
            await context.session.report_progress(step, 10)
    return types.CallToolResult(content=[types.TextContent(type="text", text=(params.arguments or {})["text"])])


app = Server("echo", on_list_tools=list_tools, on_call_tool=call_tool).streamable_http_app(stateless_http=True)

if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[1]), log_level="warning")
