"""Fetches with all the checks: the URL, every address of its host, every redirect, size and time.

A name is resolved here, once for each request, and the connection goes to one of the addresses that were checked, with
the name in the TLS greeting and the Host field: a name that changes its mind meanwhile (DNS rebinding) leads nowhere.
No proxy and no credentials of the environment are used, and no cookies kept.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache, partial
from ipaddress import ip_address
from typing import Any, TypeVar

import httpx
import msgspec
from django.utils.translation import gettext, gettext_lazy

from common.addresses import Networks, first_refusal, is_address, networks
from common.outbound import names, urls
from common.outbound.errors import AnswerInvalid, AnswerTooLarge, HostUnreachable, TooManyRedirects, UrlRefused
from common.outbound.urls import Rules, Target

MAX_BYTES = 1024 * 1024
MAX_REDIRECTS = 5
SECONDS = 10.0
CONNECT_SECONDS = 5.0
MAX_TRIED = 3  # addresses of one host
AGENT = "Slipway"

T = TypeVar("T")


# What `common.addresses` calls those that are not public.
_KINDS = {
    "loopback address": gettext_lazy("loopback address"),
    "link-local address": gettext_lazy("link-local address"),
    "private address": gettext_lazy("private address"),
    "multicast address": gettext_lazy("multicast address"),
    "metadata address": gettext_lazy("metadata address"),
    "reserved address": gettext_lazy("reserved address"),
}


@dataclass(frozen=True)
class Answer:
    """`url` is the last one, after redirects. Any status is an answer."""

    status: int
    headers: Mapping[str, str]
    content: bytes
    url: str

    @property
    def media_type(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def json(self, kind: type[T]) -> T:
        """The body as this type. Raises AnswerInvalid."""
        try:
            return msgspec.json.decode(self.content, type=kind)
        except (msgspec.DecodeError, RecursionError) as error:
            raise AnswerInvalid(
                "answer_invalid", gettext("%(url)s did not answer with the JSON expected.") % {"url": self.url}
            ) from error


@dataclass(frozen=True)
class _Ask:
    """One request of a fetch, which may follow others by redirect."""

    method: str
    target: Target
    headers: dict[str, str]
    content: bytes
    left: int  # redirects

    def pinned(self, address: str) -> dict[str, Any]:
        """What httpx is to send: to the address, in the name of the host."""
        fields = {**self.headers, "Host": self.target.authority}
        extensions = {} if is_address(self.target.host) else {"sni_hostname": self.target.host}
        return {
            "method": self.method,
            "url": self.target.at(address),
            "headers": fields,
            "content": self.content or None,
            "extensions": extensions,
        }


@dataclass(frozen=True)
class Door:
    """Values only: make one wherever it is needed. `private` are networks of the operator besides the public ones;
    hosts that lie wholly in those may be asked on `private_ports` too, and where `allows_plain` says so by http."""

    private: Networks = ()
    rules: Rules = field(default_factory=Rules)
    authorities: str | None = None  # PEM; None: those that this machine's Python trusts
    private_ports: frozenset[int] = frozenset()
    name_servers: tuple[str, ...] = ()  # instead of this machine's
    allows_plain: bool = False

    async def fetch(
        self,
        url: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        content: bytes = b"",
        max_bytes: int = MAX_BYTES,
        seconds: float = SECONDS,
        redirects: int = MAX_REDIRECTS,
    ) -> Answer:
        """Raises OutboundError."""
        ask = self._first(url, method, headers, content, redirects)
        try:
            async with asyncio.timeout(seconds), httpx.AsyncClient(**self._options(seconds)) as client:
                while True:
                    found = await asyncio.get_running_loop().run_in_executor(None, self._resolving(ask.target))
                    answer = await self._send(client, ask, self._checked(ask.target, found), max_bytes)
                    if (following := self._following(ask, answer)) is None:
                        return answer
                    ask = following
        except TimeoutError as error:
            raise _late(ask.target, seconds) from error

    def fetch_blocking(
        self,
        url: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        content: bytes = b"",
        max_bytes: int = MAX_BYTES,
        seconds: float = SECONDS,
        redirects: int = MAX_REDIRECTS,
    ) -> Answer:
        """The same for jobs and commands, which are threads. Raises OutboundError."""
        fetching = self.fetch(
            url,
            method=method,
            headers=headers,
            content=content,
            max_bytes=max_bytes,
            seconds=seconds,
            redirects=redirects,
        )
        return asyncio.run(fetching)

    # --- the checks

    def _first(self, url: str, method: str, headers: Mapping[str, str] | None, content: bytes, redirects: int) -> _Ask:
        fields = {"User-Agent": AGENT, "Accept-Encoding": "identity", **(headers or {})}
        return _Ask(method.upper(), urls.target(url, self._all_rules), fields, content, redirects)

    @property
    def _all_rules(self) -> Rules:
        plain = {"http"} if self.allows_plain and self.private else set()
        return Rules(self.rules.schemes | plain, self.rules.ports | self.private_ports)

    def _resolving(self, target: Target) -> Callable[[], list[str]]:
        return partial(names.addresses, target.host, target.port, self.name_servers)

    def _checked(self, target: Target, found: list[str]) -> list[str]:
        """The addresses to try. Raises UrlRefused."""
        refused, words = first_refusal(found, self.private)
        if refused:
            raise UrlRefused(
                "address_refused",
                gettext("%(host)s leads to a %(kind)s, and this site connects to public ones only.")
                % {"host": target.host, "kind": _KINDS.get(words, words)},
            )
        if all(self._is_private(address) for address in found):
            return found[:MAX_TRIED]
        if target.port not in self.rules.ports:
            raise UrlRefused(
                "url_refused",
                gettext("The URL is for port %(port)s, which this site does not connect to.") % {"port": target.port},
            )
        if target.scheme not in self.rules.schemes:
            raise UrlRefused(
                "url_refused", gettext("The URL is for a public host and not encrypted: it must begin with https.")
            )
        return found[:MAX_TRIED]

    def _is_private(self, address: str) -> bool:
        return any(ip_address(address) in network for network in self.private)

    def _following(self, ask: _Ask, answer: Answer) -> _Ask | None:
        """The request that a redirect asks for; None when this answer is the last. A body is never sent twice."""
        location = answer.headers.get("location")
        if answer.status not in urls.REDIRECTS or not location or ask.method not in ("GET", "HEAD"):
            return None
        if not ask.left:
            raise TooManyRedirects(
                "too_many_redirects", gettext("%(host)s redirects too often.") % {"host": ask.target.host}
            )
        there = urls.redirected(ask.target, location, self._all_rules)
        return _Ask(ask.method, there, urls.handed_on(ask.headers, ask.target, there), b"", ask.left - 1)

    # --- the wire

    def _options(self, seconds: float) -> dict[str, Any]:
        timeout = httpx.Timeout(seconds, connect=CONNECT_SECONDS)
        # A connection is for one request: kept by its address, it would serve another host unchecked
        once = httpx.Limits(max_keepalive_connections=0)
        return {"verify": _trusting(self.authorities), "timeout": timeout, "limits": once, "trust_env": False}

    async def _send(self, client: httpx.AsyncClient, ask: _Ask, addresses: list[str], max_bytes: int) -> Answer:
        failure: Exception | None = None
        for address in addresses:
            try:
                async with client.stream(**ask.pinned(address)) as response:
                    return await _read(response, ask, max_bytes)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                failure = error  # nothing was sent: the next address may answer
            except httpx.TimeoutException as error:
                raise TimeoutError from error
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                raise HostUnreachable(
                    "host_failed", gettext("%(host)s did not answer properly.") % {"host": ask.target.host}
                ) from error
        if "CERTIFICATE" in str(failure):
            words = gettext("%(host)s has no valid certificate.")
        else:
            words = gettext("%(host)s can't be reached.")
        raise HostUnreachable("host_unreachable", words % {"host": ask.target.host}) from failure


@lru_cache(maxsize=8)
def _trusting(authorities: str | None) -> ssl.SSLContext:
    """Kept, since to read all authorities takes some 20 ms."""
    context = httpx.create_ssl_context(trust_env=True)  # SSL_CERT_FILE is the operator's
    if authorities:
        context.load_verify_locations(cadata=authorities)
    return context


def site_door() -> Door:
    """With the networks, ports and name servers that the operator listed."""
    from django.conf import settings

    return Door(
        private=networks(settings.SLIPWAY_EGRESS_PRIVATE),
        private_ports=frozenset(settings.SLIPWAY_EGRESS_PORTS),
        name_servers=tuple(settings.SLIPWAY_DNS_SERVERS),
    )


async def _read(response: httpx.Response, ask: _Ask, max_bytes: int) -> Answer:
    """Raises AnswerTooLarge as soon as it is known, AnswerInvalid for a body that was packed without being asked."""
    if response.headers.get("content-encoding", "identity").lower() != "identity":
        raise AnswerInvalid(
            "answer_packed", gettext("%(host)s answered in a form that wasn't asked for.") % {"host": ask.target.host}
        )
    too_large = AnswerTooLarge(
        "answer_too_large",
        gettext("%(url)s is larger than %(max_bytes)s bytes.") % {"url": ask.target.url, "max_bytes": max_bytes},
    )
    declared = response.headers.get("content-length", "")
    if ask.method != "HEAD" and declared.isdigit() and int(declared) > max_bytes:
        raise too_large
    content = bytearray()
    async for chunk in response.aiter_raw():
        content += chunk
        if len(content) > max_bytes:
            raise too_large
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Answer(response.status_code, headers, bytes(content), ask.target.url)


def _late(target: Target, seconds: float) -> HostUnreachable:
    return HostUnreachable(
        "host_late",
        gettext("%(host)s did not answer within %(seconds)s seconds.")
        % {"host": target.host, "seconds": f"{seconds:g}"},
    )
