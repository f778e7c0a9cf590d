"""Host and Origin checks on this path, against pages on other sites that use their visitor's browser.

2025-11-25 and 2026-07-28 basic/transports, "Security Warning": an invalid Origin is answered with 403. An unknown Host
is a 400, as in the rest of the site. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def host_name(value: str) -> str:
    """The name of a Host header, without port and brackets, lower-case; "" when it is none."""
    try:
        parts = urlsplit(f"//{value}")
        _ = parts.port
    except ValueError:
        return ""
    if "@" in value or "/" in value or parts.hostname is None:
        return ""
    return parts.hostname


class Gate:
    """Which Hosts and Origins may come in. Results are remembered, since there are few in practice."""

    def __init__(self, site_url: str, allowed_hosts: Iterable[str] = (), allowed_origins: Iterable[str] = ()) -> None:
        site = urlsplit(site_url)
        own = (site.hostname or "").lower()
        self._hosts = {host.lower().strip("[]") for host in allowed_hosts} | {own}
        self._is_loopback = own in LOOPBACK
        if self._is_loopback:
            self._hosts |= LOOPBACK
        self._origins = {origin.rstrip("/").lower() for origin in allowed_origins}
        self._origins.add(f"{site.scheme}://{site.netloc}".lower())
        self._known_hosts: dict[bytes, bool] = {}
        self._known_origins: dict[bytes, bool] = {}

    def takes_host(self, value: bytes | None) -> bool:
        if value is None:
            return False
        known = self._known_hosts.get(value)
        if known is None:
            known = self._is_known_host(host_name(value.decode("latin-1").strip()))
            if len(self._known_hosts) < 256:
                self._known_hosts[value] = known
        return known

    def _is_known_host(self, name: str) -> bool:
        if not name:
            return False
        return name in self._hosts or any(
            pattern == "*" or (pattern.startswith(".") and (name.endswith(pattern) or name == pattern[1:]))
            for pattern in self._hosts
        )

    def takes_origin(self, value: bytes | None) -> bool:
        """No Origin header means no browser page."""
        if value is None:
            return True
        known = self._known_origins.get(value)
        if known is None:
            known = self._is_known_origin(value.decode("latin-1").strip().lower())
            if len(self._known_origins) < 256:
                self._known_origins[value] = known
        return known

    def _is_known_origin(self, origin: str) -> bool:
        if origin in self._origins:
            return True
        if not self._is_loopback:
            return False
        # On a machine of one's own, tools with a page (such as the Inspector) run on other ports of it.
        try:
            parts = urlsplit(origin)
            return parts.scheme in ("http", "https") and parts.hostname in LOOPBACK and not parts.path
        except ValueError:
            return False
