"""Where names lead: asked of this machine's resolver, or of the name servers that the operator has listed.

Both ways answer with all addresses of a name; which of them may be connected to is the door's to judge.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from ipaddress import ip_address

import dns.exception
import dns.resolver
from django.utils.translation import gettext
from dns.nameserver import Do53Nameserver

from common.outbound.errors import HostUnreachable

SECONDS = 5.0
_DNS_PORT = 53


def addresses(host: str, port: int, servers: Sequence[str] = ()) -> list[str]:
    """All of them, each once. Blocks. Raises HostUnreachable."""
    found = _from_servers(host, servers) if servers and not _is_address(host) else _from_machine(host, port)
    if not found:
        raise _unknown(host)
    return list(dict.fromkeys(found))


def resolver(servers: Sequence[str] = ()) -> dns.resolver.Resolver:
    """`servers` are like "10.0.0.2", "10.0.0.2:5353" or "[fd00::1]:53"; none: those of this machine."""
    made = dns.resolver.Resolver(configure=not servers)
    if servers:
        made.nameservers = [Do53Nameserver(*_endpoint(server)) for server in servers]
    made.lifetime = SECONDS
    return made


def _from_machine(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise _unknown(host) from error
    return [str(entry[4][0]) for entry in found]


def _from_servers(host: str, servers: Sequence[str]) -> list[str]:
    try:
        return list(resolver(servers).resolve_name(host, lifetime=SECONDS).addresses())
    except dns.exception.DNSException as error:
        raise _unknown(host) from error


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _endpoint(server: str) -> tuple[str, int]:
    if server.startswith("["):
        host, _, port = server[1:].partition("]:")
        return host.removesuffix("]"), int(port or _DNS_PORT)
    if server.count(":") == 1:
        host, _, port = server.partition(":")
        return host, int(port)
    return server, _DNS_PORT


def _unknown(host: str) -> HostUnreachable:
    return HostUnreachable("host_unknown", gettext("There is no host %(host)s.") % {"host": host})
