"""Apps at an address of their own: what answers there, to whom, how often, and what no longer answers at the site's."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from config.env import PublicUrl
from hosting.playground import apart
from tests.factories import make_deployment, make_user

PAGE = "/d/alice/time/playground"
HTML = "<!doctype html><p>Zürich</p>"
ORIGIN = "http://localhost:8000"


@pytest.fixture
def client(db: None) -> Client:
    """Of the server's owner."""
    cache.clear()
    alice = make_user("alice")
    make_deployment(alice)
    client = Client()
    client.force_login(alice)
    return client


@pytest.fixture
def kept(client: Client, settings: Any) -> str:
    """Where the page is told to load the app from."""
    settings.APPS_URL = PublicUrl(ORIGIN, "localhost", False, True)
    settings.CSRF_TRUSTED_ORIGINS = ["http://127.0.0.1:8000", "http://[::1]:8000"]
    address: str = client.post(f"{PAGE}/app", json.dumps({"html": HTML}), "application/json").json()["address"]
    return address


async def asked(path: str, *, method: str = "GET", **fields: str) -> tuple[int, dict[str, str], bytes]:
    sent: list[Any] = []

    async def receive() -> Any:
        raise AssertionError("it reads no body")

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(name.replace("_", "-").encode(), value.encode()) for name, value in fields.items()]
    await apart.application({"path": path, "method": method, "headers": headers}, receive, send)
    found = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], found, sent[1]["body"]


async def test_a_frame_of_the_site_s_gets_it_once(kept: str) -> None:
    assert kept.startswith(f"{ORIGIN}/app/")
    path = kept.removeprefix(ORIGIN)
    status, fields, body = await asked(path, sec_fetch_dest="iframe", cookie="slipway_session=x")
    rules = dict(part.partition(" ")[::2] for part in fields["content-security-policy"].split("; "))

    assert (status, body.decode(), fields["content-type"]) == (200, HTML, "text/html; charset=utf-8")
    assert rules["sandbox"] == "allow-scripts" and rules["default-src"] == "'none'" and len(rules) == 11
    assert rules["frame-ancestors"] == "http://127.0.0.1:8000"
    assert fields["cache-control"] == "no-store" and fields["x-content-type-options"] == "nosniff"
    assert "set-cookie" not in fields and "x-frame-options" not in fields
    assert (await asked(path, sec_fetch_dest="iframe"))[0] == 404


@pytest.mark.parametrize(
    ("method", "end", "place"),
    [("POST", "", "iframe"), ("HEAD", "", "iframe"), ("GET", "/", "iframe"), ("GET", "x", "iframe")]
    + [("GET", "", place) for place in ("document", "script", "empty", "embed")],
)
async def test_elsewhere_it_is_not_and_stays_for_the_frame(kept: str, method: str, end: str, place: str) -> None:
    path = kept.removeprefix(ORIGIN)
    assert (await asked(path + end, method=method, sec_fetch_dest=place))[0] == 404
    assert (await asked(path))[0] == 200


def test_the_page_lets_its_frame_load_that_alone(client: Client, kept: str) -> None:
    policy = client.get(PAGE)["Content-Security-Policy"]
    rules = dict(part.strip().partition(" ")[::2] for part in policy.split(";"))
    assert rules["frame-src"] == f"{ORIGIN}/app/"
    assert client.get(f"{PAGE}/app/{kept.rpartition('/')[2]}").status_code == 404  # never from the site's own address


def test_one_kept_at_the_site_is_not_at_the_other_address(client: Client, kept: str, settings: Any) -> None:
    settings.APPS_URL = None
    path = client.post(f"{PAGE}/app", json.dumps({"html": HTML}), "application/json").json()["address"]
    assert path.startswith(f"{PAGE}/app/") and cache.get(f"playground:app:apart:{path.rpartition('/')[2]}") is None
    assert client.get(path).status_code == 200
