"""What one instance may reach: names, ports and addresses. Pure; whoever asks has resolved the name."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address

import msgspec

from common.addresses import Networks, first_refusal, host_name, is_address, matches, networks

TLS_PORT, HTTP_PORT = 443, 80


class Policy(msgspec.Struct, frozen=True):
    """As the runner's side says it. `trusted` hosts, as "host:port", are the operator's own wish: their addresses and
    their greeting are not judged."""

    mode: str = "public"  # public | listed
    hosts: list[str] = []  # for `listed`: names, or *.example.org
    private: list[str] = []  # networks of the operator, in CIDR notation
    ports: list[int] = []  # besides 443, and in those networks only
    trusted: list[str] = []
    is_explicit: bool = False  # a proxy by HTTP CONNECT too, for programs that are told of it
    upstream: str = ""  # the operator's own proxy, for trusted hosts: http://[user:password@]host:port


class Rules:
    """A policy, ready to be asked. Each answer is the reason of a refusal in a few words, or nothing."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self._networks: Networks = networks(policy.private)
        self._trusted = frozenset(policy.trusted)

    def is_trusted(self, host: str, port: int) -> bool:
        return f"{host}:{port}" in self._trusted

    def is_trusted_name(self, host: str) -> bool:
        return any(trusted.rpartition(":")[0] == host for trusted in self._trusted)

    def port(self, host: str, port: int, found: Sequence[str] = ()) -> str:
        """With no addresses: whether it may be allowed for any."""
        if port == TLS_PORT or self.is_trusted(host, port):
            return ""
        if port in self.policy.ports and all(self._is_private(address) for address in found):
            return ""
        if port == HTTP_PORT:
            return "plain http is not allowed, use https"
        return f"port {port} is not allowed"

    def _is_private(self, address: str) -> bool:
        parsed = ip_address(address)
        return any(parsed in network for network in self._networks)

    def name(self, host: str) -> str:
        """`host` is a name or an address as `host_name` spells it."""
        if self.policy.mode == "public" or matches(host, self.policy.hosts):
            return ""
        if self.is_trusted_name(host):
            return ""
        return "not among the allowed hosts"

    def addresses(self, host: str, found: Sequence[str]) -> str:
        """All that `host` was resolved to; one that may not be reached spoils the rest."""
        address, words = first_refusal(found, self._networks)
        if not words:
            return ""
        return words if address == host or is_address(host) else f"{words} {address}"


def host_and_port(text: str) -> tuple[str, int]:
    """ "host:port" as RFC 9112 3.2.3 has it, with an IPv6 address in brackets. Raises ValueError."""
    host, colon, port = text.rpartition(":")
    if not colon or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        raise ValueError("not a host and a port")
    if ":" in host and not (host.startswith("[") and host.endswith("]")):
        raise ValueError("an IPv6 address needs brackets")
    return host_name(host), int(port)
