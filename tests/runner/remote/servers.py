"""Remote servers for tests: real ones on the SDK's own HTTP, and a fake that answers as it is told."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from tests.ports import free_port

PORTS = [free_port() for _ in range(12)]  # what the runners of these tests may reach
_ports = cycle(PORTS)
FIXTURE = Path(__file__).parents[2] / "conformance" / "fixture"
START_SECONDS = 60.0  # of a machine that many others use


def _next_port() -> int:
    """One of PORTS that nobody has now: any connection of this machine may have been given it since it was found."""
    for port in islice(_ports, len(PORTS)):
        with socket.socket() as probe, suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("all ports that the runners of these tests may reach are taken")


@contextmanager
def conformance_process(variant: str, port: int, python: str = sys.executable) -> Iterator[str]:
    """The conformance fixture (`dual`, `modern`, or `legacy` with an SDK 1.x python) over HTTP; its URL."""
    code = f"from slipway_conformance.{variant} import main; main()"
    process = subprocess.Popen(
        [python, "-c", code, "--http", str(port)], env={**os.environ, "PYTHONPATH": str(FIXTURE)}
    )
    try:
        end = time.monotonic() + START_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except ConnectionRefusedError:
                assert process.poll() is None, "the server ended"
                assert time.monotonic() < end, "the server did not open its port"
                time.sleep(0.05)
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        process.kill()  # it would wait for its open streams
        process.wait()


def conformance_server(variant: str, python: str = sys.executable) -> AbstractContextManager[str]:
    """The same where the runners of these tests reach it."""
    return conformance_process(variant, _next_port(), python)


@dataclass
class Request:
    """One that the fake got."""

    verb: str
    path: str
    headers: dict[str, str]
    body: bytes
    _writer: asyncio.StreamWriter
    is_stream: bool = False

    @property
    def message(self) -> dict[str, Any]:
        decoded: dict[str, Any] = json.loads(self.body) if self.body else {}
        return decoded

    @property
    def method(self) -> str:
        return str(self.message.get("method", ""))

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def answer(self, status: int, body: bytes = b"", kind: str = "application/json", **headers: str) -> None:
        lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}"]
        if body:
            lines.append(f"Content-Type: {kind}")
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        await self.send("\r\n".join([*lines, "", ""]).encode() + body)

    async def result(self, result: Any, **headers: str) -> None:
        await self.answer(
            200, json.dumps({"jsonrpc": "2.0", "id": self.message["id"], "result": result}).encode(), **headers
        )

    async def error(self, status: int, code: int, message: str = "no") -> None:
        body = {"jsonrpc": "2.0", "id": self.message.get("id"), "error": {"code": code, "message": message}}
        await self.answer(status, json.dumps(body).encode())

    async def stream(self, **headers: str) -> None:
        """Begin an event stream, which lasts until the handler returns."""
        self.is_stream = True
        lines = ["HTTP/1.1 200 OK", "Content-Type: text/event-stream", "Connection: close"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        await self.send("\r\n".join([*lines, "", ""]).encode())

    async def event(self, message: Any = None, event_id: str = "", retry: int | None = None, name: str = "") -> None:
        lines = [f"event: {name}"] if name else []
        lines += [f"id: {event_id}"] if event_id else []
        lines += [f"retry: {retry}"] if retry is not None else []
        lines.append(f"data: {message if isinstance(message, str) else json.dumps(message) if message else ''}")
        await self.send("\n".join([*lines, "", ""]).encode())

    async def result_event(self, result: Any, event_id: str = "") -> None:
        await self.event({"jsonrpc": "2.0", "id": self.message["id"], "result": result}, event_id)

    def break_off(self) -> None:
        self._writer.transport.abort()


Handler = Callable[[Request], Awaitable[None]]


def text(value: str) -> dict[str, Any]:
    return {"content": [{"type": "text", "text": value}]}


@dataclass
class FakeRemote:
    """Speaks HTTP; `handlers` are by JSON-RPC method, or by verb for what is no POST."""

    port: int = 0
    handlers: dict[str, Handler] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    scheme: str = "http"
    host: str = "127.0.0.1"
    arrived: asyncio.Condition = field(default_factory=asyncio.Condition)

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.host}:{self.port}/mcp"

    def got(self, what: str) -> list[Request]:
        return [one for one in self.requests if what in (one.method, one.verb)]

    async def wait_for(self, what: str, count: int = 1) -> Request:
        """The count-th request of that method or verb, once it came."""
        async with asyncio.timeout(60), self.arrived:
            await self.arrived.wait_for(lambda: len(self.got(what)) >= count)
            return self.got(what)[count - 1]

    def on(self, what: str) -> Callable[[Handler], Handler]:
        def register(handler: Handler) -> Handler:
            self.handlers[what] = handler
            return handler

        return register

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                request = await self._read(reader, writer)
                async with self.arrived:
                    self.requests.append(request)
                    self.arrived.notify_all()
                await self.handlers.get(request.method or request.verb, _unknown)(request)
                if request.is_stream or writer.is_closing():
                    break
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Request:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.rstrip("\r\n").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        verb, path, _ = first.split(" ")
        return Request(verb, path, headers, body, writer)


async def _unknown(request: Request) -> None:
    if request.verb != "POST":
        await request.answer(405)
    elif "id" in request.message:
        await request.error(200, -32601, f"no method {request.method}")
    else:
        await request.answer(202)


def legacy(fake: FakeRemote, session: str = "s-1") -> FakeRemote:
    """Answers as a remote of the handshake revisions does."""

    @fake.on("server/discover")
    async def discover(request: Request) -> None:
        await request.answer(400, b"Bad Request: no session", "text/plain")

    @fake.on("initialize")
    async def initialize(request: Request) -> None:
        result = {
            "protocolVersion": request.message["params"]["protocolVersion"],
            "capabilities": {"tools": {"listChanged": True}},
            "serverInfo": {"name": "fake", "version": "1"},
        }
        await request.result(result, **({"Mcp_Session_Id": session} if session else {}))

    @fake.on("tools/call")
    async def call(request: Request) -> None:
        await request.result(text(json.dumps(request.message["params"].get("arguments"))))

    return fake


def modern(fake: FakeRemote) -> FakeRemote:
    """Answers as a remote of the stateless revision does."""

    @fake.on("server/discover")
    async def discover(request: Request) -> None:
        await request.result(
            {
                "resultType": "complete",
                "supportedVersions": ["2026-07-28"],
                "capabilities": {"tools": {"listChanged": True}},
                "_meta": {"io.modelcontextprotocol/serverInfo": {"name": "fake", "version": "1"}},
                "ttlMs": 0,
                "cacheScope": "private",
            }
        )

    @fake.on("initialize")
    async def initialize(request: Request) -> None:
        await request.error(400, -32022, "Unsupported protocol version")

    @fake.on("tools/call")
    async def call(request: Request) -> None:
        await request.result({"resultType": "complete", **text(json.dumps(request.message["params"].get("arguments")))})

    return fake


@asynccontextmanager
async def fake_remote(tls: ssl.SSLContext | None = None) -> AsyncIterator[FakeRemote]:
    fake = FakeRemote(scheme="https" if tls else "http")
    connections: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        connections.add(task)
        task.add_done_callback(connections.discard)
        with suppress(asyncio.CancelledError):  # as the fixture ends; the streams module would complain of it
            await fake.serve(reader, writer)

    server = await asyncio.start_server(connected, "127.0.0.1", _next_port(), ssl=tls)
    fake.port = server.sockets[0].getsockname()[1]
    try:
        yield fake
    finally:
        server.close()
        await server.wait_closed()
        for task in list(connections):
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)
