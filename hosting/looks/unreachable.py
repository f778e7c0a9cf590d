"""Whether a server ended because it could not reach something over the network. Pure.

Read from what it printed: HTTP libraries and resolvers each say it in words of their own.
"""

from __future__ import annotations

import re

MAX_CHARACTERS = 20_000
_FAILED = re.compile(
    r"ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|getaddrinfo|fetch failed"
    r"|Name or service not known|Temporary failure in name resolution|No address associated with hostname"
    r"|Max retries exceeded|Failed to establish a new connection|Network is unreachable|Connection ?(?:refused|reset)"
    r"|ConnectError|ConnectTimeout|ConnectionError|ProxyError|NameResolutionError|All connection attempts failed"
)
_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9-]+)+"
_HOSTS = (
    re.compile(r"host=['\"](" + _NAME + r")['\"]"),  # urllib3
    re.compile(r"(?:ENOTFOUND|EAI_AGAIN|ECONNREFUSED)\s+(" + _NAME + r")"),  # Node.js
    re.compile(r"Could not connect to the endpoint URL: \"?https?://(" + _NAME + r")"),  # botocore
    re.compile(r"https?://(" + _NAME + r")"),
)


def unreachable_host(printed: str) -> str | None:
    """The host that could not be reached, "" where none is named; None where nothing speaks of the network."""
    text = printed[-MAX_CHARACTERS:]
    if not _FAILED.search(text):
        return None
    for pattern in _HOSTS:
        if found := pattern.search(text):
            return found[1]
    return ""


def network_words(printed: str) -> str:
    """The sentence for its owner, "" where the network is not to blame."""
    host = unreachable_host(printed)
    if host is None:
        return ""
    return f"needs the network: it could not reach {host}" if host else "needs the network: it could not reach a host"
