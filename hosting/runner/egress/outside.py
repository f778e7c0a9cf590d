"""Connections to the outside: to checked addresses and no others, or through the operator's own proxy."""

from __future__ import annotations

import asyncio
import base64
import socket
from collections.abc import Sequence
from urllib.parse import unquote, urlsplit

from hosting.runner.egress.policy import Rules
from hosting.runner.egress.ways import Way, shown

CONNECT_SECONDS = 10.0
MAX_TRIED = 3
ANSWER_OCTETS = 8192


class Unreachable(OSError):  # noqa: N818 - the outcome of a connect
    """Nobody there, or not in time. The text says so in a few words."""


async def connect(way: Way, rules: Rules) -> socket.socket:
    """A non-blocking connected socket. Raises Unreachable."""
    if rules.policy.upstream and rules.is_trusted(way.host, way.port):
        return await _through(rules.policy.upstream, shown(way.host, way.port))
    return await _first(way.addresses, way.port)


async def _first(addresses: Sequence[str], port: int) -> socket.socket:
    failure = "it has no address"
    for address in addresses[:MAX_TRIED]:
        outer = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
        outer.setblocking(False)
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await asyncio.get_running_loop().sock_connect(outer, (address, port))
        except (OSError, TimeoutError) as error:
            outer.close()
            failure = getattr(error, "strerror", "") or "no answer in time"
        except BaseException:
            outer.close()
            raise
        else:
            outer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return outer
    raise Unreachable(failure.lower())


async def _through(proxy: str, target: str) -> socket.socket:
    """RFC 9110 9.3.6, with the user and password of the proxy's address."""
    url = urlsplit(proxy)
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(url.hostname, url.port or 80, type=socket.SOCK_STREAM)
    outer = await _first([str(entry[4][0]) for entry in found], url.port or 80)
    try:
        head = f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n"
        if url.username is not None:
            user = f"{unquote(url.username)}:{unquote(url.password or '')}".encode()
            head += f"Proxy-Authorization: Basic {base64.b64encode(user).decode()}\r\n"
        answer = b""
        async with asyncio.timeout(CONNECT_SECONDS):
            await loop.sock_sendall(outer, f"{head}\r\n".encode())
            while b"\r\n\r\n" not in answer and len(answer) < ANSWER_OCTETS:
                more = await loop.sock_recv(outer, 1)  # nothing of what follows may be taken here
                if not more:
                    break
                answer += more
        if answer.split(b" ", 2)[1:2] != [b"200"]:
            said = answer.partition(b"\r\n")[0][:100].decode(errors="replace") or "nothing"
            raise Unreachable(f"this machine's own proxy answers {said}")
    except TimeoutError as error:
        outer.close()
        raise Unreachable("this machine's own proxy does not answer") from error
    except BaseException:
        outer.close()
        raise
    return outer
