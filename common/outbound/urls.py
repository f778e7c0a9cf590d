"""Which URLs may be fetched, and where a redirect may lead. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, urljoin, urlsplit

from django.utils.text import get_text_list
from django.utils.translation import gettext

from common.addresses import HostInvalid, host_name
from common.outbound.errors import UrlRefused

MAX_URL = 2048
DEFAULT_PORTS = {"https": 443, "http": 80}
REDIRECTS = frozenset({301, 302, 303, 307, 308})
# Not handed on to another origin (RFC 9110 15.4, WHATWG Fetch).
_PRIVATE_FIELDS = frozenset({"authorization", "cookie", "proxy-authorization"})


@dataclass(frozen=True)
class Target:
    """A URL taken apart. `host` is a name or an address; `path` has the query, and no fragment."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """For the Host field (RFC 9112 3.2)."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.authority}{self.path}"

    @property
    def origin(self) -> tuple[str, str, int]:
        return self.scheme, self.host, self.port

    def at(self, address: str) -> str:
        """The same, with the address to connect to in the place of the host."""
        host = f"[{address}]" if ":" in address else address
        return f"{self.scheme}://{host}:{self.port}{self.path}"


@dataclass(frozen=True)
class Rules:
    schemes: frozenset[str] = frozenset({"https"})
    ports: frozenset[int] = frozenset({443})


def target(url: str, rules: Rules) -> Target:
    """Raises UrlRefused."""
    if len(url) > MAX_URL or not url.isprintable() or " " in url or "\\" in url:
        raise _refused(gettext("The URL is too long, or has characters that no URL may have."))
    try:
        parts = urlsplit(url)
        port = parts.port
        host = host_name(_host(parts))
    except HostInvalid as error:
        words = gettext("The URL has no host that can be reached: %(reason)s.") % {"reason": gettext(str(error))}
        raise _refused(words) from error
    except ValueError as error:
        raise _refused(gettext("The URL cannot be read: write one such as https://example.com/path.")) from error
    if parts.scheme not in rules.schemes:
        schemes = get_text_list([f"{scheme}://" for scheme in sorted(rules.schemes)])
        raise _refused(gettext("The URL must begin with %(schemes)s.") % {"schemes": schemes})
    if parts.username is not None or parts.password is not None:
        raise _refused(gettext("The URL must not hold a user name or password."))
    number = DEFAULT_PORTS[parts.scheme] if port is None else port
    if number not in rules.ports:
        raise _refused(gettext("The URL is for port %(port)s, which this site does not connect to.") % {"port": number})
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, host, number, path)


def redirected(here: Target, location: str, rules: Rules) -> Target:
    """Where a Location field leads. Raises UrlRefused: it is checked as the first URL was."""
    there = target(urljoin(here.url, location), rules)
    if here.scheme == "https" and there.scheme != "https":
        raise _refused(gettext("The URL redirects from https to http."))
    return there


def handed_on(fields: Mapping[str, str], here: Target, there: Target) -> dict[str, str]:
    """The header fields that a redirect keeps."""
    if here.origin == there.origin:
        return dict(fields)
    return {name: value for name, value in fields.items() if name.lower() not in _PRIVATE_FIELDS}


def _host(parts: SplitResult) -> str:
    """With its brackets, so that [1.2.3.4] and 1.2.3.4 stay two things."""
    name = parts.netloc.rpartition("@")[2]
    return name[: name.index("]") + 1] if name.startswith("[") and "]" in name else name.partition(":")[0]


def _refused(words: str) -> UrlRefused:
    return UrlRefused("url_refused", words)
