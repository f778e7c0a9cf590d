"""What a sandboxed server reaches, with no setting and no help of its own."""

from __future__ import annotations

import json
import shutil
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
