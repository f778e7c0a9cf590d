"""Requests under a head that was let in before: the same answers, and every rule asked anew."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import httpx
import pytest

from mcp_endpoint.admission.in_flight import InFlight
from mcp_endpoint.admission.limits import BODY_BYTES
from tests.mcp_endpoint.answers import last_of
from tests.mcp_endpoint.conftest import (
    LEGACY,
    MODERN,
    PATH,
    SECONDS,
    Site,
    Web,
    ask,
    modern,
    placement,
    request,
    session,
    tool,
    until,
)


class Connection:
    """One connection on which every request has the same head, but for its length. Each arrives in one piece."""

    def __init__(self, web: Web, token: str, **headers: str) -> None:
        self.port = web.port
        fields = {
            "Host": "slipway.test",
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json",
            "Accept": "application/json, text/event-stream",
            **headers,
        }
        self.head = f"POST {PATH} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields.items())

    async def __aenter__(self) -> Connection:
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        return self

    async def __aexit__(self, *exc: object) -> None:
        self.writer.close()

    def send(self, body: bytes) -> None:
        data = f"{self.head}Content-Length: {len(body)}\r\n\r\n".encode() + body
        self.writer.write(data)

    async def answer(self) -> tuple[int, bytes]:
        head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), SECONDS)
        lines = head.split(b"\r\n")
        fields = dict(line.lower().split(b": ", 1) for line in lines[1:-2])
        if b"content-length" in fields:
            return int(lines[0].split()[1]), await self.reader.readexactly(int(fields[b"content-length"]))
        body = b""
        while size := int(await self.reader.readline(), 16):
            body += await self.reader.readexactly(size)
            await self.reader.readexactly(2)
        await self.reader.readexactly(2)
        return int(lines[0].split()[1]), body

    async def raw(self, message: Any) -> tuple[int, bytes]:
        self.send(message if isinstance(message, bytes) else json.dumps(message).encode())
        return await self.answer()

    async def call(self, message: Any) -> tuple[int, Any]:
        """The status and the outcome, of a stream too."""
        status, body = await self.raw(message)
        return status, json.loads(body if body.startswith(b"{") else last_of(body.decode())) if body else None


def calling(name: str, id: Any = 1, token: Any = None, **arguments: Any) -> dict[str, Any]:  # noqa: A002
    return modern(tool(name, id, token, **arguments))[0]


def modern_connection(web: Web, name: str = "echo", token: str = "", method: str = "tools/call") -> Connection:
    fields = {"MCP-Protocol-Version": MODERN, "Mcp-Method": method}
    if name:
        fields["Mcp-Name"] = name
    return Connection(web, token or web.site.token(), **fields)


def text(answer: tuple[int, Any]) -> str:
    status, body = answer
    assert status == 200, body
    found: str = body["result"]["content"][0]["text"]
    return found


def be_patient(web: Web) -> None:
    """Answers as plain JSON whatever a call takes, so that a test has time to look at one that waits."""
    web.running.endpoint.patience._seconds = SECONDS


async def warmed(site: Site, server: str, **limits: Any) -> Web:
    """Its server runs, and what the site knows of its tools was asked for."""
    site.world.placement = placement(server)
    site.world.tools = []
    web = await site.web(**limits)
    assert (await ask(web.client(), tool("echo", text="x"))).status_code == 200
    return web


@pytest.fixture
async def warm(site: Site) -> Web:
    return await warmed(site, "modern")


@pytest.fixture
async def bridged(site: Site) -> Web:
    """The hosted server is a legacy one, which has more tools."""
    return await warmed(site, "legacy")


async def test_calls_of_one_connection_are_answered_alike(warm: Web) -> None:
    async with modern_connection(warm) as connection:
        for number in range(12):
            answer = await connection.call(calling("echo", number, text="x" * number))
            assert text(answer) == "x" * number and answer[1]["id"] == number
        assert text(await connection.call(calling("echo", 'ä\\"', text="Grüße"))) == "Grüße"
        marked = calling("echo", 7, text="m")
        marked["params"]["_meta"]["example.org/more"] = 1
        assert text(await connection.call(marked)) == "m"
    assert warm.running.endpoint.patience.is_empty


async def test_a_call_waits_without_a_task(bridged: Web) -> None:
    be_patient(bridged)
    async with modern_connection(bridged, "slow") as connection:
        assert text(await connection.call(calling("slow", 1, seconds=0))) == "done"
        connection.send(json.dumps(calling("slow", 2, seconds=1)).encode())
        await until(lambda: not bridged.running.endpoint.patience.is_empty)
        assert len(bridged.server.server_state.tasks) == 0
        assert (await connection.answer())[0] == 200
        assert bridged.running.endpoint.patience.is_empty


async def test_what_takes_longer_is_streamed(bridged: Web) -> None:
    async with modern_connection(bridged, "slow") as connection:
        assert text(await connection.call(calling("slow", 1, seconds=0))) == "done"
        status, body = await connection.raw(calling("slow", 2, seconds=1))
        assert status == 200 and body.startswith(b"event: message") and b'"id":2' in body
        assert text(await connection.call(calling("slow", 3, seconds=0))) == "done"


async def test_progress_comes_before_the_result(bridged: Web) -> None:
    async with modern_connection(bridged, "progress") as connection:
        for number in range(3):
            status, body = await connection.raw(calling("progress", number, token=f"t{number}", steps=3))
            assert status == 200 and body.count(b"notifications/progress") == 3, body
            assert body.count(b'"progressToken":"t%d"' % number) == 3


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, -32700),
        (b"{", 400, -32700),
        (b"[]", 400, -32600),
        (b'{"jsonrpc":"2.0","id":{},"method":"tools/call","params":{}}', 400, -32600),
        (calling("other"), 400, -32020),
        (modern(request("tools/list"))[0], 400, -32020),
        (tool("echo"), 400, -32602),
        (modern(tool("echo"), version="2027-01-01")[0], 400, -32020),
        (json.dumps(calling("echo", text="x")).encode().replace(b'"x"', b'"\xff"'), 400, -32700),
    ],
)
async def test_a_wrong_body_is_refused_as_ever(warm: Web, body: Any, status: int, code: int) -> None:
    async with modern_connection(warm) as connection:
        assert text(await connection.call(calling("echo", text="x"))) == "x"
        for _ in range(2):
            refused = await connection.call(body)
            assert (refused[0], refused[1]["error"]["code"]) == (status, code)
        assert text(await connection.call(calling("echo", text="x"))) == "x"


async def test_a_body_over_the_limit_is_refused(warm: Web) -> None:
    async with modern_connection(warm) as connection:
        assert text(await connection.call(calling("echo", text="x"))) == "x"
        assert (await connection.call(b" " * (BODY_BYTES + 1)))[0] == 413


async def test_a_body_in_pieces_and_one_that_is_followed_by_another(warm: Web) -> None:
    async with modern_connection(warm) as connection:
        assert text(await connection.call(calling("echo", text="x"))) == "x"
        body = json.dumps(calling("echo", 5, text="y" * 100)).encode()
        data = f"{connection.head}Content-Length: {len(body)}\r\n\r\n".encode() + body
        for cut in (len(data) - len(body), len(data) - 50):
            for piece in (data[:cut], data[cut : cut + 20], data[cut + 20 :]):
                connection.writer.write(piece)
                await connection.writer.drain()
                await asyncio.sleep(0.02)
            assert (await connection.answer())[0] == 200
        connection.writer.write(data + data + data[:cut])
        await asyncio.sleep(0.05)
        connection.writer.write(data[cut:] + data)
        for _ in range(4):
            assert (await connection.answer())[0] == 200


async def test_a_revoked_token_is_refused_on_an_open_connection(warm: Web) -> None:
    async with modern_connection(warm, token=warm.site.token(jti="gone")) as connection:
        for _ in range(3):
            assert text(await connection.call(calling("echo", text="x"))) == "x"
        warm.site.world.revoked.add("gone")

        async def is_refused() -> bool:
            return (await connection.call(calling("echo", text="x")))[0] == 401

        await until(is_refused)


async def test_a_token_that_runs_out_is_refused_on_an_open_connection(warm: Web) -> None:
    async with modern_connection(warm, token=warm.site.token(seconds=5)) as connection:
        assert text(await connection.call(calling("echo", text="x"))) == "x"

        async def is_refused() -> bool:
            return (await connection.call(calling("echo", text="x")))[0] == 401

        await until(is_refused)


@pytest.mark.parametrize(
    ("changes", "status"), [({"member_ids": frozenset()}, 404), ({"state": "stopped"}, 503), (None, 404)]
)
async def test_who_loses_access_is_refused_on_an_open_connection(
    warm: Web, changes: dict[str, Any] | None, status: int
) -> None:
    world = warm.site.world
    assert world.route is not None
    async with modern_connection(warm) as connection:
        for _ in range(3):
            assert text(await connection.call(calling("echo", text="x"))) == "x"
        world.route = replace(world.route, **changes) if changes is not None else None

        async def is_refused() -> bool:
            return (await connection.call(calling("echo", text="x")))[0] == status

        await until(is_refused)


async def test_a_tool_with_mirrored_arguments_is_looked_at(warm: Web) -> None:
    """Its headers are checked for each call, by what the list of tools said last."""
    schema = {"type": "object", "properties": {"text": {"type": "string", "x-mcp-header": "Text"}}}
    listed = {"tools": [{"name": "echo", "inputSchema": schema}]}
    async with modern_connection(warm) as connection:
        assert text(await connection.call(calling("echo", text="x"))) == "x"
        warm.running.services.tool_headers.learn("v1", json.dumps(listed).encode())
        refused = await connection.call(calling("echo", text="x"))
        assert (refused[0], refused[1]["error"]["code"]) == (400, -32020)


async def test_limits_count_calls_of_both_ways(site: Site) -> None:
    web = await warmed(site, "legacy", in_flight=InFlight(2, 10))
    token = site.token()
    connections = [modern_connection(web, "slow", token) for _ in range(3)]
    for connection in connections:
        await connection.__aenter__()
        assert text(await connection.call(calling("slow", seconds=0))) == "done"
    for connection in connections[:2]:
        connection.send(json.dumps(calling("slow", seconds=3)).encode())
    in_flight = web.running.services.in_flight
    await until(lambda: in_flight.count == 2)
    refused = await connections[2].call(calling("slow", 9, seconds=0))
    assert (refused[0], refused[1]["id"]) == (429, 9)
    for connection in connections[:2]:
        assert (await connection.answer())[0] == 200
    await until(lambda: in_flight.count == 0)
    assert text(await connections[2].call(calling("slow", seconds=0))) == "done"
    for connection in connections:
        await connection.__aexit__()


async def test_a_client_that_goes_cancels_its_call(bridged: Web) -> None:
    in_flight = bridged.running.services.in_flight
    async with modern_connection(bridged, "slow") as connection:
        assert text(await connection.call(calling("slow", seconds=0))) == "done"
        connection.send(json.dumps(calling("slow", seconds=30)).encode())
        await until(lambda: in_flight.count == 1)
    await until(lambda: in_flight.count == 0)
    assert bridged.running.endpoint.patience.is_empty


async def test_a_runner_that_dies_ends_the_call_with_an_error(bridged: Web) -> None:
    be_patient(bridged)
    async with modern_connection(bridged, "slow") as connection:
        assert text(await connection.call(calling("slow", seconds=0))) == "done"
        connection.send(json.dumps(calling("slow", 4, seconds=30)).encode())
        await until(lambda: not bridged.running.endpoint.patience.is_empty)
        bridged.site.runner.kill()
        status, body = await connection.answer()
        assert status == 503 and json.loads(body)["id"] == 4
    await until(lambda: bridged.running.services.in_flight.count == 0)


async def test_a_question_is_sealed_on_this_way_too(warm: Web) -> None:
    async with modern_connection(warm, "ask") as connection:
        for number in range(3):
            message = modern(tool("ask", number), capabilities={"elicitation": {"form": {}}})[0]
            status, body = await connection.call(message)
            assert status == 200, body
            assert body["result"]["resultType"] == "input_required" and len(body["result"]["requestState"]) > 40


async def test_other_methods_go_this_way_too(warm: Web) -> None:
    async with modern_connection(warm, "", method="tools/list") as connection:
        for number in range(3):
            status, body = await connection.call(modern(request("tools/list", id=number))[0])
            assert status == 200 and body["id"] == number and body["result"]["tools"]


async def test_a_legacy_session(site: Site) -> None:
    web = await site.web()
    client = web.client()
    await session(client)
    fields = {"MCP-Protocol-Version": LEGACY, "Mcp-Session-Id": client.headers["mcp-session-id"]}
    async with Connection(web, site.token(), **fields) as connection:
        for number in range(5):
            answer = await connection.call(tool("echo", number, text="x" * number))
            assert text(answer) == "x" * number and answer[1]["id"] == number
        assert (await connection.call({"jsonrpc": "2.0", "method": "notifications/x"}))[0] == 202
        assert (await connection.call(tool("nonsense", 8)))[0] == 200
        status, body = await connection.raw(tool("progress", 9, token="t", steps=2))
        assert status == 200 and body.count(b"notifications/progress") == 2
        assert text(await connection.call(tool("echo", 10, text="y"))) == "y"
        assert (await client.delete(PATH)).status_code == 204
        assert (await connection.call(tool("echo", 11, text="y")))[0] == 404


async def test_a_stopping_server_closes_after_the_answer(bridged: Web) -> None:
    be_patient(bridged)
    async with modern_connection(bridged, "slow") as connection:
        assert text(await connection.call(calling("slow", seconds=0))) == "done"
        connection.send(json.dumps(calling("slow", 3, seconds=0.5)).encode())
        await until(lambda: not bridged.running.endpoint.patience.is_empty)
        stopping = asyncio.create_task(bridged.stop())
        status, body = await connection.answer()
        assert status == 200 and json.loads(body)["id"] == 3
        assert await connection.reader.read() == b""
        await stopping


async def test_pages_are_told_what_they_may_read_each_time(site: Site) -> None:
    web = await site.web(origins=["https://page.test"])
    client: httpx.AsyncClient = web.client(origin="https://page.test")
    for _ in range(3):
        response = await ask(client, tool("echo", text="x"))
        assert response.headers["access-control-allow-origin"] == "https://page.test"
