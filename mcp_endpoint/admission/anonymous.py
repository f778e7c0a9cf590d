"""Callers without an account, at deployments that anybody may call.

A legacy session is a principal of its own: a random name stands in front of its sealed session id and in what the id is
sealed with, so that whoever holds the whole id is that principal and nobody else is. Stateless requests have no such
thing to carry: they share one principal, and run where nothing is kept of anybody. Limits are by address.
"""

from __future__ import annotations

import ipaddress
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from common.errors import AppError
from mcp_endpoint.admission.auth import CALL, READ, Principal
from mcp_endpoint.admission.limits import ANONYMOUS_CALLS_PER_ADDRESS, ANONYMOUS_CALLS_PER_MINUTE
from mcp_endpoint.legacy.messages import Call, LegacyPost
from mcp_endpoint.modern.messages import ModernCall
from mcp_endpoint.wire import headers as h
from mcp_endpoint.wire import jsonrpc as j
from mcp_endpoint.wire.rejection import refuse

if TYPE_CHECKING:
    from mcp_endpoint.wire.inbound import Inbound

NAME: Final = "anonymous"
SESSION_COST: Final = 10  # requests that opening a session counts as: it starts an instance
_SCOPES: Final = frozenset({READ, CALL})
_SESSION = re.compile(rb"([A-Za-z0-9_-]{22})\.([A-Za-z0-9_-]+)\Z")
_ADDRESSES: Final = 50_000
_SHOWN: Final = 8  # characters of a session's name in records


class TooManyVisitsError(AppError):
    status = 429

    def __init__(self, retry_after: int) -> None:
        super().__init__(
            "anonymous_calls",
            f"Too many requests without an account come from this address. Try again in {retry_after} s, or sign in.",
        )
        self.retry_after = retry_after


class _Visits:
    """Of one address: requests in flight, and a bucket that holds a minute's worth and refills steadily."""

    __slots__ = ("at", "in_flight", "left")

    def __init__(self, left: float, at: float) -> None:
        self.in_flight = 0
        self.left = left
        self.at = at


class Visitors:
    """Limits by address, in this process."""

    def __init__(
        self,
        in_flight: int = ANONYMOUS_CALLS_PER_ADDRESS,
        a_minute: int = ANONYMOUS_CALLS_PER_MINUTE,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._in_flight = in_flight
        self._a_minute = a_minute
        self._now = now
        self._visits: dict[str, _Visits] = {}

    def enter(self, address: str) -> None:
        """Raises TooManyVisitsError; then there is nothing to leave."""
        visits = self._visits.get(address)
        if visits is None:
            if len(self._visits) >= _ADDRESSES:
                self._forget()
            visits = self._visits[address] = _Visits(self._a_minute, self._now())
        if visits.in_flight >= self._in_flight:
            raise TooManyVisitsError(1)
        self._spend(visits, 1)
        visits.in_flight += 1

    def leave(self, address: str) -> None:
        self._visits[address].in_flight -= 1

    def asking(self, principal: Principal, inbound: Inbound, address: str) -> Principal:
        """Who asks, now that it is known for what. Raises TooManyVisitsError and RefusedError."""
        if not principal.is_anonymous:
            return principal
        if isinstance(inbound, LegacyPost):
            for message in inbound.messages:
                if isinstance(message, Call):
                    _check_method(message.method, message.id)
                    if message.method == "initialize":
                        self._spend(self._visits[address], SESSION_COST - 1)
            return principal
        if isinstance(inbound, ModernCall):
            _check_method(inbound.method, inbound.id)
        return replace(principal, sub=NAME, client_id=NAME)

    def _spend(self, visits: _Visits, cost: int) -> None:
        now = self._now()
        visits.left = min(self._a_minute, visits.left + (now - visits.at) * self._a_minute / 60)
        visits.at = now
        if visits.left < min(cost, self._a_minute):
            raise TooManyVisitsError(max(1, round((min(cost, self._a_minute) - visits.left) * 60 / self._a_minute)))
        visits.left -= cost

    def _forget(self) -> None:
        """Those whose bucket is full again by now; where all are busy, the oldest that has nothing open."""
        now = self._now()
        quiet = [address for address, one in self._visits.items() if not one.in_flight]
        full = [address for address in quiet if now - self._visits[address].at > 60]
        for address in full or quiet[: _ADDRESSES // 10]:
            del self._visits[address]


def _check_method(method: str, request_id: bytes) -> None:
    """Tasks are found by their unguessable ids only: there is nobody whose they could be listed as."""
    if method == "tasks/list":
        refuse(j.METHOD_NOT_FOUND, "tasks/list needs an account", request_id, status=200)


def visitor(fields: h.Fields, resource: str, address: str) -> Principal:
    """The principal of a request without a token. A session's id is taken apart: `fields` keep its sealed part."""
    found = _SESSION.match(fields.get(h.SESSION, b""))
    if found is not None:
        name = found.group(1).decode("ascii")
        fields[h.SESSION] = found.group(2)
    else:
        name = secrets.token_urlsafe(16)
    return Principal(
        sub=f"{NAME}:{name}",
        client_id=f"{NAME}-{name[:_SHOWN]}",
        scopes=_SCOPES,
        jti="",
        expires_at=float("inf"),
        resource=resource,
        key=f"{NAME} {address} {resource}",
        may_call=True,
        is_anonymous=True,
    )


def named(principal: Principal, token: str) -> str:
    """A session's id as its client is given it."""
    return f"{principal.sub.partition(':')[2]}.{token}" if principal.is_anonymous else token


@lru_cache(maxsize=4096)
def address_of(host: str | None) -> str:
    """What limits count by: an IPv4 address, or the /64 of an IPv6 one, which is what one household has.

    `host` is the client of the ASGI scope, hence behind the trusted proxies; without one all count as one.
    """
    try:
        address = ipaddress.ip_address((host or "").partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((int(address) >> 64 << 64, 64)))
    return str(address)
