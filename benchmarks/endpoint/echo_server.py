"""The hosted server of the benchmark: standard library only, many messages a read, one write for all their answers.

    python echo_server.py legacy|modern

Legacy speaks 2025-11-25 with a handshake, modern 2026-07-28 without one. Tools: `echo` (its text back) and `stream`
(ten progress notifications, then its text back).
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

META = "io.modelcontextprotocol/"
STEPS = 10
SCHEMA = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
TOOLS = [{"name": name, "description": f"The {name} tool.", "inputSchema": SCHEMA} for name in ("echo", "stream")]


def answer(request_id: Any, result: Any) -> str:
    return json.dumps({"jsonrpc": "2.0", "id": request_id, "result": result})


def refusal(request_id: Any, code: int, message: str) -> str:
    return json.dumps({"jsonrpc": "2.0", "id": request_id, "error": {"code": code, "message": message}})


def call(request_id: Any, params: dict[str, Any], first: str) -> list[str]:
    """The lines that answer a tools/call. `first` is what a result of this era begins with."""
    text = json.dumps(params["arguments"]["text"])
    lines = []
    token = params.get("_meta", {}).get("progressToken")
    if params["name"] == "stream" and token is not None:
        head = '{"jsonrpc":"2.0","method":"notifications/progress","params":'
        head += f'{{"progressToken":{json.dumps(token)},"total":{STEPS},"progress":'
        lines += [f"{head}{step}}}}}" for step in range(1, STEPS + 1)]
    lines.append(
        f'{{"jsonrpc":"2.0","id":{json.dumps(request_id)},'
        f'"result":{{{first}"content":[{{"type":"text","text":{text}}}]}}}}'
    )
    return lines


def legacy_lines(message: dict[str, Any]) -> list[str]:
    method, request_id = message.get("method"), message.get("id")
    if request_id is None or method is None:
        return []
    if method == "tools/call":
        return call(request_id, message["params"], "")
    if method == "initialize":
        capabilities: dict[str, Any] = {"tools": {}}
        server = {"name": "echo", "version": "1"}
        asked = message["params"].get("protocolVersion", "")
        revision = asked if "2024-11-05" <= asked <= "2025-11-25" else "2025-11-25"
        return [answer(request_id, {"protocolVersion": revision, "capabilities": capabilities, "serverInfo": server})]
    if method == "tools/list":
        return [answer(request_id, {"tools": TOOLS})]
    if method == "ping":
        return [answer(request_id, {})]
    return [refusal(request_id, -32601, f"no method {method}")]


def modern_lines(message: dict[str, Any]) -> list[str]:
    method, request_id = message.get("method"), message.get("id")
    if request_id is None or method is None:
        return []
    if method == "tools/call":
        return call(request_id, message["params"], '"resultType":"complete",')
    common = {"resultType": "complete", "ttlMs": 60_000, "cacheScope": "public"}
    if method == "server/discover":
        meta = {META + "serverInfo": {"name": "echo", "version": "1"}}
        versions = ["2026-07-28"]
        return [
            answer(request_id, {**common, "supportedVersions": versions, "capabilities": {"tools": {}}, "_meta": meta})
        ]
    if method == "tools/list":
        return [answer(request_id, {**common, "tools": TOOLS})]
    if method == "subscriptions/listen":
        params = {"notifications": {}, "_meta": {META + "subscriptionId": request_id}}
        note = {"jsonrpc": "2.0", "method": "notifications/subscriptions/acknowledged", "params": params}
        return [json.dumps(note)]
    code = -32022 if method == "initialize" else -32601
    return [refusal(request_id, code, f"no method {method}")]


def serve(era: str) -> None:
    lines_for = {"legacy": legacy_lines, "modern": modern_lines}[era]
    rest = b""
    while data := os.read(0, 1 << 20):
        *whole, rest = (rest + data).split(b"\n")
        lines: list[str] = []
        for line in whole:
            lines += lines_for(json.loads(line))
        if lines:
            out = memoryview(("\n".join(lines) + "\n").encode())
            while out:
                out = out[os.write(1, out) :]


def legacy() -> None:
    serve("legacy")


def modern() -> None:
    serve("modern")


if __name__ == "__main__":
    serve(sys.argv[1])
