"""What a sandboxed server reaches, with no setting and no help of its own."""

from __future__ import annotations

from pathlib import Path

from tests.runner.egress.conftest import LetOut, Outside
from tests.runner.egress.peers import echo, web


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
