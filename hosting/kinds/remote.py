"""Servers that run elsewhere: the one spelling of their address, and what it asks for. Pure; nothing is built for them.

    remote:https://HOST[:PORT]/PATH[?QUERY]

A `{name}` in path or query is a value that its owner fills in. `http:` is a matter of the operator's list of networks.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, urlsplit

from common.addresses import HostInvalid, host_name
from hosting.kinds.declared import Declared
from hosting.kinds.failure import BuildFailed

_PORTS: Final = {"https": 443, "http": 80}
# RFC 3986 section 2, plus the braces of variables; what else a URL may have stands in it percent-encoded.
_REST = re.compile(r"[A-Za-z0-9._~:/?@!$&'()*+,;=%{}\[\]-]*\Z")
_VARIABLE = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]{0,63})\}")
_BARE_BRACE = re.compile(r"[{}]")


class UrlInvalid(ValueError):  # noqa: N818 - the outcome of a parse
    """Not the address of a server. The text is a sentence."""


@dataclass(frozen=True)
class RemoteServer:
    """What a version is made of instead of an environment."""

    url: str
    resolved: str  # "example.org/mcp": what people read
    declared: tuple[Declared, ...]


def url_parse(text: str) -> str:
    """An address in its one spelling. Raises UrlInvalid."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise UrlInvalid(f"“{text}” is no address: write remote:https://example.org/mcp, for example.") from None
    if parts.scheme not in _PORTS or not parts.hostname:
        raise UrlInvalid(
            "The address of a remote server begins with https:// and a host: remote:https://example.org/mcp."
        )
    if "@" in parts.netloc:
        raise UrlInvalid("An address has no user name or password in it: credentials are settings, and kept sealed.")
    if "#" in text:
        raise UrlInvalid("An address ends before the “#”, which servers never see.")
    try:
        host = host_name(parts.hostname)
    except HostInvalid as error:
        raise UrlInvalid(f"“{parts.hostname}” can't be the host of a server: {error}.") from None
    rest = _rest(parts)
    if port == 0:
        raise UrlInvalid("An address has a port from 1 to 65535.")
    if not _REST.match(rest) or _BARE_BRACE.search(_VARIABLE.sub("", rest)):
        raise UrlInvalid("The path of an address is of letters, digits and signs; everything else is percent-encoded.")
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}{_port(parts.scheme, port)}{rest}"


def remote_server(url: str, *, allows_plain: bool) -> RemoteServer:
    """What an address that `url_parse` gave stands for. Raises BuildFailed.

    `allows_plain`: the operator has named networks of their own, in which a server may be spoken to without encryption;
    whether it is in one of them is seen when it is connected to.
    """
    parts = urlsplit(url)
    if parts.scheme != "https" and not allows_plain:
        raise BuildFailed("A remote server is reached by https only. Write its address with https://.")
    names = dict.fromkeys(_VARIABLE.findall(_rest(parts)))
    declared = tuple(Declared(name=name, where="variable", is_required=True) for name in names)
    return RemoteServer(url, f"{parts.netloc}{parts.path.rstrip('/')}", declared)


def _rest(parts: SplitResult) -> str:
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _port(scheme: str, port: int | None) -> str:
    return f":{port}" if port and port != _PORTS[scheme] else ""
