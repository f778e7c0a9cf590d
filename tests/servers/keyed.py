"""A handshake server that tells whose key it was started with, without telling the key. Only what the tests need."""

import hashlib
import json
import os
import sys

TOOL = {"name": "whose", "description": "A digest of the key.", "inputSchema": {"type": "object"}}
KEY = os.environ.get("ACME_KEY", "")


def result_of(method, params):
    if method == "initialize":
        info = {"name": "keyed", "version": "1"}
        return {"protocolVersion": params["protocolVersion"], "capabilities": {"tools": {}}, "serverInfo": info}
    if method == "tools/list":
        return {"tools": [TOOL]}
    if method == "tools/call":
        print(f"called with {KEY}", file=sys.stderr, flush=True)  # what a careless author does
        said = [hashlib.sha256(KEY.encode()).hexdigest(), KEY]
        return {"content": [{"type": "text", "text": text} for text in said]}
    return {}


def main():
    for line in sys.stdin:
        message = json.loads(line)
        if "id" in message and "method" in message:
            result = result_of(message["method"], message.get("params") or {})
            print(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}), flush=True)


if __name__ == "__main__":
    main()
