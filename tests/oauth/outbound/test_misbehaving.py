"""This site's way to a token, against a server elsewhere that misbehaves."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import pytest

from common.outbound import AnswerTooLarge, HostUnreachable, UrlRefused
from oauth.outbound import flow, identity
from oauth.outbound.challenges import Challenge
from oauth.outbound.discovery import SignInImpossible
from oauth.outbound.flow import Peer, client_door, site_peer
from oauth.outbound.identity import Client
from oauth.outbound.requests import TokenRefused
from tests.oauth.elsewhere import FakeAuthorizationServer, as_json, redirect

PROTECTED = "/.well-known/oauth-protected-resource/mcp"


def test_found_by_its_challenge_or_without_one(far: FakeAuthorizationServer) -> None:
    found = site_peer().discover(far.resource)
    assert (found.resource, found.server.issuer, found.scopes) == (far.resource, far.url, ("mcp:read",))
    far.challenge = f'Bearer resource_metadata="{far.url}/described", scope="other"'
    far.instead["/described"] = lambda _: as_json({"resource": far.url, "authorization_servers": [far.url]})
    found = site_peer().discover(far.resource)
    assert (found.resource, found.scopes) == (far.url, ("other",))


def test_a_server_of_the_first_revisions_is_its_own_issuer(far: FakeAuthorizationServer) -> None:
    for place in ("/mcp", ""):
        far.instead[f"/.well-known/oauth-protected-resource{place}"] = lambda _: (404, {}, b"")
    assert site_peer().discover(far.resource).server.issuer == far.url


def test_metadata_is_not_followed_elsewhere(far: FakeAuthorizationServer) -> None:
    with FakeAuthorizationServer() as evil:
        for path in ("/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"):
            far.instead[path] = lambda _: redirect(f"{evil.url}/.well-known/oauth-authorization-server")
        with pytest.raises(SignInImpossible, match="doesn't describe how"):
            site_peer().discover(far.resource)
        assert evil.asked == []


def test_a_token_request_is_not_followed_elsewhere(far: FakeAuthorizationServer) -> None:
    with FakeAuthorizationServer() as evil:
        far.instead["/token"] = lambda _: (307, {"Location": f"{evil.url}/token"}, b"")
        with pytest.raises(TokenRefused):
            site_peer().redeem(site_peer().server(far.url), Client("me"), "code", verifier="v", resource=far.resource)
        assert evil.asked == []


@pytest.mark.parametrize("path", [PROTECTED, "/.well-known/oauth-authorization-server"])
def test_a_document_that_is_too_large_is_not_read(far: FakeAuthorizationServer, path: str) -> None:
    far.instead[path] = lambda _: as_json({"resource": far.resource, "x": "y" * 100_000})
    with pytest.raises(AnswerTooLarge):
        site_peer().discover(far.resource)


def test_a_server_that_does_not_answer_costs_seconds_only(
    far: FakeAuthorizationServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flow, "SECONDS", 0.2)
    done = threading.Event()
    far.instead["/.well-known/oauth-protected-resource/mcp"] = lambda _: (done.wait(20), as_json({}))[1]
    begun = time.monotonic()
    with pytest.raises(HostUnreachable, match="did not answer within"):
        site_peer().discover(far.resource, Challenge())
    assert time.monotonic() - begun < 10
    done.set()


@pytest.mark.parametrize(
    "issuer",
    [
        "http://169.254.169.254",
        "https://169.254.169.254",
        "http://10.1.2.3",
        "https://[::ffff:10.0.0.1]",
        "http://1.1.1.1:443",
    ],
)
def test_an_issuer_inside_is_not_asked(far: FakeAuthorizationServer, issuer: str) -> None:
    """Threat 16: nor a public one without encryption."""
    far.protected["authorization_servers"] = [issuer]
    with pytest.raises(UrlRefused):
        site_peer().discover(far.resource)


@pytest.mark.parametrize("name", ["token_endpoint", "registration_endpoint"])
def test_an_endpoint_inside_is_not_asked(far: FakeAuthorizationServer, name: str) -> None:
    """Threat 16."""
    far.metadata[name] = "http://169.254.169.254/latest/meta-data"
    found = site_peer().server(far.url)
    with pytest.raises(UrlRefused):
        if name == "token_endpoint":
            site_peer().redeem(found, Client("me"), "code", verifier="v", resource=far.resource)
        else:
            site_peer().register(found)


def test_without_networks_of_the_operator_there_is_no_plain_http(settings: Any) -> None:
    settings.SLIPWAY_EGRESS_PRIVATE = []
    with pytest.raises(UrlRefused, match="https://"):
        Peer(client_door()).server("http://127.0.0.1:80")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (as_json({"error": "invalid_client_metadata", "error_description": "no"}, 400), r"\(400: no\)"),
        (as_json({"client_id": ""}, 201), "without giving it an id"),
        (as_json({"client_id": "a", "token_endpoint_auth_method": "tls", "client_secret": "x"}, 201), "by tls"),
        (as_json([], 201), "did not register"),
        ((201, {}, b"{"), "did not register"),
    ],
)
def test_a_registration_that_came_to_nothing(far: FakeAuthorizationServer, answer: Any, words: str) -> None:
    far.instead["/register"] = lambda _: answer
    with pytest.raises(SignInImpossible, match=words):
        site_peer().register(site_peer().server(far.url))


def test_a_registration_says_what_kind_of_program_this_is(far: FakeAuthorizationServer, settings: Any) -> None:
    client = site_peer().register(site_peer().server(far.url))
    assert client.method == "client_secret_basic" and client.secret
    asked = json.loads(far.asked[-1].body)
    assert asked["application_type"] == "native"  # this test's site is at a loopback address
    settings.SLIPWAY_URL = "https://slipway.example"
    there = site_peer().server(far.url)
    said = identity.registration(there, identity.redirect_uri(there))
    assert said["application_type"] == "web"


def test_nothing_can_be_done_where_the_server_knows_no_way(far: FakeAuthorizationServer) -> None:
    far.metadata["registration_endpoint"] = None
    with pytest.raises(SignInImpossible, match="type in the client id"):
        flow.client_for(site_peer(), site_peer().server(far.url), None)
