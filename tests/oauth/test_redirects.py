"""Redirect URIs: compared as strings, but for the port of this machine (threat 7)."""

from __future__ import annotations

import pytest

from common.errors import BadInput
from oauth import redirects

WEB = "https://app.example/cb"
LOCAL = "http://127.0.0.1:33418/callback"
PORTLESS = "http://localhost/callback"
REGISTERED = [WEB, LOCAL, PORTLESS, "http://[::1]/cb", *redirects.NATIVE]


@pytest.mark.parametrize(
    "uri",
    [
        *REGISTERED,
        "http://127.0.0.1:1/callback",
        "http://127.0.0.1/callback",
        "http://localhost:50000/callback",
        "http://[::1]:8080/cb",
    ],
)
def test_registered_ones_match(uri: str) -> None:
    assert redirects.is_registered(uri, REGISTERED)


@pytest.mark.parametrize(
    "uri",
    [
        f"{WEB}?x=1",
        f"{WEB}?",
        f"{WEB};x",
        f"{WEB}#",
        f"{WEB}#x",
        f"{WEB}/",
        f"{WEB}/more",
        "https://app.example/c%62",
        "https://app.example/cb%2f",
        "https://APP.example/cb",
        "HTTPS://app.example/cb",
        "https://app.example:443/cb",
        "https://app.example:444/cb",
        "https://x@app.example/cb",
        "https://app.example@evil.example/cb",
        "https://sub.app.example/cb",
        "https://app.example.evil.example/cb",
        "http://app.example/cb",
        "https://app.example\\.evil.example/cb",
        "//app.example/cb",
        "",
        "http://127.0.0.1:1/callback?x=1",
        "http://127.0.0.1:1/callback/",
        "http://127.0.0.1:1/Callback",
        "http://x@127.0.0.1:1/callback",
        "http://127.0.0.1:1@evil.example/callback",
        "http://127.0.0.2:1/callback",
        "http://localhost.evil.example/callback",
        "http://localhost:1/cb",
        "http://127.1:1/callback",
        "http://127.0.0.1:99999/callback",
        "http://127.0.0.1:x/callback",
        "https://127.0.0.1:1/callback",
        "HTTP://127.0.0.1:1/callback",
        "http://LOCALHOST:1/callback",
        "cursor://anysphere.cursor-mcp/oauth/callback?x",
        "cursor://anysphere.cursor-mcp:1/oauth/callback",
        "cursor://evil/oauth/callback",
    ],
)
def test_everything_else_does_not(uri: str) -> None:
    assert not redirects.is_registered(uri, REGISTERED)


@pytest.mark.parametrize(
    "uri", ["http://evil.example/cb", "javascript:alert(1)", "robo://x", "x", "https://", "http:///x"]
)
def test_what_can_not_be_registered_never_matches(uri: str) -> None:
    with pytest.raises(BadInput):
        redirects.check([uri])
    assert not redirects.is_registered(uri, [uri])
