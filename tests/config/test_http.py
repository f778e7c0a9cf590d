"""A response leaves in one piece, and a stream's head does not wait for its first chunk."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
import uvicorn

from config.launch.http import HttpProtocol
from mcp_endpoint.wire.asgi import WHOLE

CHUNKS = asyncio.Queue[bytes]
SECONDS = 60.0  # for what has to come, on a machine that many others use


class Wire(HttpProtocol):
    """Notes what is written to the socket, each time as one piece."""

    pieces: list[bytes] = []

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        write = transport.write

        class Noted:
            def __getattr__(self, name: str) -> Any:
                return getattr(transport, name)

            def write(self, data: bytes) -> None:
                Wire.pieces.append(data)
                write(data)

        super().connection_made(Noted())  # type: ignore[arg-type]


class Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.is_up.set()


@pytest.fixture
async def served() -> AsyncIterator[tuple[str, int, CHUNKS]]:
    chunks: CHUNKS = asyncio.Queue()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] == "/stream":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            while chunk := await chunks.get():
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        elif scope["path"] == "/mcp/whole":
            whole = scope["extensions"].pop(WHOLE)
            if not whole(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n", b"whole"):
                await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
                await send({"type": "http.response.body", "body": b"steps"})
        elif scope["path"] == "/empty":
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body", "body": b""})
        else:
            headers = [(b"content-length", b"5")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": b"hello"})

    server = Server(uvicorn.Config(app, port=0, http=Wire, lifespan="off", log_config=None))
    running = asyncio.create_task(server.serve())
    await server.is_up.wait()
    Wire.pieces = []
    host, port = server.servers[0].sockets[0].getsockname()
    yield host, port, chunks
    server.should_exit = True
    await running


async def request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str, **headers: str) -> bytes:
    """The head of the response to a GET."""
    extra = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    writer.write(f"GET {path} HTTP/1.1\r\nHost: test\r\n{extra}\r\n".encode())
    return await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), SECONDS)


async def test_a_response_is_one_piece_and_the_connection_goes_on(served: tuple[str, int, CHUNKS]) -> None:
    reader, writer = await asyncio.open_connection(*served[:2])
    for _ in range(2):
        assert (await request(reader, writer, "/")).startswith(b"HTTP/1.1 200")
        assert await reader.readexactly(5) == b"hello"
    assert (await request(reader, writer, "/empty")).startswith(b"HTTP/1.1 204")
    assert (await request(reader, writer, "/", Connection="close")).startswith(b"HTTP/1.1 200")
    assert await reader.read() == b"hello"
    assert len(Wire.pieces) == 4
    writer.close()


async def test_an_endpoint_may_answer_in_one_step(served: tuple[str, int, CHUNKS]) -> None:
    reader, writer = await asyncio.open_connection(*served[:2])
    for _ in range(2):
        head = await request(reader, writer, "/mcp/whole")
        assert head.startswith(b"HTTP/1.1 200 OK\r\n") and head.count(b"\r\ndate: ") == 1
        assert await reader.readexactly(5) == b"whole"
    writer.write(b"GET /mcp/whole HTTP/1.1\r\nHost: test\r\n\r\n" * 3)  # pipelined
    for _ in range(3):
        await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), SECONDS)
        assert await reader.readexactly(5) == b"whole"
    assert (await request(reader, writer, "/mcp/whole", Connection="close")).startswith(b"HTTP/1.1 200")
    assert await reader.read() == b"steps"
    writer.close()


async def test_the_head_of_a_stream_comes_before_its_first_chunk(served: tuple[str, int, CHUNKS]) -> None:
    host, port, chunks = served
    reader, writer = await asyncio.open_connection(host, port)
    assert b"transfer-encoding: chunked" in await request(reader, writer, "/stream")
    chunks.put_nowait(b"one")
    assert await reader.readuntil(b"one\r\n") == b"3\r\none\r\n"
    chunks.put_nowait(b"")
    assert await reader.readuntil(b"0\r\n\r\n") == b"0\r\n\r\n"
    writer.close()
