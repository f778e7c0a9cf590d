"""The guarded door, against a real TLS server on this machine."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from common.addresses import networks
from common.outbound import (
    AnswerInvalid,
    AnswerTooLarge,
    Door,
    HostUnreachable,
    OutboundError,
    TooManyRedirects,
    UrlRefused,
    site_door,
)
from common.outbound.urls import Rules
from tests.runner.egress.peers import certificate


@dataclass
class Site:
    """Answers by path; keeps the heads of what it was sent."""

    port: int = 0
    authority: str = ""
    answers: dict[str, bytes] = field(default_factory=dict)
    heads: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"

    def door(self, private: str = "127.0.0.0/8,::1", **rules: frozenset[str]) -> Door:
        wanted = Rules(ports=frozenset({self.port}), **rules)
        return Door(networks(private.split(",")), wanted, self.authority)

    async def drip(self, writer: asyncio.StreamWriter) -> None:
        """An answer that is never silent for long, and takes six seconds."""
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 60\r\n\r\n")
        for _ in range(60):
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.1)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                self.heads.append(head)
                path = head.split(" ")[1]
                answer = self.answers.get(path, b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
                if answer == b"silence":
                    await reader.read()
                if answer == b"drops":
                    await self.drip(writer)
                    continue
                writer.write(answer)
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError, ssl.SSLError):
            pass
        finally:
            writer.close()


def ok(body: bytes, *fields: bytes) -> bytes:
    lines = [b"HTTP/1.1 200 OK", b"Content-Length: %d" % len(body), *fields]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def moved(to: str, status: int = 302) -> bytes:
    return f"HTTP/1.1 {status} Moved\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n".encode()


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    made = Site()
    path, made.authority = certificate(tmp_path, "localhost", "127.0.0.1")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(path)
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0, ssl=context)
    made.port = server.sockets[0].getsockname()[1]
    other = await asyncio.start_server(made.serve, "127.0.0.2", made.port, ssl=context)
    async with server, other:
        yield made


async def test_document_is_fetched(site: Site) -> None:
    site.answers["/a?b=c"] = ok(b'{"n": 1}', b"Content-Type: application/json; charset=utf-8")
    answer = await site.door().fetch(f"{site.url}/a?b=c#fragment", headers={"X-Own": "1"})
    assert (answer.status, answer.media_type) == (200, "application/json")
    assert answer.json(dict[str, int]) == {"n": 1}
    assert f"Host: localhost:{site.port}\r\n" in site.heads[0]
    assert "X-Own: 1" in site.heads[0]


def test_jobs_may_wait_for_it() -> None:
    with pytest.raises(UrlRefused):
        Door().fetch_blocking("https://10.0.0.1/")


async def test_any_status_is_an_answer(site: Site) -> None:
    assert (await site.door().fetch(f"{site.url}/nothing")).status == 404


async def test_body_is_posted_and_not_sent_again_by_a_redirect(site: Site) -> None:
    site.answers["/form"] = moved("/other", 307)
    answer = await site.door().fetch(f"{site.url}/form", method="post", content=b"a=b")
    assert answer.status == 307
    assert [head.split(" ")[0] for head in site.heads] == ["POST"]


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost/", "ftp://localhost/", "file:///etc/passwd", "https://user:word@localhost/",
        "https://@localhost/", "https://localhost:22/",
        "https://localhost:0/", "https://localhost:99999/", "https:///path", "https://", "", "x",
        "https://2130706433/", "https://0x7f.1/", "https://127.1/", "https://0177.0.0.1/", "https://local host/",
        "https://localhost/\r\nX: y", "https://localhost\\@example.org/", "https://[::1/", "https://[fe80::1%25eth0]/",
        "https://[127.0.0.1]/", "https://" + "a" * 3000, "//localhost/", "javascript:alert(1)",
    ],
)  # fmt: skip
async def test_url_that_is_not_for_fetching_is_refused(url: str) -> None:
    with pytest.raises(UrlRefused) as caught:
        await Door(networks(["0.0.0.0/0", "::/0"])).fetch(url)
    assert caught.value.status == 400


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "[::1]", "[::ffff:127.0.0.1]", "[fd00:ec2::254]", "localhost"]
)
async def test_inner_addresses_are_refused(host: str) -> None:
    with pytest.raises(UrlRefused, match="public ones only"):
        await Door().fetch(f"https://{host}/")


async def test_no_list_opens_the_metadata_address() -> None:
    with pytest.raises(UrlRefused, match="metadata address"):
        await Door(networks(["0.0.0.0/0"])).fetch("https://169.254.169.254/latest/")


async def test_redirect_is_followed_and_checked_again(site: Site) -> None:
    site.answers |= {"/a": moved("/b"), "/b": moved(f"{site.url}/c", 308), "/c": ok(b"here")}
    answer = await site.door().fetch(f"{site.url}/a", headers={"Authorization": "Bearer x"})
    assert (answer.content, answer.url) == (b"here", f"{site.url}/c")
    assert all("Authorization: Bearer x" in head for head in site.heads)
    for to in ("https://169.254.169.254/", f"http://localhost:{site.port}/", "https://localhost:1/", "file:///etc/passwd",
               "https://user@localhost/", "https://[::ffff:10.0.0.1]/"):  # fmt: skip
        site.answers["/a"] = moved(to)
        with pytest.raises(UrlRefused):
            await site.door().fetch(f"{site.url}/a")


async def test_credentials_stay_with_their_origin(site: Site) -> None:
    site.answers |= {"/a": moved(f"https://127.0.0.1:{site.port}/b"), "/b": ok(b"")}
    await site.door().fetch(f"{site.url}/a", headers={"Authorization": "Bearer x", "Cookie": "a=b", "X-Own": "1"})
    assert "Authorization" in site.heads[0]
    assert "Authorization" not in site.heads[1] and "Cookie" not in site.heads[1] and "X-Own: 1" in site.heads[1]


async def test_redirects_end(site: Site) -> None:
    site.answers["/a"] = moved("/a")
    with pytest.raises(TooManyRedirects):
        await site.door().fetch(f"{site.url}/a", redirects=3)
    assert len(site.heads) == 4


@pytest.mark.parametrize("fields", [[b"Content-Length: 5000"], [b"Transfer-Encoding: chunked"]])
async def test_answer_that_is_too_large_is_cut_off(site: Site, fields: list[bytes]) -> None:
    body = b"x" * 5000 if b"Length" in fields[0] else b"1388\r\n" + b"x" * 5000 + b"\r\n0\r\n\r\n"
    site.answers["/a"] = b"HTTP/1.1 200 OK\r\n" + b"\r\n".join(fields) + b"\r\n\r\n" + body
    with pytest.raises(AnswerTooLarge):
        await site.door().fetch(f"{site.url}/a", max_bytes=4999)
    assert len((await site.door().fetch(f"{site.url}/a", max_bytes=5000)).content) == 5000


async def test_packed_answer_is_refused(site: Site) -> None:
    """A few bytes can unpack to gigabytes."""
    site.answers["/a"] = ok(b"\x1f\x8b", b"Content-Encoding: gzip")
    with pytest.raises(AnswerInvalid):
        await site.door().fetch(f"{site.url}/a")
    assert "Accept-Encoding: identity" in site.heads[0]


@pytest.mark.parametrize("body", [b"<html>", b'{"a":' + b"[" * 100_000])
async def test_answer_that_is_no_json_is_said(site: Site, body: bytes) -> None:
    site.answers["/a"] = ok(body)
    with pytest.raises(AnswerInvalid):
        (await site.door().fetch(f"{site.url}/a")).json(dict[str, Any])


async def test_silence_ends_in_time(site: Site) -> None:
    site.answers["/a"] = b"silence"
    with pytest.raises(HostUnreachable, match=r"within 0\.5 seconds"):
        await site.door().fetch(f"{site.url}/a", seconds=0.5)


async def test_answer_that_comes_in_drops_ends_in_time(site: Site) -> None:
    site.answers["/a"] = b"drops"
    with pytest.raises(HostUnreachable, match=r"within 0\.5 seconds"):
        await site.door().fetch(f"{site.url}/a", seconds=0.5)


async def test_nobody_there_is_said(site: Site) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        door = Door(networks(["127.0.0.1"]), Rules(ports=frozenset({port})))
        with pytest.raises(HostUnreachable, match="can't be reached"):
            await door.fetch(f"https://127.0.0.1:{port}/")


async def test_unknown_host_is_said() -> None:
    with pytest.raises(HostUnreachable, match="There is no host"):
        await Door().fetch("https://missing.invalid/")


async def test_certificate_must_be_the_hosts(site: Site) -> None:
    stranger = Door(networks(["127.0.0.0/8", "::1"]), Rules(ports=frozenset({site.port})))
    with pytest.raises(HostUnreachable, match="no valid certificate"):
        await stranger.fetch(f"{site.url}/a")
    with pytest.raises(HostUnreachable, match="no valid certificate"):
        await site.door().fetch(f"https://127.0.0.2:{site.port}/a")
    assert not site.heads


async def test_proxy_and_credentials_of_the_environment_are_not_used(
    site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    (tmp_path / "netrc").write_text("machine localhost login me password word\n")
    (tmp_path / "netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    site.answers["/a"] = ok(b"here")
    assert (await site.door().fetch(f"{site.url}/a")).content == b"here"
    assert "Authorization" not in site.heads[0]


class FakeNames:
    """A name server whose answer changes with each question."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, name: str, *answers: str) -> None:
        self.left = list(answers)
        real: Callable[..., object] = socket.getaddrinfo

        def ask(host: object, *arguments: object, **options: object) -> object:
            if host in (name, name.encode()):
                return real(self.left.pop(0), *arguments, **options)
            return real(host, *arguments, **options)

        monkeypatch.setattr(socket, "getaddrinfo", ask)


async def test_name_that_changes_its_mind_leads_nowhere_else(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    names = FakeNames(monkeypatch, "rebind.example.org", "93.184.215.14", "127.0.0.1")
    door = Door((), Rules(ports=frozenset({site.port})), site.authority)
    with pytest.raises(OutboundError):
        await door.fetch(f"https://rebind.example.org:{site.port}/a", seconds=1)
    assert names.left == ["127.0.0.1"]  # it was asked once
    with pytest.raises(UrlRefused):
        await door.fetch(f"https://rebind.example.org:{site.port}/a")
    assert not site.heads


def test_site_has_the_operators_networks(settings: pytest.FixtureRequest) -> None:
    settings.SLIPWAY_EGRESS_PRIVATE = ["10.0.0.0/8"]  # type: ignore[attr-defined]
    assert site_door().private == networks(["10.0.0.0/8"])


async def test_any_error_is_an_outbound_error(site: Site) -> None:
    site.answers["/a"] = b"nonsense\r\n\r\n"
    with pytest.raises(OutboundError):
        await site.door().fetch(f"{site.url}/a")


async def test_connection_is_not_reused_for_another_name_of_its_address(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The certificate was checked for the first name only."""
    FakeNames(monkeypatch, "other.example.org", "127.0.0.1")
    site.answers |= {"/a": moved(f"https://other.example.org:{site.port}/b"), "/b": ok(b"")}
    with pytest.raises(HostUnreachable, match="no valid certificate"):
        await site.door().fetch(f"{site.url}/a")
    assert len(site.heads) == 1
