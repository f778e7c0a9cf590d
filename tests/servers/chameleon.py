"""A server of the handshake era that does what its settings say, standard library only.

It needs API_KEY to start, and prints it. `greet` says of itself what TOOL_TEXT is, so that a test can change it under
an owner's eyes; called, it answers with a digest of the key.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from typing import Any


def result_of(method: str, params: dict[str, Any]) -> dict[str, Any]:
    if method == "initialize":
        return {
            "protocolVersion": params.get("protocolVersion", "2025-11-25"),
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "chameleon", "version": "1"},
        }
    if method == "tools/list":
        text = os.environ.get("TOOL_TEXT", "Says hello.")
        return {"tools": [{"name": "greet", "description": text, "inputSchema": {"type": "object"}}]}
    if method == "tools/call":
        digest = hashlib.sha256(os.environ["API_KEY"].encode()).hexdigest()
        return {"content": [{"type": "text", "text": f"hello {digest}"}]}
    return {}


def main() -> None:
    if not os.environ.get("API_KEY"):
        sys.exit("Error: API_KEY environment variable is required")
    print("my key is " + os.environ["API_KEY"], file=sys.stderr, flush=True)
    for line in sys.stdin:
        message = json.loads(line)
        if "id" in message:
            result = result_of(message["method"], message.get("params") or {})
            sys.stdout.write(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
