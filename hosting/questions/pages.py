"""A URL elicitation: which page a hosted server may send a person to, and how that page's host is shown. Pure.

The whole host is shown, and a name that only looks like another as what it is (2025-11-25 client/elicitation, "Safe
URL Handling"; 2026-07-28 has the same). A page is foreign unless its host is the site's own or that of the remote
server that asks.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, urlsplit

import msgspec

from common.addresses import HostInvalid, host_name, is_address, matches
from hosting.runner.placement import LISTED, REFUSED, Pages

MAX_URL = 8000

# U+005C is a slash to browsers (URL Standard, "special authority slashes"), and to nobody else.
_ODD = re.compile(r"[\s\\\x00-\x1f\x7f]")
_LOCAL: Final = ("localhost", "local", "internal", "intranet", "lan", "home", "corp", "private", "arpa")
# Names of parameters that would let whoever opens the address in: it must not be pre-authenticated.
_KEYS: Final = frozenset({
    "password", "passwd", "pwd", "passphrase", "access_token", "accesstoken", "id_token", "refresh_token", "auth_token",
    "authtoken", "bearer", "jwt", "api_key", "apikey", "api-key", "x-api-key", "secret", "client_secret", "private_key",
    "sessionid", "session_token", "sid",
})  # fmt: skip


@dataclass(frozen=True)
class Page:
    """An address that may be opened. `host` is as the resolver is asked for it, `before` and `after` are the rest of
    the address around it; `reads_as` is what a name in Punycode pretends to be, "" for any other."""

    url: str
    host: str
    before: str
    after: str
    reads_as: str = ""


def page_of(url: str) -> Page:
    """Raises HostInvalid, whose text says what is wrong with the address."""
    parts = _parts(url)
    host = host_name(parts.hostname or "")
    if is_address(host):
        raise HostInvalid("its host is a number, not a name")
    last = host.rpartition(".")[2]
    if "." not in host or last in _LOCAL:
        raise HostInvalid("its host is a name of a local network")
    _check_keys(parts.query)
    _check_keys(parts.fragment)
    port = f":{parts.port}" if parts.port not in (None, 443) else ""
    rest = url.split("//", 1)[1]
    after = rest[len(re.split(r"[/?#]", rest, maxsplit=1)[0]) :]
    return Page(url, f"{host}{port}", "https://", after, _reads_as(host))


class _Parts(msgspec.Struct):
    hostname: str
    port: int | None
    query: str
    fragment: str


def _parts(url: str) -> _Parts:
    """Raises HostInvalid."""
    if len(url) > MAX_URL:
        raise HostInvalid(f"it is longer than {MAX_URL} characters")
    if _ODD.search(url):
        raise HostInvalid("it has blanks, control characters or backslashes in it")
    try:
        parts = urlsplit(url)
        found = _Parts(parts.hostname or "", parts.port, parts.query, parts.fragment)
    except ValueError as error:
        raise HostInvalid("it can't be read as an address") from error
    if parts.scheme != "https" or not url.lower().startswith("https://"):
        raise HostInvalid("it is no https address")
    if "@" in parts.netloc:
        raise HostInvalid("it has a user's name or a password in it")
    if "%" in parts.netloc or not found.hostname:
        raise HostInvalid("it has no host that can be read")
    return found


def _check_keys(text: str) -> None:
    for name, value in parse_qsl(text.partition("?")[2] or text, keep_blank_values=True):
        if value and name.lower() in _KEYS:
            raise HostInvalid(f"its parameter “{name[:60]}” would carry a credential")


def _reads_as(host: str) -> str:
    if not any(label.startswith("xn--") for label in host.split(".")):
        return ""
    try:
        return host.encode("ascii").decode("idna")
    except UnicodeError:
        return "?"


def refusal_of_page(url: str, pages: Pages) -> str:
    """Why nobody is sent to that address, for its server and its owner; "" when it may be shown."""
    try:
        page = page_of(url)
    except HostInvalid as error:
        return f"The address that it gave is not opened: {error}. Give a plain https address."
    if not is_foreign(page, pages):
        return ""
    host = page.host.partition(":")[0]
    for rule in pages.rules:
        if rule.mode == REFUSED:
            return f"{rule.whose} lets servers send nobody to pages of other hosts, so {host} is not opened."
        if rule.mode == LISTED and not matches(host, rule.hosts):
            whose = rule.whose[:1].lower() + rule.whose[1:]
            return f"{host} is not among the hosts that {whose} allows pages of."
    return ""


def is_foreign(page: Page, pages: Pages) -> bool:
    """Whether its host is neither the site's own nor that of the remote server that asks."""
    return page.host.partition(":")[0] not in pages.own
