"""Which stream between site and runner: our frames, WebSocket or gRPC, over a Unix socket, two processes, one run.

    uv run --with-requirements requirements.lock --with websockets --with grpcio python -m benchmarks.stream.compare

Each carries the same 300-byte request and 300-byte answer, multiplexed on one connection, at 1, 32 and 128 in flight.
Rounds alternate between the three, so that a noisy machine is noisy for all; the ratios are what to read.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import msgspec
import uvloop
import websockets

from hosting.runner.frames import Answered, Ask, FromRunner, ToRunner
from hosting.runner.transport import FrameConnection, dial, listen

BODY = b"x" * 300
Echo = Callable[[bytes], Awaitable[bytes]]


class FrameEcho:
    """Both ends of our frames: answers an Ask, resolves an Answered."""

    def __init__(self) -> None:
        self.waiting: dict[int, asyncio.Future[bytes]] = {}

    def frame_received(self, connection: FrameConnection, frame: Any) -> None:
        if isinstance(frame, Ask):
            connection.send(Answered(frame.id, True, frame.body))
        else:
            self.waiting.pop(frame.id).set_result(frame.body)

    def connection_ready(self, connection: FrameConnection) -> None: ...
    def connection_writable(self, connection: FrameConnection) -> None: ...
    def connection_lost(self, connection: FrameConnection, reason: str) -> None: ...


async def serve_frames(path: str) -> None:
    decoder = msgspec.msgpack.Decoder(ToRunner)
    await listen(f"unix:{path}", lambda: FrameConnection(FrameEcho(), decoder))
    await asyncio.Event().wait()


@asynccontextmanager
async def frames(path: str) -> Any:
    sink, decoder = FrameEcho(), msgspec.msgpack.Decoder(FromRunner)
    connection = await dial(f"unix:{path}", lambda: FrameConnection(sink, decoder))
    loop, number = asyncio.get_running_loop(), 0

    async def echo(body: bytes) -> bytes:
        nonlocal number
        number += 1
        future = sink.waiting[number] = loop.create_future()
        connection.send(Ask(number, body))
        return bytes(await future)

    yield echo
    connection.close()


async def serve_websocket(path: str) -> None:
    async def handler(socket: Any) -> None:
        async for message in socket:
            await socket.send(message)

    async with websockets.unix_serve(handler, path, compression=None):
        await asyncio.Event().wait()


@asynccontextmanager
async def websocket(path: str) -> Any:
    socket = await websockets.unix_connect(path, compression=None)
    waiting: dict[int, asyncio.Future[bytes]] = {}
    loop, number = asyncio.get_running_loop(), 0

    async def receive() -> None:
        async for message in socket:
            assert isinstance(message, bytes)
            waiting.pop(int.from_bytes(message[:8])).set_result(message[8:])

    async def echo(body: bytes) -> bytes:
        nonlocal number
        number += 1
        future = waiting[number] = loop.create_future()
        await socket.send(number.to_bytes(8) + body)
        return bytes(await future)

    receiving = asyncio.create_task(receive())
    yield echo
    await socket.close()
    receiving.cancel()


async def serve_grpc(path: str) -> None:
    async def echo(request: bytes, context: Any) -> bytes:
        return request

    server = grpc.aio.server()
    handler = grpc.method_handlers_generic_handler("bench", {"echo": grpc.unary_unary_rpc_method_handler(echo)})
    server.add_generic_rpc_handlers((handler,))
    server.add_insecure_port(f"unix:{path}")
    await server.start()
    await server.wait_for_termination()


@asynccontextmanager
async def grpc_channel(path: str) -> Any:
    async with grpc.aio.insecure_channel(f"unix:{path}") as channel:
        yield channel.unary_unary("/bench/echo")


Serve = Callable[[str], Coroutine[Any, Any, None]]
Connect = Callable[[str], AbstractAsyncContextManager[Echo]]

WAYS: dict[str, tuple[Serve, Connect]] = {
    "frames": (serve_frames, frames),
    "websocket": (serve_websocket, websocket),
    "grpc": (serve_grpc, grpc_channel),
}


async def one_round(echo: Echo, in_flight: int, calls: int) -> float:
    """Calls a second."""

    async def worker(count: int) -> None:
        for _ in range(count):
            assert len(await echo(BODY)) == len(BODY)

    began = time.perf_counter()
    await asyncio.gather(*(worker(calls // in_flight) for _ in range(in_flight)))
    return calls / (time.perf_counter() - began)


async def compare(rounds: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        servers = {
            name: await asyncio.create_subprocess_exec(
                sys.executable, "-m", __spec__.name, "--serve", name, f"{folder}/{name}"
            )
            for name in WAYS
        }
        try:
            await asyncio.sleep(2)
            results: dict[tuple[str, int], list[float]] = {}
            for _ in range(rounds):
                for in_flight, calls in ((1, 2000), (32, 12_800), (128, 12_800)):
                    for name, (_, connect) in WAYS.items():
                        async with connect(f"{folder}/{name}") as echo:
                            await one_round(echo, in_flight, in_flight * 10)
                            results.setdefault((name, in_flight), []).append(await one_round(echo, in_flight, calls))
            print("| stream | in flight | calls/s (median) | ratio to frames |\n|---|---|---|---|")
            for in_flight in (1, 32, 128):
                base = statistics.median(results["frames", in_flight])
                for name in WAYS:
                    median = statistics.median(results[name, in_flight])
                    print(f"| {name} | {in_flight} | {median:,.0f} | {median / base:.2f} |")
        finally:
            for server in servers.values():
                server.terminate()
                await server.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--serve", nargs=2, metavar=("WAY", "PATH"))
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    if arguments.serve:
        way, path = arguments.serve
        Path(path).unlink(missing_ok=True)
        uvloop.run(WAYS[way][0](path))
    else:
        uvloop.run(compare(arguments.rounds))


if __name__ == "__main__":
    main()
