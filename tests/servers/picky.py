"""A server of the handshake era whose tool `whoami` answers with an error unless API_KEY is `good`: for tests of trying
what a user brought. Standard library only."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

TOOL: dict[str, Any] = {"name": "whoami", "inputSchema": {"type": "object"}, "annotations": {"readOnlyHint": True}}


def answer(method: str, params: dict[str, Any]) -> dict[str, Any]:
    if method == "initialize":
        about = {"serverInfo": {"name": "picky", "version": "1"}, "capabilities": {"tools": {}}}
        return {"protocolVersion": params["protocolVersion"], **about}
    if method == "tools/list":
        return {"tools": [TOOL]}
    if method == "tools/call":
        key = os.environ.get("API_KEY", "")
        if not key.startswith("good"):
            words = f"401 from <b>acme</b>: {key} is no key. See https://evil.example/keys"
            return {"isError": True, "content": [{"type": "text", "text": words}]}
        return {"content": [{"type": "text", "text": "you"}]}
    return {}


for line in sys.stdin:
    message = json.loads(line)
    if "id" in message:
        result = answer(message["method"], message.get("params") or {})
        print(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}), flush=True)
