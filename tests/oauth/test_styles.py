"""How GitHub, Google, Slack and Notion speak OAuth 2: a server elsewhere that does as each of them does."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from oauth.outbound import requests
from oauth.outbound.discovery import Server
from oauth.outbound.flow import Peer, Revoked, site_peer
from oauth.outbound.identity import Client, given
from oauth.outbound.requests import TokenRefused
from oauth.outbound.styles import PRESETS, STYLES, style_of
from tests.oauth.elsewhere import Asked, FakeAuthorizationServer, as_json

BASIC = "Basic " + base64.b64encode(b"slipway:s3cret").decode()


@pytest.fixture
def peer(far: FakeAuthorizationServer) -> Peer:
    return site_peer()


def here(style: str, far: FakeAuthorizationServer) -> tuple[Server, Client]:
    """The preset, at the address of the fake."""
    preset = PRESETS[style].server
    revoke = preset.revoke_url.partition("//")[2].partition("/")[2]
    server = msgspec.structs.replace(preset, token_url=f"{far.url}/token", revoke_url=f"{far.url}/{revoke}")
    return server, given("slipway", "s3cret", server)


def asked_of(style: str) -> dict[str, list[str]]:
    server = PRESETS[style].server
    url = requests.authorize_url(
        server.authorize_url, client_id="slipway", redirect_uri="https://site/cb", scopes=("a", "b"), state="s",
        verifier="v", resource="", style=style_of(server),
    )  # fmt: skip
    assert url.startswith(f"{server.authorize_url}?")
    return parse_qs(urlsplit(url).query)


def redeem(style: str, far: FakeAuthorizationServer, peer: Peer, said: Any, status: int = 200) -> tuple[Any, Asked]:
    far.instead["/token"] = lambda _: as_json(said, status)
    server, client = here(style, far)
    try:
        return peer.redeem(server, client, "c0de", verifier="v", resource=""), far.asked[-1]
    except TokenRefused as refused:
        return refused, far.asked[-1]


def test_all_addresses_are_of_https_and_each_style_is_known() -> None:
    assert PRESETS.keys() == STYLES.keys()
    for name, preset in PRESETS.items():
        server = preset.server
        assert server.style == name
        for url in (server.issuer, server.authorize_url, server.token_url, server.revoke_url):
            assert url.startswith("https://")


def test_what_is_asked_in_the_browser() -> None:
    for style in STYLES:
        assert "resource" not in asked_of(style) and ("code_challenge" in asked_of(style)) == (style != "notion")
    assert asked_of("github")["scope"] == ["a b"]
    google = asked_of("google")
    assert (google["access_type"], google["prompt"], google["scope"]) == (["offline"], ["consent"], ["a b"])
    slack = asked_of("slack")
    assert slack["user_scope"] == ["a,b"] and "scope" not in slack, "a person's token, never a bot's"
    assert asked_of("notion")["owner"] == ["user"]


def test_github(far: FakeAuthorizationServer, peer: Peer) -> None:
    said = {"access_token": "gho_1", "token_type": "bearer", "scope": "repo,gist"}
    tokens, asked = redeem("github", far, peer, said)
    assert (tokens.access, tokens.refresh, tokens.expires_in, tokens.scopes) == ("gho_1", "", None, ("repo", "gist"))
    assert asked.headers["accept"] == "application/json" and asked.form["client_secret"] == "s3cret"
    refused, _ = redeem("github", far, peer, {"error": "bad_refresh_token"})
    assert refused.error == "invalid_grant", "it says no with a 200"
    far.instead["/applications/slipway/token"] = lambda _: (204, {}, b"")
    server, client = here("github", far)
    assert peer.revoke(server, client, "gho_1", "access_token") is Revoked.DONE
    asked = far.asked[-1]
    assert (asked.method, asked.headers["authorization"]) == ("DELETE", BASIC)
    assert json.loads(asked.body) == {"access_token": "gho_1"}


def test_google(far: FakeAuthorizationServer, peer: Peer) -> None:
    said = {"access_token": "ya29", "token_type": "Bearer", "expires_in": 3599, "refresh_token": "1//r", "scope": "a"}
    tokens, asked = redeem("google", far, peer, said)
    assert (tokens.refresh, tokens.expires_in) == ("1//r", 3599) and asked.form["code_verifier"] == "v"
    assert STYLES["google"].is_grant_shared


def test_slack(far: FakeAuthorizationServer, peer: Peer) -> None:
    inner = {"access_token": "xoxp-1", "token_type": "user", "scope": "a,b", "refresh_token": "xoxe-1", "expires_in": 9}
    tokens, asked = redeem("slack", far, peer, {"ok": True, "authed_user": inner, "access_token": "xoxb-bot"})
    assert (tokens.access, tokens.refresh, tokens.scopes) == ("xoxp-1", "xoxe-1", ("a", "b"))
    assert asked.headers["authorization"] == BASIC and "client_secret" not in asked.form
    refused, _ = redeem("slack", far, peer, {"ok": False, "error": "invalid_refresh_token"})
    assert refused.error == "invalid_grant"
    refused, _ = redeem("slack", far, peer, {"ok": False, "error": "ratelimited"})
    assert refused.error == "ratelimited", "nothing that would end an account"
    bot = {"ok": True, "access_token": "xoxb-bot", "token_type": "bot", "authed_user": {"id": "U1"}}
    refused, _ = redeem("slack", far, peer, bot)
    assert isinstance(refused, TokenRefused), "the bot's token is not the person's"
    renewed, _ = redeem("slack", far, peer, {"ok": True, "access_token": "xoxe.xoxp-2", "token_type": "user"})
    assert renewed.access == "xoxe.xoxp-2"
    server, client = here("slack", far)
    far.instead["/api/auth.revoke"] = lambda _: as_json({"ok": True})
    assert peer.revoke(server, client, "xoxp-1", "access_token") is Revoked.DONE
    assert far.asked[-1].headers["authorization"] == "Bearer xoxp-1"
    far.instead["/api/auth.revoke"] = lambda _: as_json({"ok": False, "error": "invalid_auth"})
    assert peer.revoke(server, client, "xoxp-1", "access_token") is Revoked.REFUSED


def test_notion(far: FakeAuthorizationServer, peer: Peer) -> None:
    said = {"access_token": "ntn_1", "token_type": "bearer", "bot_id": "b", "workspace_name": "w", "refresh_token": "n"}
    tokens, asked = redeem("notion", far, peer, said)
    assert (tokens.access, tokens.refresh, tokens.expires_in) == ("ntn_1", "n", None)
    assert asked.headers["content-type"] == "application/json" and asked.headers["authorization"] == BASIC
    assert json.loads(asked.body).keys() == {"grant_type", "code", "redirect_uri"}, "it refuses what it doesn't know"
    server, client = here("notion", far)
    far.instead["/v1/oauth/revoke"] = lambda _: as_json({})
    assert peer.revoke(server, client, "ntn_1", "access_token") is Revoked.DONE
    assert json.loads(far.asked[-1].body) == {"token": "ntn_1"} and "notion-version" in far.asked[-1].headers
