"""The hosted server of these benchmarks: 2026-07-28 over stdio, one thread, standard library only. What waits, waits.

Tools: `stamp` (waits `seconds`, then says when it was called and when it answered, in seconds since 1970), `hold` (does
not answer until `release` is called), `ask` (asks its caller, and answers once it is told).
"""

from __future__ import annotations

import heapq
import itertools
import json
import os
import select
import sys
import time
from typing import Any

REVISION = "2026-07-28"
META = "io.modelcontextprotocol/"
SCHEMA = {"type": "object", "properties": {"seconds": {"type": "number"}}}
TOOLS = [{"name": name, "description": f"The {name} tool.", "inputSchema": SCHEMA} for name in ("stamp", "hold", "ask")]
TOOLS.append({"name": "release", "description": "Lets what holds go on.", "inputSchema": {"type": "object"}})
QUESTION = {
    "method": "elicitation/create",
    "params": {
        "mode": "form",
        "message": "Shall it go on?",
        "requestedSchema": {"type": "object", "properties": {"go": {"type": "boolean"}}},
    },
}


class Server:
    def __init__(self) -> None:
        self.due: list[tuple[float, int, Any, float]] = []  # when, a number, request id, when it came
        self.numbers = itertools.count()
        self.held: dict[Any, float] = {}
        self.listening: set[Any] = set()
        self.out: list[str] = []

    def answer(self, number: Any, result: Any) -> None:
        self.out.append(json.dumps({"jsonrpc": "2.0", "id": number, "result": {"resultType": "complete", **result}}))

    def stamped(self, number: Any, began: float) -> None:
        said = {"began": began, "ended": time.time()}
        self.answer(number, {"content": [{"type": "text", "text": json.dumps(said)}]})

    def call(self, number: Any, params: dict[str, Any]) -> None:
        now, name = time.time(), params["name"]
        if name == "hold":
            self.held[number] = now
        elif name == "ask" and not params.get("inputResponses"):
            asked = {"resultType": "input_required", "inputRequests": {"go": QUESTION}, "requestState": "s"}
            self.out.append(json.dumps({"jsonrpc": "2.0", "id": number, "result": asked}))
        elif name == "release":
            for held, began in self.held.items():
                self.stamped(held, began)
            self.answer(number, {"content": [{"type": "text", "text": str(len(self.held))}]})
            self.held.clear()
        elif seconds := float(params.get("arguments", {}).get("seconds", 0)):
            heapq.heappush(self.due, (now + seconds, next(self.numbers), number, now))
        else:
            self.stamped(number, now)

    def take(self, line: bytes) -> None:
        message = json.loads(line)
        method, number, params = message.get("method"), message.get("id"), message.get("params") or {}
        if method == "tools/call":
            self.call(number, params)
        elif method == "server/discover":
            info = {"supportedVersions": [REVISION], "capabilities": {"tools": {}}, "ttlMs": 0, "cacheScope": "public"}
            self.answer(number, {**info, "_meta": {META + "serverInfo": {"name": "waits", "version": "1"}}})
        elif method == "tools/list":
            self.answer(number, {"tools": TOOLS, "ttlMs": 0, "cacheScope": "public"})
        elif method == "notifications/cancelled":
            self.held.pop(params.get("requestId"), None)
        elif number is not None and method is not None:
            error: dict[str, Any] = {
                "code": -32601 if method != "initialize" else -32022,
                "message": f"no method {method}",
            }
            error["data"] = {"supported": [REVISION], "requested": params.get("protocolVersion")}
            self.out.append(json.dumps({"jsonrpc": "2.0", "id": number, "error": error}))

    def run(self) -> None:
        rest = b""
        while True:
            wait = max(0.0, self.due[0][0] - time.time()) if self.due else None
            if select.select([0], [], [], wait)[0]:
                read = os.read(0, 1 << 20)
                if not read:
                    return
                *lines, rest = (rest + read).split(b"\n")
                for line in lines:
                    self.take(line)
            while self.due and self.due[0][0] <= time.time():
                _, _, number, began = heapq.heappop(self.due)
                self.stamped(number, began)
            if self.out:
                sys.stdout.write("\n".join(self.out) + "\n")
                sys.stdout.flush()
                self.out.clear()


def main() -> None:
    Server().run()


if __name__ == "__main__":
    main()
