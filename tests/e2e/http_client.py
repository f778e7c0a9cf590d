"""A legacy client over bare HTTP, for what an SDK hides: which process answers, event ids, broken streams."""

from __future__ import annotations

import itertools
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

REVISION = "2025-11-25"


@dataclass(frozen=True)
class ServerEvent:
    """One server-sent event; `data` is None for a priming event."""

    id: str
    data: Any


class HttpClient:
    """One session. `url` may be changed in mid-session, as a load balancer would."""

    def __init__(self, url: str, token: str, http: httpx.AsyncClient) -> None:
        self.url = url
        self._http = http
        self._ids = itertools.count(1)
        self.capabilities: dict[str, Any] = {"elicitation": {}}
        self.headers = {
            "Authorization": f"Bearer {token}",
            "Accept": "application/json, text/event-stream",
            "MCP-Protocol-Version": REVISION,
        }

    async def initialize(self) -> Any:
        params = {
            "protocolVersion": REVISION,
            "capabilities": self.capabilities,
            "clientInfo": {"name": "bare", "version": "1"},
        }
        async with self.post("initialize", params) as answer:
            assert answer.status_code == 200, await answer.aread()
            self.headers["Mcp-Session-Id"] = answer.headers["Mcp-Session-Id"]
            result = await outcome(answer)
        await self._http.post(
            self.url, headers=self.headers, json={"jsonrpc": "2.0", "method": "notifications/initialized"}
        )
        return result

    @asynccontextmanager
    async def post(self, method: str, params: Any) -> AsyncIterator[httpx.Response]:
        message = {"jsonrpc": "2.0", "id": next(self._ids), "method": method, "params": params}
        async with self._http.stream("POST", self.url, headers=self.headers, json=message) as answer:
            yield answer

    @asynccontextmanager
    async def resume(self, last_event_id: str) -> AsyncIterator[httpx.Response]:
        headers = {**self.headers, "Last-Event-ID": last_event_id}
        async with self._http.stream("GET", self.url, headers=headers) as answer:
            yield answer

    async def call(self, tool: str, **arguments: Any) -> str:
        """The first text block of a tool's result."""
        async with self.post("tools/call", {"name": tool, "arguments": arguments}) as answer:
            return text_of(await outcome(answer))


def text_of(message: Any) -> str:
    return str(message["result"]["content"][0]["text"])


async def events(answer: httpx.Response) -> AsyncIterator[ServerEvent]:
    event_id, data = "", ""
    async for line in answer.aiter_lines():
        field, _, value = line.partition(":")
        if field == "id":
            event_id = value.strip()
        elif field == "data":
            data += value.strip()
        elif not line and (event_id or data):
            yield ServerEvent(event_id, json.loads(data) if data else None)
            event_id, data = "", ""


async def outcome(answer: httpx.Response) -> Any:
    """The response message, from a JSON body or the end of a stream."""
    if answer.headers["Content-Type"].startswith("application/json"):
        return json.loads(await answer.aread())
    found = None
    async for event in events(answer):
        if event.data and "id" in event.data and "method" not in event.data:
            found = event.data
    return found
