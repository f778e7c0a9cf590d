"""FastMCP's proxy in front of a stdio server, run in FastMCP's environment: `python fastmcp_proxy.py PORT COMMAND…`."""

from __future__ import annotations

import sys

from fastmcp.client.transports import StdioTransport
from fastmcp.server import create_proxy

port, command, *arguments = sys.argv[1:]
create_proxy(StdioTransport(command, arguments)).run(
    transport="http", port=int(port), show_banner=False, uvicorn_config={"log_level": "warning"}
)
