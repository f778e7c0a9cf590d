"""One connection from an instance, from its first octet until it is a tunnel or was told why not."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass, field

from hosting.runner.egress import heads, ways
from hosting.runner.egress.greeting import NotTLS
from hosting.runner.egress.outside import Unreachable, connect
from hosting.runner.egress.policy import HTTP_PORT, TLS_PORT, Rules
from hosting.runner.egress.resolver import NameUnknown, Resolver
from hosting.runner.egress.tally import Tally
from hosting.runner.egress.tunnel import Tunnel
from hosting.runner.egress.ways import Refused, Told, Way, shown

GREETING_SECONDS = 15.0
LAST_WORDS_SECONDS = 2.0
ACCESS_DENIED = bytes([21, 3, 3, 0, 2, 2, 49])  # RFC 8446 6.2: TLS clients show this alert as "access denied"


@dataclass
class Inside:
    """Who connects: one instance, its rules, and where what it does is written down."""

    instance: str
    deployment: str
    rules: Rules
    tally: Tally
    resolver: Resolver
    told: Told = field(default_factory=Told)

    def note(self, words: str) -> None:
        self.tally.note(self.deployment, self.instance, f"egress: {words}")

    def refused(self, refused: Refused) -> None:
        self.tally.at(self.deployment, refused.host, refused.port).refused += 1
        self.note(f"refused {refused}")


async def serve(
    inner: socket.socket, inside: Inside, *, is_explicit: bool, begun: Callable[[Tunnel], Callable[[Tunnel], None]]
) -> None:
    """Owns `inner`. `begun` is called with a tunnel that begins and gives what to call at its end."""
    outer: socket.socket | None = None
    way = None
    try:
        async with asyncio.timeout(GREETING_SECONDS):
            way = await _way(inner, inside, is_explicit)
        outer = await connect(way, inside.rules)
        if way.reply:
            async with asyncio.timeout(GREETING_SECONDS):
                await asyncio.get_running_loop().sock_sendall(inner, way.reply)
                way = await ways.greeted(inner, way, inside.rules)
    except (Refused, NotTLS, heads.HeadInvalid, OSError, EOFError, TimeoutError) as error:
        await _last_words(inner, inside, error, way, is_explicit)
        _close(inner, outer)
        return
    except BaseException:
        _close(inner, outer)
        raise
    count = inside.tally.at(inside.deployment, way.host, way.port)
    count.connections += 1
    inside.note(f"connected to {shown(way.host, way.port)}")
    tunnel = Tunnel(count)
    tunnel.on_end = begun(tunnel)
    with contextlib.suppress(OSError):
        await tunnel.join(inner, outer, to_outer=way.first)


async def _way(inner: socket.socket, inside: Inside, is_explicit: bool) -> Way:
    if is_explicit:
        return await ways.asked(inner, inside.rules, inside.resolver)
    return await ways.meant(inner, inside.rules, inside.told, inside.resolver)


async def _last_words(
    inner: socket.socket, inside: Inside, error: Exception, way: Way | None, is_explicit: bool
) -> None:
    """Written down for the owner, and said to the client as far as its protocol has words for it."""
    status = "502 Bad Gateway"
    if isinstance(error, NotTLS):
        address, port = inner.getsockname() if way is None else (way.host, way.port)
        names = inside.told.names(address)
        error = Refused(names[-1] if names else address, port, str(error))
    if isinstance(error, Refused):
        inside.refused(error)
        status = "403 Forbidden"
    elif isinstance(error, Unreachable) and way is not None:
        inside.note(f"could not connect to {shown(way.host, way.port)}: {error}")
    elif isinstance(error, heads.HeadInvalid):
        status = "400 Bad Request"
    elif not isinstance(error, NameUnknown):
        return  # it left, or was silent
    if is_explicit and (way is None or isinstance(error, Unreachable)):
        await _say(inner, heads.refused(status, str(error)))
    elif not is_explicit and inner.getsockname()[1] == TLS_PORT:
        await _say(inner, ACCESS_DENIED)
    elif not is_explicit and inner.getsockname()[1] == HTTP_PORT:
        await _say(inner, heads.refused(status, str(error)))


async def _say(inner: socket.socket, data: bytes) -> None:
    """And take in what the client still sends: closing on unread octets would reset the connection before it reads."""
    loop = asyncio.get_running_loop()
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(LAST_WORDS_SECONDS):
            await loop.sock_sendall(inner, data)
            inner.shutdown(socket.SHUT_WR)
            for _ in range(16):
                if not await loop.sock_recv(inner, ways.READ_OCTETS):
                    break


def _close(inner: socket.socket, outer: socket.socket | None) -> None:
    with contextlib.suppress(OSError):  # a reset, so that nothing lingers
        inner.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    inner.close()
    if outer is not None:
        outer.close()
