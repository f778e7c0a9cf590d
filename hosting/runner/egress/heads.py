"""Requests to a proxy as RFC 9110 9.3.6 (CONNECT) and RFC 9112 3.2.2 (absolute form) have them. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from common.addresses import HostInvalid
from hosting.runner.egress.policy import HTTP_PORT, host_and_port

MAX_OCTETS = 16 * 1024
_HOP_BY_HOP = (b"connection", b"proxy-connection", b"proxy-authorization", b"proxy-authenticate", b"keep-alive")


class HeadInvalid(ValueError):  # noqa: N818 - the outcome of a parse
    """Not a request that a proxy can do anything for. The text goes back to the client."""


@dataclass(frozen=True)
class Wanted:
    """`forward` is what to send on first; empty for a tunnel, which gets an answer of its own."""

    host: str
    port: int
    forward: bytes = b""


def parse(data: bytes) -> tuple[Wanted, bytes] | None:
    """The request and what followed it; None while its head is incomplete. Raises HeadInvalid."""
    head, end, rest = data.partition(b"\r\n\r\n")
    if not end:
        if len(data) > MAX_OCTETS:
            raise HeadInvalid("the request's head is too large")
        return None
    line, _, fields = head.partition(b"\r\n")
    try:
        method, target, version = line.decode("ascii").split(" ")
    except ValueError as error:
        raise HeadInvalid("this is no HTTP request") from error
    if not version.startswith("HTTP/1."):
        raise HeadInvalid("this proxy speaks HTTP/1.1")
    try:
        if method == "CONNECT":
            return Wanted(*host_and_port(target)), rest
        return _absolute(method, target, fields), rest
    except HostInvalid as error:
        raise HeadInvalid(str(error)) from error
    except ValueError as error:
        raise HeadInvalid("its target is not an address that a proxy can use") from error


def _absolute(method: str, target: str, fields: bytes) -> Wanted:
    """A plain http request; the connection ends with its answer, because the next one may be for another host."""
    url = urlsplit(target)
    if url.scheme != "http" or not url.hostname or url.username is not None:
        raise HeadInvalid("only CONNECT and plain http are for a proxy")
    name = f"[{url.hostname}]" if ":" in url.hostname else url.hostname
    host, port = host_and_port(f"{name}:{url.port or HTTP_PORT}")
    kept = [one for one in fields.split(b"\r\n") if one.partition(b":")[0].strip().lower() not in _HOP_BY_HOP]
    path = (url.path or "/") + (f"?{url.query}" if url.query else "")
    lines = [f"{method} {path} HTTP/1.1".encode(), *kept, b"Connection: close"]
    return Wanted(host, port, b"\r\n".join(lines) + b"\r\n\r\n")


def established() -> bytes:
    return b"HTTP/1.1 200 Connection established\r\n\r\n"


def refused(status: str, words: str) -> bytes:
    """An answer that says why, for a client that shows it."""
    body = f"Slipway's egress proxy: {words}\n".encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return head.encode() + body
