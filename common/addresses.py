"""Which network addresses somebody else's wish may lead us to: public ones, and the networks an operator has named.

Pure: nothing here resolves or connects. Whoever does, resolves first, asks `first_refusal` about every address that it
got, and connects to one of exactly those; a name that is asked for twice can answer differently (DNS rebinding).

Sources: IANA's special-purpose address registries (RFC 6890), as Python's ipaddress knows them, and what that misses.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Networks = tuple[Network, ...]

# Where clouds hand out their machines' credentials. Not even an operator's list opens these.
METADATA = frozenset(
    map(
        ip_address,
        (
            "169.254.169.254", "169.254.170.2", "169.254.170.23", "fd00:ec2::254", "fd00:ec2::23",  # Amazon and others
            "fd20:ce::254",  # Google
            "100.100.100.200",  # Alibaba
            "168.63.129.16",  # Azure: a public address by its number
            "192.0.0.192",  # Oracle
        ),
    )
)  # fmt: skip

_UNICAST_6 = IPv6Network(
    "2000::/3"
)  # all that IANA has given out; what lies outside is local, reserved or a translation
_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052: the last 32 bits are an IPv4 address
_KINDS: tuple[tuple[str, Networks], ...] = tuple(
    (words, tuple(map(ip_network, networks)))
    for words, networks in (
        ("loopback address", ("127.0.0.0/8", "::1/128")),
        ("link-local address", ("169.254.0.0/16", "fe80::/10")),
        ("private address", ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "fec0::/10")),
        ("carrier's private address", ("100.64.0.0/10",)),
        ("multicast address", ("224.0.0.0/4", "ff00::/8")),
        # Other ways to write an IPv4 address: mapped (RFC 4291), NAT64, 6to4 (RFC 7526), Teredo (RFC 4380)
        ("translated IPv4 address", ("::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48")),
        ("translated IPv4 address", ("2002::/16", "2001::/32", "192.88.99.0/24")),
        ("address for documentation", ("3fff::/20",)),  # RFC 9637, which older Pythons don't know
    )
)  # fmt: skip
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
MAX_NAME = 253


def gettext_noop(text: str) -> str:
    """Django's, of which whoever serves hosted servers must know nothing: marks what a page says in other languages."""
    return text


class HostInvalid(ValueError):  # noqa: N818 - the outcome of a check
    """Not a host that can be meant. The text says why, in English; it is a message that has translations."""


def refusal(address: Address, allowed: Networks = ()) -> str:
    """Why this address may not be reached, in a few words; nothing when it may.

    `allowed` are the operator's networks, besides the public ones.
    """
    if isinstance(address, IPv6Address) and address.scope_id is not None:
        address = IPv6Address(int(address))
    if address in METADATA:
        return "metadata address"
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None and address.ipv4_mapped in METADATA:
        return "metadata address"
    if any(address in network for network in allowed):
        # Where an operator lets a translator's prefix in (DNS64), what it leads to must be public all the same.
        return refusal(IPv4Address(int(address) & 0xFFFFFFFF), allowed) if address in _NAT64 else ""
    for words, kind in _KINDS:
        if any(address in network for network in kind):
            return words
    if isinstance(address, IPv6Address) and address not in _UNICAST_6:
        return "reserved address"
    if not address.is_global or address.is_reserved:
        return "reserved address"
    return ""


def first_refusal(addresses: Iterable[str], allowed: Networks = ()) -> tuple[str, str]:
    """The first of these that may not be reached, and why; two empty strings when all may.

    One bad address spoils its host: who mixes a private address among public ones means no good.
    """
    for text in addresses:
        if words := refusal(ip_address(text), allowed):
            return text, words
    return "", ""


def networks(texts: Iterable[str]) -> Networks:
    """Networks in CIDR notation. Raises ValueError."""
    return tuple(ip_network(text.strip()) for text in texts if text.strip())


def host_name(text: str) -> str:
    """A host in the one spelling that names are compared in: lower case, no dot at the end, addresses without brackets.

    Raises HostInvalid: for what is no name, and for the forms of an address that only some programs read as one
    (2130706433, 0x7f.1, 127.1, 0177.0.0.1).
    """
    if not text.isascii():
        try:
            text = text.encode("idna").decode()
        except UnicodeError as error:
            raise HostInvalid(gettext_noop("not a host name")) from error
    host = text.lower().removesuffix(".")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
        if ":" not in host:
            raise HostInvalid(gettext_noop("brackets are for IPv6 addresses"))
    if "%" in host:
        raise HostInvalid(gettext_noop("addresses with a zone are local"))
    if ":" in host or _NUMBER.fullmatch(host.rpartition(".")[2]):
        try:
            return str(ip_address(host))
        except ValueError as error:
            raise HostInvalid(gettext_noop("not an address in its usual form")) from error
    if not host or len(host) > MAX_NAME or not all(map(_LABEL.fullmatch, host.split("."))):
        raise HostInvalid(gettext_noop("not a host name"))
    return host


def is_address(host: str) -> bool:
    """Whether what `host_name` gave is an address."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def matches(host: str, patterns: Sequence[str]) -> bool:
    """Whether a host is among these: names, or *.example.org for everything below one. Both as `host_name` spells."""
    for pattern in patterns:
        if pattern.startswith("*."):
            if host.endswith(pattern[1:]) and not is_address(host):
                return True
        elif host == pattern:
            return True
    return False


def host_pattern(text: str) -> str:
    """One entry of a list of hosts in the spelling that `matches` compares. Raises HostInvalid."""
    text = text.strip()
    if text.startswith("*."):
        rest = host_name(text[2:])
        if is_address(rest) or "." not in rest:
            raise HostInvalid(gettext_noop("a pattern is *. and a name of two parts or more, such as *.example.org"))
        return f"*.{rest}"
    return host_name(text)
