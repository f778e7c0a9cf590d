"""What a sandboxed server reaches, with no setting and no help of its own."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from hosting.kinds import interpreters
from tests.runner.egress.conftest import LetOut, Outside
from tests.runner.egress.peers import echo, web
from tests.runner.runtimes.conftest import READ_ONLY, SERVERS


async def test_named_host_is_reached_as_if_there_were_no_proxy(
    let_out: LetOut, outside: Outside, tmp_path: Path
) -> None:
    outside.name("api.example.org", "127.77.0.1")
    async with web(tmp_path, "127.77.0.1", 0, "api.example.org") as peer:
        probe = await let_out(ports=[peer.port])
        assert await probe.ask("net.https", f"https://api.example.org:{peer.port}/", peer.authority) == [200, "hello"]
    assert await outside.line("connected") == f"egress: connected to api.example.org:{peer.port}"
    row = await outside.row("api.example.org", peer.port)
    assert (row.connections, row.refused) == (1, 0)
    assert row.octets > 1000


async def test_nothing_is_set_in_its_environment(let_out: LetOut) -> None:
    probe = await let_out()
    assert not [name for name in await probe.ask("environ") if "proxy" in name.lower()]


async def test_address_without_a_name_is_reached(let_out: LetOut) -> None:
    async with echo("127.77.0.2") as peer:
        probe = await let_out(ports=[peer.port])
        assert await probe.ask("net.talk", "127.77.0.2", peer.port, "hi") == "hi"


@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node.js")
async def test_every_way_of_node_leads_out(let_out: LetOut, outside: Outside, tmp_path: Path) -> None:
    """Fetch of Node.js 20 takes no proxy from its environment, and neither do most libraries."""
    outside.name("api.example.org", "127.77.0.1")
    async with web(tmp_path, "127.77.0.1", 0, "api.example.org") as peer:
        authority = tmp_path / "authority.pem"
        authority.write_text(peer.authority)
        probe = await let_out(
            str(interpreters.node().executable),
            str(SERVERS / "fetcher.cjs"),
            f"https://api.example.org:{peer.port}/",
            "api.example.org",
            str(peer.port),
            env={"NODE_EXTRA_CA_CERTS": str(authority)},
            read_only=[*READ_ONLY, *interpreters.node().read_only, str(authority)],
            ports=[peer.port],
        )
        found = json.loads(await probe.line(probe.process.stdout))
    assert found == {
        "fetch": "hello",
        "https.get": "hello",
        "tls.connect": "hello",
        "http2.connect": "connected",
        "dns.lookup": "127.77.0.1",
        "dns.resolve4": "127.77.0.1",
        "no such name": "ENOTFOUND",
    }


@asynccontextmanager
async def operators_proxy(answer: bytes) -> AsyncIterator[tuple[str, list[bytes]]]:
    """As a company may have one: it takes CONNECT with a password, then gives back what it gets."""
    heads: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer)
        while data := await reader.read(1000):
            writer.write(data)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://me:w%40rd@127.0.0.1:{server.sockets[0].getsockname()[1]}", heads


async def test_trusted_hosts_are_reached_through_the_operators_proxy(let_out: LetOut, outside: Outside) -> None:
    """It resolves names itself: this machine need not know them."""
    request = "CONNECT index.example.org:443 HTTP/1.1\r\nHost: index.example.org:443\r\n\r\n"
    async with operators_proxy(b"HTTP/1.1 200 OK\r\nVia: x\r\n\r\n") as (proxy, heads):
        probe = await let_out(mode="listed", trusted=["index.example.org:443"], is_explicit=True, upstream=proxy)
        answer = await probe.ask("net.talk", "127.0.0.1", 3128, request)
        assert answer == "HTTP/1.1 200 Connection established\r\n\r\n"
        refused = await probe.ask("net.talk", "127.0.0.1", 3128, request.replace("index", "other"))
        assert refused.startswith("HTTP/1.1 403")
    assert heads == [
        b"CONNECT index.example.org:443 HTTP/1.1\r\nHost: index.example.org:443\r\n"
        b"Proxy-Authorization: Basic bWU6d0ByZA==\r\n\r\n"
    ]


async def test_operators_proxy_that_refuses_is_quoted(let_out: LetOut, outside: Outside) -> None:
    async with operators_proxy(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n") as (proxy, _):
        probe = await let_out(mode="listed", trusted=["index.example.org:443"], is_explicit=True, upstream=proxy)
        answer = await probe.ask("net.talk", "127.0.0.1", 3128, "CONNECT index.example.org:443 HTTP/1.1\r\n\r\n")
    assert answer.startswith("HTTP/1.1 502") and "407 Proxy Authentication Required" in answer


async def test_plain_http_of_a_trusted_host_is_forwarded(let_out: LetOut, outside: Outside, tmp_path: Path) -> None:
    outside.name("index.example.org", "127.0.0.1")  # which nothing but trust makes reachable
    async with web(tmp_path, "127.0.0.1", 0) as peer:
        host = f"index.example.org:{peer.port}"
        probe = await let_out(mode="listed", trusted=[host], is_explicit=True, private=[])
        request = f"GET http://{host}/simple/?a=b HTTP/1.1\r\nHost: {host}\r\nProxy-Authorization: Basic x\r\n\r\n"
        assert (await probe.ask("net.talk", "127.0.0.1", 3128, request)).startswith("HTTP/1.1 200")
    head = peer.seen[0].decode()
    assert head.startswith("GET /simple/?a=b HTTP/1.1\r\n") and "Proxy-" not in head
