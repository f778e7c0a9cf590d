"""The way out of the runner to servers that run elsewhere: which addresses may be reached, and how.

A name is resolved once for each connection, every address it has is checked, and exactly one of those is connected to,
so that a name that changes its mind (DNS rebinding) leads nowhere else. No proxy of the environment is asked, and no
redirect followed: httpcore does neither.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import sys
from collections.abc import Collection, Iterable
from functools import cached_property
from ipaddress import ip_address
from typing import Final

import httpcore

from common.addresses import Networks, first_refusal
from hosting.runner.remote.trouble import AddressRefusedError

CONNECT_SECONDS: Final = 10.0
_ONE_ADDRESS_SECONDS: Final = 4.0  # while there are others to try
PUBLIC_PORT: Final = 443
# A dead peer is noticed after about two minutes, since a call may rightly be silent for longer than any time-out.
_KEEP_ALIVE: tuple[tuple[int, int, int], ...] = ((socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),)
if sys.platform == "linux":
    _KEEP_ALIVE += (
        (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 60),
        (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 15),
        (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 4),
    )


class Door:
    """One for a runner. `networks` are the operator's: private ones that may be reached, also by plain HTTP, on port
    443 and on `ports`."""

    def __init__(self, networks: Networks = (), ports: Collection[int] = ()) -> None:
        self._networks = networks
        self._ports = frozenset(ports)

    @cached_property
    def tls(self) -> ssl.SSLContext:
        """Verifies certificates against the system's authorities (or SSL_CERT_FILE, as OpenSSL has it)."""
        return ssl.create_default_context()

    async def addresses(self, host: str, port: int, *, is_secure: bool) -> list[str]:
        """Where a host may be connected to. Raises AddressRefusedError, or OSError when its name isn't known."""
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        refused, words = first_refusal(addresses, self._networks)
        if refused:
            raise AddressRefusedError(f"{host} leads to a {words} ({refused}), which this site does not connect to")
        is_listed = all(self._is_listed(address) for address in addresses)
        if port != PUBLIC_PORT and not is_listed:
            raise AddressRefusedError(
                f"{host} is asked for on port {port}: public servers are reached on port 443 only"
            )
        if port != PUBLIC_PORT and port not in self._ports:
            raise AddressRefusedError(f"{host} is asked for on port {port}, which the operator has not listed")
        if not is_secure and not is_listed:
            raise AddressRefusedError(
                f"{host} is asked for without encryption: public servers are reached by https only"
            )
        return addresses

    def _is_listed(self, address: str) -> bool:
        parsed = ip_address(address)
        return any(parsed in network for network in self._networks)

    def pool(self, connections: int, *, is_secure: bool) -> httpcore.AsyncConnectionPool:
        """Connections of one instance's own, so that a remote that hangs holds up nobody else."""
        return httpcore.AsyncConnectionPool(
            ssl_context=self.tls if is_secure else None,
            max_connections=connections,
            max_keepalive_connections=4,
            keepalive_expiry=4.0,  # below the 5 s after which common servers close
            network_backend=_Guarded(self, is_secure=is_secure),
            socket_options=_KEEP_ALIVE,
        )


class _Guarded(httpcore.AsyncNetworkBackend):
    """Connects to checked addresses only."""

    def __init__(self, door: Door, *, is_secure: bool) -> None:
        self._door = door
        self._is_secure = is_secure
        self._plain = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        options = list(socket_options or ())
        async with asyncio.timeout(timeout):
            *others, last = await self._door.addresses(host, port, is_secure=self._is_secure)
            for address in others:
                try:
                    return await self._plain.connect_tcp(
                        address, port, timeout=_ONE_ADDRESS_SECONDS, socket_options=options
                    )
                except (httpcore.ConnectError, httpcore.ConnectTimeout):
                    continue
            return await self._plain.connect_tcp(last, port, timeout=timeout, socket_options=options)
