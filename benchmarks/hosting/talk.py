"""What is said to a fresh server until its tools are listed: over bare pipes, and over HTTP through the platform."""

from __future__ import annotations

import http.client
import itertools
import json
import os
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.endpoint.calls import LEGACY, META, MODERN, Target

_CLIENT = {"name": "benchmark", "version": "1"}
_HANDSHAKE = {"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": _CLIENT}
_META = {META + "protocolVersion": MODERN, META + "clientInfo": _CLIENT, META + "clientCapabilities": {}}
_ids = itertools.count(1)


@dataclass(frozen=True)
class Timed:
    """Seconds from the beginning until the first answer, and until the tools were listed."""

    greeted: float
    listed: float


def _request(method: str, params: dict[str, Any]) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": next(_ids), "method": method, "params": params}


def _line(message: dict[str, Any]) -> bytes:
    return json.dumps(message).encode() + b"\n"


def converse(stdin: int, stdout: int, era: str, began: float) -> Timed:
    """Greet a server of that era and list its tools over blocking descriptors. Raises RuntimeError."""
    with os.fdopen(os.dup(stdin), "wb", 0) as to, os.fdopen(os.dup(stdout), "rb") as answers:
        if era == "legacy":
            to.write(_line(_request("initialize", _HANDSHAKE)))
        else:
            to.write(_line(_request("server/discover", {"_meta": _META})))
        _result(answers.readline())
        greeted = time.perf_counter() - began
        if era == "legacy":
            to.write(_line({"jsonrpc": "2.0", "method": "notifications/initialized"}))
        to.write(_line(_request("tools/list", {} if era == "legacy" else {"_meta": _META})))
        while True:
            line = answers.readline()
            if not line or b'"id"' in line:
                break
        assert _result(line)["tools"]
        return Timed(greeted, time.perf_counter() - began)


def _result(line: bytes) -> Any:
    answer = json.loads(line) if line else {}
    if "result" not in answer:
        raise RuntimeError(f"no result, but {line[:300]!r}")
    return answer["result"]


def bare(argv: Sequence[str], env: dict[str, str], era: str) -> Timed:
    """The command itself: pipes, the same conversation, no sandbox, nobody between."""
    began = time.perf_counter()
    process = subprocess.Popen(
        list(argv), env=env, cwd="/tmp", stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        assert process.stdin is not None and process.stdout is not None
        return converse(process.stdin.fileno(), process.stdout.fileno(), era, began)
    finally:
        process.kill()
        process.communicate()


class Caller:
    """One client of an endpoint with one connection that stays open, as clients have it."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._connection = http.client.HTTPConnection(target.host, timeout=60)
        self._session = ""

    def list_tools(self) -> float:
        """Seconds until the tools are there. Raises AssertionError."""
        return self._timed("tools/list", {}, b'"tools"')

    def call(self, tool: str, arguments: dict[str, Any]) -> float:
        """Seconds until a tool has answered. Raises AssertionError."""
        return self._timed("tools/call", {"name": tool, "arguments": arguments}, b'"content"')

    def forget(self) -> None:
        """As another client, that has no session yet."""
        self._session = ""

    def _timed(self, method: str, params: dict[str, Any], proof: bytes) -> float:
        """A legacy client initializes first where it has no session, and anew where its session is over (404), as the
        specification has it."""
        is_legacy = self._target.era == "legacy"
        message = _request(method, params if is_legacy else {**params, "_meta": _META})
        began = time.perf_counter()
        if is_legacy and not self._session:
            self._initialize()
        status, answer = self._post(message)
        if status == 404 and self._session:
            self._session = ""
            self._initialize()
            status, answer = self._post(message)
        seconds = time.perf_counter() - began
        assert status == 200 and proof in answer and b'"isError":true' not in answer, (status, answer[:500])
        return seconds

    def _initialize(self) -> None:
        status, answer = self._post(_request("initialize", _HANDSHAKE))
        assert status == 200 and b'"result"' in answer, (status, answer[:500])
        self._post({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def _post(self, message: dict[str, Any]) -> tuple[int, bytes]:
        headers = self._target.headers("", self._session)
        if self._target.era == "modern":
            headers["Mcp-Method"] = message["method"]
            headers["Mcp-Name"] = message["params"].get("name", "")
        headers = {name: value for name, value in headers.items() if value}
        self._connection.request("POST", self._target.path, json.dumps(message), headers)
        response = self._connection.getresponse()
        answer = response.read()
        self._session = response.headers.get("Mcp-Session-Id", "") or self._session
        return response.status, answer

    def close(self) -> None:
        self._connection.close()
