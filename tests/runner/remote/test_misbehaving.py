"""Remotes that do what they should not: each ends in words for the caller, and nothing is sent twice."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from hosting.runner import control as c
from hosting.runner.frames import Kind
from hosting.runner.placement import Limits
from tests.runner.conftest import SECONDS, Driver
from tests.runner.remote.conftest import REACHABLE, place
from tests.runner.remote.servers import FakeRemote, Request, fake_remote, legacy, modern, text

SIGN_IN = "asks for sign-in: its owner has to connect an account"


async def failure(driver: Driver, **fields: Any) -> str:
    event = await driver.open(tool="echo", **fields).outcome()
    assert event.kind is Kind.ERROR, event.data
    return str(json.loads(event.data)["message"])


async def state(driver: Driver) -> tuple[str, str]:
    (seen,) = (await driver.link.ask(c.GetStatus())).placements
    return seen.state, seen.reason


def answers(
    fake: FakeRemote, method: str, status: int, body: bytes = b"", kind: str = "text/plain", **headers: str
) -> None:
    @fake.on(method)
    async def answer(request: Request) -> None:
        await request.answer(status, body, kind, **headers)


def both(fake: FakeRemote, status: int, body: bytes = b"", kind: str = "text/plain", **headers: str) -> None:
    for method in ("server/discover", "initialize"):
        answers(fake, method, status, body, kind, **headers)


# --- at its start


async def test_nobody_there(driver: Driver) -> None:
    async with fake_remote() as fake:
        port = fake.port
    await place(driver, f"http://127.0.0.1:{port}/mcp")
    words = f"127.0.0.1:{port} refused the connection"
    assert await failure(driver) == f"alice/test could not start: {words}"
    assert await state(driver) == ("failed", words)


async def test_nothing_of_that_name(driver: Driver) -> None:
    await place(driver, "https://no-such-host.invalid/mcp")
    assert "no-such-host.invalid could not be found" in await failure(driver)


async def test_never_answers(driver: Driver, fake: FakeRemote) -> None:
    hold = asyncio.Event()
    for method in ("server/discover", "initialize"):

        @fake.on(method)
        async def hang(request: Request) -> None:
            await hold.wait()

    await place(driver, fake.url, start_seconds=1.0)
    call = driver.open(tool="echo")
    waiting = json.loads((await call.attachment.next()).data)
    assert waiting["reason"].startswith("starting")
    event = await call.outcome()
    assert "in time" in json.loads(event.data)["message"] or "within 1 s" in json.loads(event.data)["message"]
    hold.set()


@pytest.mark.parametrize(
    ("status", "words"),
    [(500, "500 Internal Server Error"), (502, "502 Bad Gateway"), (503, "503 Service Unavailable"), (599, "599")],
)
async def test_errors_of_a_server(driver: Driver, fake: FakeRemote, status: int, words: str) -> None:
    both(fake, status)
    await place(driver, fake.url)
    assert await failure(driver) == f"alice/test could not start: 127.0.0.1:{fake.port} answered {words}"


async def test_the_reason_in_a_plain_error_is_quoted_and_markup_is_not(driver: Driver, fake: FakeRemote) -> None:
    both(fake, 500, b"database is\n down", "text/plain")
    await place(driver, fake.url)
    assert (await failure(driver)).endswith("answered 500 Internal Server Error: database is down")
    both(fake, 500, b"<html>secret-looking page</html>", "text/html")
    await place(driver, fake.url, epoch=2)
    assert (await failure(driver, epoch=2)).endswith("answered 500 Internal Server Error")


async def test_a_web_page_is_no_server(driver: Driver, fake: FakeRemote) -> None:
    both(fake, 200, b"<html><body>Welcome</body></html>", "text/html")
    await place(driver, fake.url)
    assert "answered with text/html, which is no MCP message: is the address right?" in await failure(driver)


@pytest.mark.parametrize("status", [401, 403])
async def test_sign_in_is_asked_for(driver: Driver, fake: FakeRemote, status: int) -> None:
    both(fake, status, b'{"error":"invalid_token"}', "application/json", WWW_Authenticate="Bearer")
    await place(driver, fake.url)
    assert SIGN_IN in await failure(driver)
    assert (await state(driver))[0] == "failed"


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_redirects_are_not_followed(driver: Driver, fake: FakeRemote, status: int) -> None:
    async with fake_remote() as elsewhere:
        both(fake, status, Location=f"{elsewhere.url}?secret=1")
        await place(driver, fake.url, remote={"headers": {"Authorization": "Bearer owner"}})
        words = await failure(driver)
        assert f"a redirect to {elsewhere.url}, which is not followed" in words
        assert "secret" not in words
        assert not elsewhere.requests


async def test_a_redirect_to_the_metadata_address_leads_nowhere(driver: Driver, fake: FakeRemote) -> None:
    both(fake, 302, Location="http://169.254.169.254/latest/meta-data")
    await place(driver, fake.url)
    assert "not followed" in await failure(driver)
    assert [one.path for one in fake.requests] == ["/mcp"]


# --- addresses


@pytest.mark.parametrize(
    ("networks", "url", "words"),
    [
        ("", "http://localhost:{port}/mcp", "leads to a loopback address"),
        ("", "https://localhost:{port}/mcp", "leads to a loopback address"),
        ("", "http://127.0.0.1:{port}/mcp", "leads to a loopback address (127.0.0.1)"),
        ("", "http://[::1]:{port}/mcp", "leads to a loopback address (::1)"),
        ("", "https://10.0.0.1/mcp", "leads to a private address (10.0.0.1)"),
        ("", "https://192.0.2.1/mcp", "which this site does not connect to"),
        ("", "https://[::ffff:127.0.0.1]/mcp", "which this site does not connect to"),
        ("", "http://169.254.169.254/latest", "leads to a metadata address"),
        ("169.254.0.0/16,127.0.0.0/8", "http://169.254.169.254/latest", "leads to a metadata address"),
        ("127.0.0.0/8", "http://10.0.0.1/mcp", "leads to a private address"),
        ("", "https://1.1.1.1:8443/mcp", "on port 443 only"),
        ("", "http://1.1.1.1:443/mcp", "by https only"),
        ("127.0.0.0/8", "http://1.1.1.1/mcp", "on port 443 only"),
        ("127.0.0.0/8", "http://127.0.0.1:{port}/mcp", "which the operator has not listed"),
        ("127.0.0.0/8", "http://127.0.0.1/mcp", "is asked for on port 80, which"),
    ],
)
async def test_addresses_that_are_not_connected_to(
    start_runner: Callable[..., Any], fake: FakeRemote, networks: str, url: str, words: str
) -> None:
    driver = await start_runner(more=("--networks", networks))
    await place(driver, url.format(port=fake.port))
    assert words in await failure(driver)
    assert not fake.requests


# --- during a call


async def test_a_connection_that_breaks_ends_the_call_and_is_not_sent_again(driver: Driver, fake: FakeRemote) -> None:
    modern(fake)

    @fake.on("tools/call")
    async def drop(request: Request) -> None:
        request.break_off()

    await place(driver, fake.url)
    assert await failure(driver) == f"127.0.0.1:{fake.port} broke the connection off before it had answered"
    assert len(fake.got("tools/call")) == 1
    modern(fake)
    assert await driver.open(tool="echo", arguments={"a": 1}).text() == '{"a": 1}'


async def test_half_an_answer_is_none(driver: Driver, fake: FakeRemote) -> None:
    modern(fake)

    @fake.on("tools/call")
    async def half(request: Request) -> None:
        await request.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{")
        request.break_off()

    await place(driver, fake.url)
    assert "broke the connection off" in await failure(driver)


@pytest.mark.parametrize(
    ("status", "body", "kind", "words"),
    [
        (500, b"", "text/plain", "answered 500 Internal Server Error"),
        (401, b"", "text/plain", SIGN_IN),
        (403, b'{"jsonrpc":"2.0","error":{"code":-1,"message":"x"}}', "application/json", SIGN_IN),
        (200, b"<p>", "text/html", "which is no MCP message"),
        (200, b"not json", "application/json", "no JSON-RPC message"),
        (200, b"[" * 5000, "application/json", "no JSON-RPC message"),
        (200, b'"text"', "application/json", "no JSON-RPC message"),
        (200, b'{"jsonrpc":"2.0","id":"other","result":{}}', "application/json", "another request than it was asked"),
        (202, b"", "text/plain", "which is no MCP message"),
        (429, b"slow down", "text/plain", "answered 429 Too Many Requests: slow down"),
    ],
)
async def test_what_is_no_answer_ends_the_call_only(
    driver: Driver, fake: FakeRemote, status: int, body: bytes, kind: str, words: str
) -> None:
    modern(fake)
    answers(fake, "tools/call", status, body, kind)
    await place(driver, fake.url)
    assert words in await failure(driver)
    assert len(fake.got("tools/call")) == 1
    modern(fake)
    assert await driver.open(tool="echo").text() == "{}"
    assert len(fake.got("server/discover")) == 1


async def test_a_remote_that_went_away_may_come_back(driver: Driver) -> None:
    async with fake_remote() as fake:
        modern(fake)
        await place(driver, fake.url)
        await driver.open(tool="echo").text()
        port = fake.port
    assert await failure(driver) in (
        f"127.0.0.1:{port} refused the connection",
        f"127.0.0.1:{port} broke the connection off before it had answered",
    )


@dataclass
class Kept:
    """The memory of the runner's process."""

    pid: int

    @property
    def megabytes(self) -> float:
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


async def endless(request: Request, piece: bytes) -> None:
    """Until the other side has had enough."""
    while True:
        await request.send(piece)


@pytest.mark.parametrize("kind", ["application/json", "text/event-stream"])
async def test_an_answer_without_end_is_cut_at_the_limit(driver: Driver, fake: FakeRemote, kind: str) -> None:
    modern(fake)

    @fake.on("tools/call")
    async def flood(request: Request) -> None:
        await request.send(f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nConnection: close\r\n\r\ndata: ".encode())
        await endless(request, b"x" * 65536)

    limits = Limits(message_bytes=2 * 1024 * 1024)
    await place(driver, fake.url, limits=limits)
    assert "sent a message larger than the limit of 2 MB" in await failure(driver)
    assert Kept(driver.process.pid).megabytes < 200


async def test_a_long_body_of_an_error_is_not_waited_for(driver: Driver, fake: FakeRemote) -> None:
    modern(fake)

    @fake.on("tools/call")
    async def flood(request: Request) -> None:
        await request.send(b"HTTP/1.1 500 X\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n")
        await endless(request, b"x" * 65536)

    await place(driver, fake.url)
    words = await failure(driver)
    assert "500" in words or "larger than" in words


async def test_events_without_end_hold_up_nobody_else(driver: Driver, fake: FakeRemote) -> None:
    modern(fake)

    @fake.on("tools/call")
    async def chatter(request: Request) -> None:
        if request.message["params"]["name"] == "quiet":
            await request.result({"resultType": "complete", **text("quiet")})
            return
        await request.stream()
        note = {"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "info", "data": "x" * 100}}
        await endless(request, b"data: " + json.dumps(note).encode() + b"\n\n: comment\n\n")

    await place(driver, fake.url)
    noisy = driver.open(tool="noisy", log_level="debug")
    await fake.wait_for("tools/call")
    async with asyncio.timeout(SECONDS):
        assert await driver.open(tool="quiet").text() == "quiet"
    noisy.attachment.close(gone=True)
    assert Kept(driver.process.pid).megabytes < 300


async def test_a_session_id_with_a_line_break_is_refused(driver: Driver, fake: FakeRemote) -> None:
    legacy(fake, session="bad id")
    await place(driver, fake.url)
    assert "a session id that can't be sent back" in await failure(driver)


# --- certificates


def certificate(host: str, folder: Path) -> tuple[ssl.SSLContext, Path]:
    """A server's context with a certificate that signs itself, and the file that would make it trusted."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, secret = folder / f"{host}.pem", folder / f"{host}.key"
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, secret)
    return context, pem


@pytest.fixture
async def secure(tmp_path: Path) -> AsyncIterator[tuple[FakeRemote, Path]]:
    context, pem = certificate("localhost", tmp_path)
    async with fake_remote(context) as fake:
        modern(fake)
        yield fake, pem


async def test_a_certificate_nobody_vouches_for(driver: Driver, secure: tuple[FakeRemote, Path]) -> None:
    fake, _ = secure
    await place(driver, f"https://localhost:{fake.port}/mcp")
    words = await failure(driver)
    assert f"localhost:{fake.port} has no certificate that is trusted here" in words
    assert not fake.requests


async def test_a_trusted_certificate_for_its_name_only(
    start_runner: Callable[..., Any], secure: tuple[FakeRemote, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    fake, pem = secure
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    driver = await start_runner(more=("--networks", "127.0.0.0/8,::1/128", "--ports", REACHABLE))
    await place(driver, f"https://localhost:{fake.port}/mcp")
    assert await driver.open(tool="echo").text() == "{}"
    await place(driver, f"https://127.0.0.1:{fake.port}/mcp", epoch=2)
    assert "has no certificate that is trusted here" in await failure(driver, epoch=2)
