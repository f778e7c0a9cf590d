"""Where one connection of an instance may lead: from what it did to a host, a port and addresses, or a refusal.

Reads the connection's first octets and resolves names; opens nothing towards the outside.
"""

from __future__ import annotations

import asyncio
import socket
from collections import OrderedDict
from dataclasses import dataclass

from common.addresses import HostInvalid, host_name
from hosting.runner.egress import greeting, heads
from hosting.runner.egress.policy import TLS_PORT, Rules
from hosting.runner.egress.resolver import NameUnknown, Resolver

READ_OCTETS = 16 * 1024
MAX_TOLD = 2000  # addresses of one instance whose names are remembered
MAX_NAMES = 20  # of one address


class Refused(Exception):  # noqa: N818 - the outcome of a question
    """`host` and `port` as far as they are known; `words` say why."""

    def __init__(self, host: str, port: int, words: str) -> None:
        super().__init__(f"{shown(host, port)}: {words}")
        self.host, self.port, self.words = host, port, words


@dataclass(frozen=True)
class Way:
    """`first` goes to the outside before all else; `reply` to the inside as soon as the outside is there."""

    host: str
    port: int
    addresses: tuple[str, ...]
    first: bytes = b""
    reply: bytes = b""


def shown(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class Told:
    """The names that an instance asked for, by the addresses that it was told."""

    def __init__(self) -> None:
        self._names: OrderedDict[str, list[str]] = OrderedDict()

    def add(self, host: str, addresses: tuple[str, ...]) -> None:
        for address in addresses:
            names = self._names.setdefault(address, [])
            if host in names:
                names.remove(host)
            names.append(host)
            del names[:-MAX_NAMES]
            self._names.move_to_end(address)
        while len(self._names) > MAX_TOLD:
            self._names.popitem(last=False)

    def names(self, address: str) -> list[str]:
        """The latest last."""
        return self._names.get(address, [])


async def resolve(rules: Rules, resolver: Resolver, host: str, port: int, *, is_trusted: bool) -> tuple[str, ...]:
    """The addresses of a host that may be reached. Raises Refused, NameUnknown."""
    if words := rules.name(host):
        raise Refused(host, port, words)
    found = await resolver.addresses(host)
    words = "" if is_trusted else rules.addresses(host, found) or rules.port(host, port, found)
    if words:
        raise Refused(host, port, words)
    return found


async def meant(inner: socket.socket, rules: Rules, told: Told, resolver: Resolver) -> Way:
    """Of a connection that was made as if there were no proxy: to the very address, named by its TLS greeting.

    Raises Refused, NotTLS, EOFError.
    """
    address, port = inner.getsockname()
    names = told.names(address)
    host = next((name for name in reversed(names) if not rules.name(name)), names[-1] if names else address)
    is_trusted = rules.is_trusted(host, port)
    words = ("" if is_trusted else rules.addresses(host, [address])) or rules.port(host, port, [address])
    if words:
        raise Refused(host, port, words)
    first = b""
    if port == TLS_PORT:
        greeted, first = await _greeting(inner)
        host = await _named(greeted, host, port, names, address, resolver) if greeted else host
    if words := rules.name(host):
        raise Refused(host, port, words)
    return Way(host, port, (address,), first)


async def _named(greeted: str, host: str, port: int, names: list[str], address: str, resolver: Resolver) -> str:
    """The host that the greeting names, if it is at this address. Raises Refused."""
    try:
        named = host_name(greeted)
        if named in names or address in await resolver.addresses(named):
            return named
    except (HostInvalid, NameUnknown):
        named = "another host"
    raise Refused(host, port, f"its TLS greeting is for {named}")


async def asked(inner: socket.socket, rules: Rules, resolver: Resolver) -> Way:
    """Of a connection to the explicit proxy. Raises Refused, HeadInvalid, NameUnknown, EOFError."""
    data = b""
    while (parsed := heads.parse(data)) is None:
        data += await _more(inner)
    wanted, rest = parsed
    if words := rules.port(wanted.host, wanted.port):
        raise Refused(wanted.host, wanted.port, words)
    is_trusted = rules.is_trusted(wanted.host, wanted.port)
    addresses: tuple[str, ...] = ()
    if not (is_trusted and rules.policy.upstream):  # the operator's proxy resolves what it is asked for
        addresses = await resolve(rules, resolver, wanted.host, wanted.port, is_trusted=is_trusted)
    reply = b"" if wanted.forward else heads.established()
    return Way(wanted.host, wanted.port, addresses, wanted.forward + rest, reply)


async def greeted(inner: socket.socket, way: Way, rules: Rules) -> Way:
    """The way of a tunnel whose client has its answer and speaks now. Raises Refused, NotTLS, EOFError."""
    if way.port != TLS_PORT or rules.is_trusted(way.host, way.port):
        return way
    name, first = await _greeting(inner, way.first)
    if name and name != way.host:
        raise Refused(way.host, way.port, "its TLS greeting is for another host")
    return Way(way.host, way.port, way.addresses, first)


async def _greeting(inner: socket.socket, data: bytes = b"") -> tuple[str, bytes]:
    while (name := greeting.server_name(data)) is None:
        data += await _more(inner)
    return name, data


async def _more(inner: socket.socket) -> bytes:
    data = await asyncio.get_running_loop().sock_recv(inner, READ_OCTETS)
    if not data:
        raise EOFError
    return data
