"""Servers that end for want of a network, in the words of the libraries that they use."""

from __future__ import annotations

import pytest

from hosting.looks.failed_looks import failure_noted
from hosting.looks.unreachable import network_words, unreachable_host
from hosting.models import DeploymentVersion

SAID = [
    (
        "requests.exceptions.ConnectionError: HTTPSConnectionPool(host='api.example.com', port=443): Max retries "
        "exceeded with url: /v1 (Caused by NameResolutionError(\"Failed to resolve 'api.example.com'\"))",
        "api.example.com",
    ),
    ("Error: getaddrinfo ENOTFOUND registry.example.org", "registry.example.org"),
    (
        "TypeError: fetch failed\n    at node:internal/deps/undici\n  cause: Error: connect ECONNREFUSED 10.0.0.1:443",
        "10.0.0.1",
    ),
    ('botocore: Could not connect to the endpoint URL: "https://sts.example.com/"\nConnectionError', "sts.example.com"),
    ("httpx.ConnectError: [Errno -2] Name or service not known", ""),
    ("urllib3.exceptions.ProxyError: https://files.example.net/a", "files.example.net"),
]


@pytest.mark.parametrize(("printed", "host"), SAID)
def test_the_host_is_named_where_it_is_said(printed: str, host: str) -> None:
    assert unreachable_host(printed) == host
    assert (host or "a host") in network_words(printed)


@pytest.mark.django_db
@pytest.mark.parametrize(("reference", "is_said"), [("remote:https://mcp.example.org/mcp", False), ("pypi:time", True)])
def test_what_runs_elsewhere_names_its_host_once(reference: str, is_said: bool) -> None:
    reason = "mcp.example.org could not be found: Name or service not known"
    version = DeploymentVersion(reference=reference)
    assert failure_noted(version, reason) == (f"{network_words(reason)}; {reason}" if is_said else reason)


@pytest.mark.parametrize(
    "printed",
    ["", "GITHUB_TOKEN is required, see https://example.com/docs", "ImportError: cannot import name 'x' from 'mcp'"],
)
def test_other_ends_are_not_the_networks(printed: str) -> None:
    assert unreachable_host(printed) is None
    assert network_words(printed) == ""
