"""A server of the handshake era that answers every call with all that it was ever given: lines, and its environment.

For showing what does not reach a server. Standard library only.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any


def main() -> None:
    lines: list[str] = []
    for line in sys.stdin:
        lines.append(line)
        message = json.loads(line)
        if "id" not in message:
            continue
        result: dict[str, Any] = {}
        if message["method"] == "initialize":
            result = {
                "protocolVersion": message["params"]["protocolVersion"],
                "capabilities": {"tools": {}},
                "serverInfo": {"name": "mirror", "version": "1"},
            }
        elif message["method"] == "tools/list":
            result = {"tools": [{"name": "all", "inputSchema": {"type": "object"}}]}
        elif message["method"] == "tools/call":
            result = {"content": [{"type": "text", "text": json.dumps([lines, dict(os.environ)])}]}
        print(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}), flush=True)


if __name__ == "__main__":
    main()
