"""What a server elsewhere asks for with its 401."""

from __future__ import annotations

import pytest
from httpx2 import Response
from mcp.client.auth import utils as sdk

from oauth.outbound.challenges import Challenge, challenge_of


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ('Bearer scope="a b", resource_metadata="https://x/y?z=1"', Challenge("", ("a", "b"), "https://x/y?z=1")),
        ('bearer error="insufficient_scope", scope="w"', Challenge("insufficient_scope", ("w",))),
        ('Basic realm="Bearer scope=x", Bearer scope=y', Challenge("", ("y",))),
        ("Negotiate abc==, Bearer resource_metadata=https://x/.well-known/a", Challenge("", None, "https://x/.well-known/a")),
        ('Bearer realm="a, b=c", scope="d"', Challenge("", ("d",))),
        ('Bearer scope="a \\"b"', Challenge("", ("a", '"b'))),
        ("Bearer", Challenge()),
        ('Bearer scope="a", Basic scope="b"', Challenge("", ("a",))),
        ('Basic realm="x"', None),
        ("", None),
        ('"' * 20_000, None),
    ],
)  # fmt: skip
def test_challenge(field: str, expected: Challenge | None) -> None:
    assert challenge_of(field) == expected


@pytest.mark.parametrize(
    "field", ['Bearer scope="a b"', 'Bearer resource_metadata="https://x/y"', "Bearer scope=a", "Bearer"]
)
def test_challenge_as_the_sdk_reads_it(field: str) -> None:
    response = Response(401, headers={"WWW-Authenticate": field})
    found = challenge_of(field)
    assert found is not None
    assert found.metadata_url == (sdk.extract_resource_metadata_from_www_auth(response) or "")
    assert found.scopes == (tuple((sdk.extract_scope_from_www_auth(response) or "").split()) or None)
