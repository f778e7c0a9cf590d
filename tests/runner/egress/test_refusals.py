"""What is refused on the way out, however it is asked for. From inside a real sandbox, through the real proxy."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hosting.runner.egress import gate
from tests.runner.egress.conftest import LetOut, Outside
from tests.runner.egress.peers import echo, web

needs_port_443 = pytest.mark.skipif(os.geteuid() != 0, reason="only root may listen on port 443")
NO_SUCH_NAME = 3


@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.5", "127.0.0.1", "169.254.169.254", "169.254.1.1", "192.168.0.1", "172.16.0.1", "100.64.0.1", "0.0.0.0",
        "224.0.0.1", "::1", "fd00::1", "fe80::1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::",
    ],
)  # fmt: skip
async def test_name_of_an_address_that_is_not_public_does_not_resolve(
    let_out: LetOut, outside: Outside, address: str
) -> None:
    outside.name("inner.example.org", address)
    probe = await let_out(private=[])
    assert await probe.ask("net.query", "inner.example.org") == [NO_SUCH_NAME, 0]
    line = await outside.line("refused")
    assert line.startswith("egress: refused inner.example.org:443: ") and line.endswith(f" address {address}")
    assert (await outside.row("inner.example.org", 443)).refused == 1


async def test_one_private_address_among_public_ones_spoils_the_name(let_out: LetOut, outside: Outside) -> None:
    outside.name("mixed.example.org", "1.1.1.1", "10.0.0.1")
    probe = await let_out(private=[])
    assert await probe.ask("net.query", "mixed.example.org") == [NO_SUCH_NAME, 0]


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("169.254.169.254", "metadata address"), ("100.100.100.200", "metadata address"),
        ("10.0.0.5", "private address"), ("192.168.0.1", "private address"),
        ("100.64.0.1", "carrier's private address"), ("203.0.113.9", "reserved address"),
    ],
)  # fmt: skip
async def test_address_that_is_not_public_is_refused(
    let_out: LetOut, outside: Outside, address: str, words: str
) -> None:
    probe = await let_out(private=[])
    assert "denied" in await probe.ask("net.tls", address, 443, "example.org")
    assert await outside.line("refused") == f"egress: refused {address}:443: {words}"


async def test_own_loopback_stays_its_own(let_out: LetOut, outside: Outside) -> None:
    """127.0.0.1 is the sandbox, where the proxy listens too; it must not lead to this machine's loopback."""
    async with echo("127.0.0.1") as peer:
        probe = await let_out(private=[], ports=[peer.port])
        assert await probe.ask("net.talk", "127.0.0.1", peer.port, "hi") != "hi"
        assert not peer.seen
    assert "loopback address" in await outside.line("refused 127.0.0.1")


@pytest.mark.parametrize(
    "text", ["http://169.254.169.254/latest/", "http://2852039166/", "http://0xa9.0xfe.0xa9.0xfe/"]
)
async def test_metadata_by_plain_http_is_refused_in_words(let_out: LetOut, outside: Outside, text: str) -> None:
    probe = await let_out(private=["0.0.0.0/0"])  # not even by the operator's list
    answer = await probe.ask("net.https", text)
    assert answer[0] == 403 and "metadata address" in answer[1]


async def test_plain_http_is_refused_with_what_to_do(let_out: LetOut, outside: Outside) -> None:
    outside.name("web.example.org", "93.184.215.14")
    probe = await let_out()
    status, body = await probe.ask("net.https", "http://web.example.org/")
    assert status == 403
    assert "web.example.org:80: plain http is not allowed, use https" in body


@pytest.mark.parametrize("port", [22, 25, 5432, 6379, 8000, 3128])
async def test_other_ports_have_nobody(let_out: LetOut, outside: Outside, port: int) -> None:
    outside.name("api.example.org", "93.184.215.14")
    probe = await let_out()
    assert "refused" in await probe.ask("net.talk", "api.example.org", port, "SSH-2.0-probe\r\n")


async def test_extra_port_is_for_the_operators_networks_only(let_out: LetOut, outside: Outside) -> None:
    outside.name("database.example.org", "93.184.215.14")
    probe = await let_out(ports=[5432])
    await probe.ask("net.talk", "database.example.org", 5432, "x")
    assert await outside.line("refused") == "egress: refused database.example.org:5432: port 5432 is not allowed"


@needs_port_443
async def test_greeting_for_another_host_is_refused(let_out: LetOut, outside: Outside, tmp_path: Path) -> None:
    outside.name("allowed.example.org", "127.77.1.1")
    outside.name("hidden.example.org", "127.77.1.2")
    async with web(tmp_path, "127.77.1.1", 443, "allowed.example.org") as peer:
        probe = await let_out()
        assert await probe.ask("net.tls", "allowed.example.org", 443, "allowed.example.org") == "HTTP/1.1 200 OK"
        for other in ("hidden.example.org", "nowhere.example.org", "not a host"):
            assert "denied" in await probe.ask("net.tls", "allowed.example.org", 443, other), other
        assert len(peer.seen) == 1
    assert "its TLS greeting is for hidden.example.org" in await outside.line("refused")


@needs_port_443
async def test_two_names_of_one_address_are_told_apart(let_out: LetOut, outside: Outside, tmp_path: Path) -> None:
    for name in ("one.example.org", "two.example.org"):
        outside.name(name, "127.77.1.1")
    async with web(tmp_path, "127.77.1.1", 443, "one.example.org"):
        probe = await let_out(mode="listed", hosts=["one.example.org"])
        assert await probe.ask("net.tls", "one.example.org", 443, "one.example.org") == "HTTP/1.1 200 OK"
        assert "denied" in await probe.ask("net.tls", "one.example.org", 443, "two.example.org")
    assert await outside.line("refused") == "egress: refused two.example.org:443: not among the allowed hosts"


@needs_port_443
@pytest.mark.parametrize(
    "text", ["SSH-2.0-probe\r\n", "GET / HTTP/1.1\r\n\r\n", "\x16\x02\x00\x00\x10", "\x16\x03\x01\x00\x00"]
)
async def test_port_443_is_for_tls_only(let_out: LetOut, outside: Outside, text: str) -> None:
    async with echo("127.77.1.3") as peer:
        probe = await let_out()
        assert "\x15\x03\x03" in await probe.ask("net.talk", "127.77.1.3", 443, text)
        assert not peer.seen
    assert "does not begin with a TLS" in await outside.line("refused 127.77.1.3:443")


async def test_only_listed_hosts_are_reached(let_out: LetOut, outside: Outside, tmp_path: Path) -> None:
    names = ["api.example.org", "a.files.example.org", "files.example.org", "evil.example.net"]
    async with web(tmp_path, "127.77.0.1", 0, *names) as peer:
        for name in names:
            outside.name(name, "127.77.0.1")
        probe = await let_out(mode="listed", hosts=["api.example.org", "*.files.example.org"], ports=[peer.port])
        for name in names[:2]:
            assert await probe.ask("net.https", f"https://{name}:{peer.port}/", peer.authority) == [200, "hello"]
        for name in names[2:]:
            assert "not known" in await probe.ask("net.https", f"https://{name}:{peer.port}/", peer.authority)
    assert await outside.line("evil") == "egress: refused evil.example.net:443: not among the allowed hosts"


async def test_address_is_not_listed_by_its_name(let_out: LetOut, outside: Outside) -> None:
    """Who listed a name has not listed whatever else it may be reached by."""
    outside.name("api.example.org", "127.77.0.1")
    async with echo("127.77.0.1") as peer:
        probe = await let_out(mode="listed", hosts=["api.example.org"], ports=[peer.port])
        await probe.ask("net.talk", "127.77.0.1", peer.port, "hi")
        assert not peer.seen
        assert await probe.ask("net.query", "api.example.org") == [0, 1]
        assert await probe.ask("net.talk", "127.77.0.1", peer.port, "hi") == "hi"


async def test_name_that_changes_its_mind_leads_nowhere_else(let_out: LetOut, outside: Outside) -> None:
    """DNS rebinding: what is connected to is the address that was judged, and it is judged again."""
    async with echo("127.77.0.1") as public, echo("127.88.0.1") as inner:
        probe = await let_out(ports=[public.port, inner.port])
        outside.name("rebind.example.org", "127.77.0.1")
        assert await probe.ask("net.talk", "rebind.example.org", public.port, "hi") == "hi"
        outside.name("rebind.example.org", "127.88.0.1")  # which the operator did not list
        assert await probe.ask("net.talk", "rebind.example.org", public.port, "hi") == "hi"
        assert await probe.ask("net.talk", "127.88.0.1", inner.port, "hi") != "hi"
        assert not inner.seen


async def test_no_network_at_all_without_egress(let_out: LetOut, outside: Outside) -> None:
    probe = await let_out(mode="none")
    assert "unreachable" in await probe.ask("net.talk", "93.184.215.14", 443, "x")
    assert "ConnectionRefused" in await probe.ask("net.query", "example.org")


async def test_another_instances_way_is_out_of_reach(let_out: LetOut, outside: Outside) -> None:
    """Each has a network of its own; sockets of the proxy for others aren't there, nor is its control socket."""
    outside.name("api.example.org", "127.77.0.1")
    async with echo("127.77.0.1") as peer:
        await let_out(ports=[peer.port])
        narrow = await let_out(mode="listed", hosts=["other.example.org"], ports=[peer.port])
        await narrow.ask("net.talk", "127.77.0.1", peer.port, "hi")
        assert not peer.seen
        assert await narrow.ask("listing", "/run") == []
        assert not any("egress" in text for text in (await narrow.ask("processes")).values())


async def test_more_connections_than_allowed_wait_for_others_to_end(let_out: LetOut, outside: Outside) -> None:
    most = gate.MAX_CONNECTIONS
    async with echo("127.77.0.1") as peer:
        probe = await let_out(ports=[peer.port])
        assert await probe.ask("net.hold", "127.77.0.1", peer.port, most + 1) == most + 1
        assert await probe.ask("net.echoed", most - 1, "in") == "in"
        assert await probe.ask("net.echoed", most, "out", 1) in ("timeout", "TimeoutError")
        assert "64 connections are open" in await outside.line("connections are open")
        other = await let_out(ports=[peer.port])
        assert await other.ask("net.talk", "127.77.0.1", peer.port, "not my fault") == "not my fault"
        await probe.ask("net.let_go", 1)
        assert await probe.ask("net.echoed", most - 1, "") == "out"


async def test_flood_of_connections_holds_up_only_itself(let_out: LetOut, outside: Outside) -> None:
    async with echo("127.77.0.1") as peer:
        bad, good = await let_out(ports=[peer.port]), await let_out(ports=[peer.port])
        bad.tell("net.flood", "127.77.0.1", peer.port, 3)
        for _ in range(10):
            assert await good.ask("net.talk", "127.77.0.1", peer.port, "hi") == "hi"
        assert int(await bad.line(bad.process.stdout) != "")
        assert len(peer.seen) < 10 + gate.ACCEPT_BURST + 8 * gate.ACCEPTS_A_SECOND


@pytest.mark.parametrize(
    "octets",
    ["", "00", "ff" * 12, "0001010000010000000000000161", "004d01000001000000000000c00c00010001", "00" * 1000,
     "004d0100000100000000000040" + "61" * 64 + "0000010001"],
)  # fmt: skip
async def test_octets_that_are_no_query_are_passed_over(let_out: LetOut, outside: Outside, octets: str) -> None:
    outside.name("api.example.org", "93.184.215.14")
    probe = await let_out()
    assert await probe.ask("net.send_raw", octets, 100)
    assert await probe.ask("net.query", "api.example.org") == [0, 1]


async def test_forms_of_an_address_are_no_names(let_out: LetOut, outside: Outside) -> None:
    for name in ("2130706433", "0x7f.1", "127.1", "0177.0.0.1", "127.0.0.1"):
        outside.name(name, "93.184.215.14")
    probe = await let_out()
    for name in ("2130706433", "0x7f.1", "127.1", "0177.0.0.1", "127.0.0.1"):
        assert await probe.ask("net.query", name) == [NO_SUCH_NAME, 0]


async def test_sockets_of_the_machine_are_not_reached_through_the_proxy(
    let_out: LetOut, outside: Outside, tmp_path: Path
) -> None:
    """A proxy that took "unix:" or a path for a host would open the runner's own stream."""
    probe = await let_out(is_explicit=True)
    for target in ("unix:/run/runner.sock:443", "/run/runner.sock:443", "unix%3A%2Frun%2Fr.sock:443", "[::1]:443",
                   "127.0.0.1:443", "localhost:443", "0:443", "api.example.org:22", "api.example.org",
                   "user@api.example.org:443", "api.example.org:443:443", ""):  # fmt: skip
        answer = await probe.ask("net.talk", "127.0.0.1", 3128, f"CONNECT {target} HTTP/1.1\r\n\r\n")
        assert answer.startswith(("HTTP/1.1 400", "HTTP/1.1 403", "HTTP/1.1 502")), (target, answer)
