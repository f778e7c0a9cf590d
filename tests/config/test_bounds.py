"""What a connection may make the web server hold, and how long it may keep it waiting: over real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn

from config.launch.http import HttpProtocol
from mcp_endpoint.admission.limits import HEADER_BYTES
from tests.config.test_http import Server

SOON = 0.3  # seconds without a byte of a request
SECONDS = 60.0  # for what has to come, on a machine that many others use
SEEN = list[str]


class Impatient(HttpProtocol):
    request_seconds = SOON


@pytest.fixture
async def served() -> AsyncIterator[tuple[str, int, SEEN]]:
    async with serving(HttpProtocol) as found:
        yield found


@pytest.fixture
async def hasty() -> AsyncIterator[tuple[str, int, SEEN]]:
    async with serving(Impatient) as found:
        yield found


@asynccontextmanager
async def serving(protocol: type[HttpProtocol]) -> AsyncIterator[tuple[str, int, SEEN]]:
    seen: SEEN = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] == "/early":  # answers without the body
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
            await send({"type": "http.response.body", "body": b"early"})
            return
        body = b""
        while (message := await receive())["type"] == "http.request":
            body += message["body"]
            if not message["more_body"]:
                break
        seen.append(message["type"])
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
        await send({"type": "http.response.body", "body": body})

    server = Server(uvicorn.Config(app, port=0, http=protocol, lifespan="off", log_config=None))
    running = asyncio.create_task(server.serve())
    await server.is_up.wait()
    host, port = server.servers[0].sockets[0].getsockname()
    yield host, port, seen
    server.should_exit = True
    await running


async def everything(served: tuple[str, int, SEEN], *pieces: bytes, pause: float = 0.0) -> bytes:
    """All that comes back until the server ends the connection."""
    reader, writer = await asyncio.open_connection(*served[:2])
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause)
        return await asyncio.wait_for(reader.read(), SECONDS)
    except ConnectionResetError:
        return b"reset"
    finally:
        writer.close()


def post(length: int, path: str = "/", extra: str = "") -> bytes:
    return f"POST {path} HTTP/1.1\r\nHost: x\r\n{extra}Content-Length: {length}\r\n\r\n".encode()


async def test_a_head_within_the_limit_is_served(served: tuple[str, int, SEEN]) -> None:
    field = "X: " + "x" * (HEADER_BYTES - 200) + "\r\n"
    assert (await everything(served, post(2, extra=field + "Connection: close\r\n") + b"{}")).endswith(b"{}")


@pytest.mark.parametrize("count", [1, 2000])
async def test_a_whole_head_over_the_limit_is_refused(served: tuple[str, int, SEEN], count: int) -> None:
    fields = ("X: " + "x" * (HEADER_BYTES // count + 10) + "\r\n") * count
    answer = await everything(served, post(2, extra=fields) + b"{}")
    assert answer.startswith(b"HTTP/1.1 431 ") and b"connection: close" in answer
    assert served[2] == []


async def test_a_long_path_counts(served: tuple[str, int, SEEN]) -> None:
    assert (await everything(served, post(0, "/" + "x" * HEADER_BYTES))).startswith(b"HTTP/1.1 431 ")


async def test_a_head_that_never_ends_is_refused_while_it_comes(served: tuple[str, int, SEEN]) -> None:
    pieces = [b"x" * 4096] * (HEADER_BYTES // 4096)
    answer = await everything(served, b"POST / HTTP/1.1\r\nX: ", *pieces, b"x", pause=0.01)
    assert answer.startswith(b"HTTP/1.1 431 ")


async def test_trailers_are_bounded_and_are_no_headers(served: tuple[str, int, SEEN]) -> None:
    chunked = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nX: "
    answer = await everything(served, chunked, *[b"x" * 4096] * (HEADER_BYTES // 4096), b"x", pause=0.01)
    assert answer.startswith(b"HTTP/1.1 431 ")
    assert served[2] == ["http.disconnect"]


async def test_many_small_chunks_are_no_head(served: tuple[str, int, SEEN]) -> None:
    begin = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    answer = await everything(served, begin, *[b"1\r\nx\r\n" * 4000] * 4, b"0\r\n\r\n", pause=0.01)
    assert answer.endswith(b"\r\n\r\n" + b"x" * 16000)


@pytest.mark.parametrize("sent", [b"POST / HT", post(5)[:-2], post(5), post(5) + b"abc"])
async def test_a_request_that_stops_coming_is_given_up(hasty: tuple[str, int, SEEN], sent: bytes) -> None:
    answer = await everything(hasty, sent)
    assert answer.startswith(b"HTTP/1.1 408 ") and b"connection: close" in answer
    assert hasty[2] == (["http.disconnect"] if b"\r\n\r\n" in sent else [])


async def test_a_slow_request_is_waited_for() -> None:
    class Patient(HttpProtocol):
        request_seconds = 3.0  # much more than a pause may come to on a busy machine, and less than all of them

    whole = post(4, extra="Connection: close\r\n")
    pieces = [whole[:10], whole[10:], b"a", b"b", b"c", b"d"]
    async with serving(Patient) as served:
        assert (await everything(served, *pieces, pause=0.65)).endswith(b"\r\n\r\nabcd")


async def test_a_second_request_that_stops_coming_gets_its_own_answer(hasty: tuple[str, int, SEEN]) -> None:
    answer = await everything(hasty, post(2) + b"{}", post(2))
    assert answer.count(b"HTTP/1.1 ") == 2 and b"HTTP/1.1 408 " in answer


async def test_the_rest_of_what_is_answered_already_gets_no_second_answer(hasty: tuple[str, int, SEEN]) -> None:
    answer = await everything(hasty, post(9, "/early"))
    assert answer.count(b"HTTP/1.1 ") == 1 and answer.endswith(b"early")


async def test_an_idle_connection_stays_open(hasty: tuple[str, int, SEEN]) -> None:
    reader, writer = await asyncio.open_connection(*hasty[:2])
    for _ in range(2):
        writer.write(post(2) + b"{}")
        assert await asyncio.wait_for(reader.readuntil(b"{}"), SECONDS)
        await asyncio.sleep(SOON * 2)
    writer.close()
