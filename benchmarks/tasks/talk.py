"""HTTP as these benchmarks speak it: connections that stay open, many requests at once, times by the request."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections import deque
from typing import Any
from urllib.parse import urlsplit

from benchmarks.endpoint.calls import LEGACY, META, MODERN

EXTENSION = "io.modelcontextprotocol/tasks"
CLIENT = {"name": "benchmark", "version": "1"}
_NAMED = {"tools/call": "name", "tasks/get": "taskId", "tasks/cancel": "taskId"}


class Refused(Exception):
    """Another answer than the one that was asked for."""


class Connections:
    """To one host; as many as there are requests at once."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.host, self.path = parts.netloc, parts.path
        self._address = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._free: deque[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = deque()

    async def post(self, headers: dict[str, str], message: Any) -> tuple[dict[str, str], bytes]:
        """(headers, body), a stream's body at its end. Raises Refused for any status over 299."""
        body = json.dumps(message).encode()
        fields = {"Host": self.host, "Content-Type": "application/json", "Content-Length": str(len(body)), **headers}
        head = f"POST {self.path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        while self._free and self._free[0][0].at_eof():  # the server let go of what was idle for long
            self._free.popleft()[1].close()
        reader, writer = self._free.pop() if self._free else await asyncio.open_connection(*self._address)
        writer.write(head.encode() + b"\r\n" + body)
        status, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        got = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
        if "content-length" in got:
            answer = await reader.readexactly(int(got["content-length"]))
        elif got.get("transfer-encoding") == "chunked":
            answer = await _chunks(reader)
        else:
            answer = b""
        self._free.append((reader, writer))
        if int(status.split(" ")[1]) > 299:
            raise Refused(f"{status}: {answer[:300]!r}")
        return got, answer

    def close(self) -> None:
        for _, writer in self._free:
            writer.close()


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    found = bytearray()
    while size := int(await reader.readuntil(b"\r\n"), 16):
        found += (await reader.readexactly(size + 2))[:-2]
    await reader.readexactly(2)
    return bytes(found)


class Session:
    """A client of 2025-11-25 that asks for tasks, or (`is_modern`) of 2026-07-28 that declares the extension."""

    def __init__(self, url: str, token: str = "", *, is_modern: bool = False) -> None:
        self._connections = Connections(url)
        self._ids = itertools.count(1)
        self._is_modern = is_modern
        self._headers = {
            "Accept": "application/json, text/event-stream",
            "MCP-Protocol-Version": MODERN if is_modern else LEGACY,
            **({"Authorization": f"Bearer {token}"} if token else {}),
        }

    async def initialize(self) -> None:
        params = {"protocolVersion": LEGACY, "capabilities": {"elicitation": {}}, "clientInfo": CLIENT}
        message = {"jsonrpc": "2.0", "id": next(self._ids), "method": "initialize", "params": params}
        got, _ = await self._connections.post(self._headers, message)
        self._headers["Mcp-Session-Id"] = got["mcp-session-id"]
        await self._connections.post(self._headers, {"jsonrpc": "2.0", "method": "notifications/initialized"})

    async def ask(self, method: str, params: dict[str, Any]) -> Any:
        """The result. Raises Refused."""
        headers = self._headers
        if self._is_modern:
            headers = {**headers, "Mcp-Method": method, "Mcp-Name": str(params[_NAMED[method]])}
            capabilities: dict[str, Any] = {"extensions": {EXTENSION: {}}, "elicitation": {}}
            said = {"protocolVersion": MODERN, "clientInfo": CLIENT, "clientCapabilities": capabilities}
            params = {**params, "_meta": {META + name: value for name, value in said.items()}}
        message = {"jsonrpc": "2.0", "id": next(self._ids), "method": method, "params": params}
        got, body = await self._connections.post(headers, message)
        if got["content-type"].startswith("text/event-stream"):
            data = [line[5:] for line in body.splitlines() if line.startswith(b"data:") and len(line) > 6]
            body = data[-1] if data else b"{}"
        answer = json.loads(body)
        if "result" not in answer:
            raise Refused(str(answer)[:300])
        return answer["result"]

    async def create(self, tool: str, **arguments: Any) -> str:
        """The task's id."""
        asked: dict[str, Any] = {"name": tool, "arguments": arguments}
        if self._is_modern:
            return str((await self.ask("tools/call", asked))["taskId"])
        return str((await self.ask("tools/call", {**asked, "task": {"ttl": 3_600_000}}))["task"]["taskId"])

    async def result(self, task: str) -> Any:
        """What the tool said, as soon as it is there."""
        result = await self.ask("tasks/result", {"taskId": task})
        return json.loads(result["content"][0]["text"])

    def close(self) -> None:
        self._connections.close()
