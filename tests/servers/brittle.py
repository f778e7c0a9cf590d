"""A handshake-era server that ends at a request which it doesn't know, as some of the first SDKs' servers did."""

from __future__ import annotations

import json
import sys

TOOL = {"name": "only", "inputSchema": {"type": "object"}}
KNOWN = {
    "initialize": {
        "protocolVersion": "2024-11-05",
        "capabilities": {"tools": {}},
        "serverInfo": {"name": "brittle", "version": "1"},
    },
    "tools/list": {"tools": [TOOL]},
}

for line in sys.stdin:
    message = json.loads(line)
    if "id" in message:
        result = KNOWN[message["method"]]
        print(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}), flush=True)
