"""The HTML of an app on its way into a frame: who hands it over, who gets it back, and under which policy."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from hosting.models import Deployment
from hosting.playground.apps import LIMIT, MAX_BYTES, Declared, policy
from tests.factories import make_deployment, make_user

PATH = "/d/alice/time/playground/app"
HTML = "<!doctype html><script>document.title = 'app'</script>"


@pytest.fixture
def client(db: None) -> Client:
    cache.clear()
    alice = make_user("alice")
    make_deployment(alice)
    return signed_in(alice)


def signed_in(user: Any, *, checks: bool = False) -> Client:
    client = Client(enforce_csrf_checks=checks)
    client.force_login(user)
    return client


def keep(client: Client, **sent: Any) -> Any:
    return client.post(PATH, json.dumps(sent), content_type="application/json")


def test_an_app_is_nobodys_and_is_had_once(client: Client) -> None:
    path = keep(client, html=HTML).json()["address"]
    answer = client.get(path)

    assert answer.content.decode() == HTML and answer["Content-Type"].startswith("text/html")
    rules = dict(part.partition(" ")[::2] for part in answer["Content-Security-Policy"].split("; "))
    assert rules["sandbox"] == "allow-scripts" and rules["default-src"] == "'none'"
    assert rules["connect-src"] == "'none'" and rules["frame-ancestors"] == "'self'"
    assert answer["X-Frame-Options"] == "SAMEORIGIN" and answer["Referrer-Policy"] == "no-referrer"
    assert "no-store" in answer["Cache-Control"] and "camera=()" in answer["Permissions-Policy"]
    assert client.get(path).status_code == 404


def test_nobody_else_gets_it(client: Client) -> None:
    path = keep(client, html=HTML).json()["address"]
    bob = make_user("bob")
    Deployment.objects.update(access="public")
    assert Client().get(path).status_code == 302
    assert signed_in(bob).get(path).status_code == 404
    assert client.get(f"{PATH}/{'x' * 32}").status_code == 404
    assert client.get(path).status_code == 200


def test_a_stranger_hands_nothing_over(client: Client) -> None:
    bob = signed_in(make_user("bob"))
    assert keep(bob, html=HTML).status_code == 404
    assert keep(Client(), html=HTML).status_code == 302
    assert bob.get(PATH).status_code == 405
    alice = Deployment.objects.get().owner.user
    assert keep(signed_in(alice, checks=True), html=HTML).status_code == 403


@pytest.mark.parametrize("body", [b"", b"[]", b'{"html": 1}', b'{"csp": {}}', b"\xff", b"[" * 100_000])
def test_what_is_no_app_is_refused(client: Client, body: bytes) -> None:
    answer = client.post(PATH, body, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (400, "app_unreadable")


def test_what_is_too_large_is_refused(client: Client) -> None:
    assert keep(client, html="x" * (3 * 1024 * 1024)).status_code == 200
    answer = keep(client, html="x" * MAX_BYTES)
    assert (answer.status_code, answer.json()["code"]) == (400, "app_too_large")


def test_so_many_are_refused(client: Client) -> None:
    found = {keep(client, html="").status_code for _ in range(LIMIT + 1)}
    assert found == {200, 429}


CDN = "https://cdn.example.org"


@pytest.mark.parametrize(
    ("declared", "allowed", "found"),
    [
        ([CDN], [], ""),
        ([CDN], ["cdn.example.org"], CDN),
        ([CDN + "/"], ["*.example.org"], CDN),
        (["https://CDN.example.org:8443"], ["cdn.example.org"], ""),
        (["https://cdn.example.org:8443"], ["cdn.example.org:8443"], "https://cdn.example.org:8443"),
        (["https://*.example.org"], ["*.example.org"], "https://*.example.org"),
        (["https://*.example.org"], ["cdn.example.org"], ""),
        (["https://example.org"], ["*.example.org"], ""),
        (["https://evilexample.org"], ["*.example.org"], ""),
        (["http://cdn.example.org", "*", "https:", "'self'", "https://*"], ["cdn.example.org", "*.org"], ""),
        (["https://cdn.example.org; sandbox allow-same-origin"], ["*.example.org"], ""),
        (["https://cdn.example.org 'unsafe-eval'"], ["*.example.org"], ""),
        (["https://cdn.example.org\n"], ["*.example.org"], ""),
        ("https://cdn.example.org", ["cdn.example.org"], ""),
        ([None, 1, {}, [CDN]], ["cdn.example.org"], ""),
    ],
)
def test_hosts_are_reached_where_both_sides_want_it(declared: Any, allowed: list[str], found: str) -> None:
    made = policy(Declared(connect_domains=declared, resource_domains=declared), allowed, ["'self'"])
    rules = dict(part.partition(" ")[::2] for part in made.split("; "))
    assert rules["connect-src"] == (found or "'none'")
    assert rules["script-src"] == f"'unsafe-inline' {found}".strip()
    assert rules["sandbox"] == "allow-scripts" and len(rules) == 11
