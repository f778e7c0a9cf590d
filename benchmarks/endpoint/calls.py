"""What a client of each era sends for one tool call, as a request whose id is filled in by the load generator."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

META = "io.modelcontextprotocol/"
LEGACY = "2025-11-25"
MODERN = "2026-07-28"
TEXT = "x" * 200
FIRST_ID = 1_000_000_000  # ids have ten digits, so that every request has the same length
_HOLE = "1234567890"  # stands for the id in templates


@dataclass(frozen=True)
class Target:
    """Where to call, as whom, and in which era. `sessions` are a legacy client's, which its connections use in turn."""

    url: str
    era: str  # legacy | modern
    token: str = ""
    sessions: tuple[str, ...] = ()

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc

    @property
    def path(self) -> str:
        return urlsplit(self.url).path or "/"

    def headers(self, tool: str, session: str = "") -> dict[str, str]:
        found = {
            "Host": self.host,
            "Content-Type": "application/json",
            "Accept": "application/json, text/event-stream",
            "MCP-Protocol-Version": LEGACY if self.era == "legacy" else MODERN,
        }
        if self.token:
            found["Authorization"] = f"Bearer {self.token}"
        if session:
            found["Mcp-Session-Id"] = session
        if self.era == "modern":
            found |= {"Mcp-Method": "tools/call", "Mcp-Name": tool}
        return found

    def body(self, tool: str) -> str:
        """The call with `_HOLE` where its id goes, and again as its progress token where it streams."""
        meta: dict[str, Any] = {}
        if self.era == "modern":
            meta[META + "protocolVersion"] = MODERN
            meta[META + "clientInfo"] = {"name": "benchmark", "version": "1"}
            meta[META + "clientCapabilities"] = {}
        if tool == "stream":
            meta["progressToken"] = int(_HOLE)
        params: dict[str, Any] = {"name": tool, "arguments": {"text": TEXT}}
        if meta:
            params["_meta"] = meta
        message = {"jsonrpc": "2.0", "id": int(_HOLE), "method": "tools/call", "params": params}
        return json.dumps(message, separators=(",", ":"))

    def request(self, tool: str, session: str = "") -> list[str]:
        """The pieces of the HTTP request between which the id goes."""
        body = self.body(tool)
        headers = {**self.headers(tool, session), "Content-Length": str(len(body))}
        head = f"POST {self.path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return f"{head}\r\n{body}".split(_HOLE)

    def post(self, body: str, headers: dict[str, str]) -> tuple[http.client.HTTPResponse, bytes]:
        connection = http.client.HTTPConnection(self.host, timeout=60)
        try:
            connection.request("POST", self.path, body, headers)
            response = connection.getresponse()
            return response, response.read()
        finally:
            connection.close()

    def with_sessions(self, count: int) -> Target:
        """Opens so many legacy sessions; where a server gives none out (or the era has none) there are none."""
        if self.era == "modern":
            return self
        ids = [self.open_session() for _ in range(count)]
        return replace(self, sessions=tuple(filter(None, ids)))

    def open_session(self) -> str:
        headers = self.headers("")
        params = {"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": {"name": "benchmark", "version": "1"}}
        message = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}
        response, answer = self.post(json.dumps(message), headers)
        assert response.status == 200, (response.status, answer)
        session = response.headers.get("Mcp-Session-Id", "")
        if session:
            headers["Mcp-Session-Id"] = session
        self.post(json.dumps({"jsonrpc": "2.0", "method": "notifications/initialized"}), headers)
        return session

    def close_sessions(self) -> None:
        for session in self.sessions:
            connection = http.client.HTTPConnection(self.host, timeout=60)
            connection.request("DELETE", self.path, headers={**self.headers(""), "Mcp-Session-Id": session})
            connection.getresponse().read()
            connection.close()

    def check(self, tool: str) -> int:
        """One call, whose answer must be the right one; the size in bytes of the whole response."""
        session = self.sessions[0] if self.sessions else ""
        response, answer = self.post(self.body(tool), self.headers(tool, session))
        assert response.status == 200, (response.status, answer)
        assert TEXT.encode() in answer and b'"isError":true' not in answer, answer
        assert _HOLE.encode() in answer, answer
        if tool == "stream":
            assert answer.count(b"notifications/progress") == 10, "progress does not come through"
        return len(answer) + sum(len(name) + len(value) + 4 for name, value in response.headers.items())
