"""Server cards (SEP-2127) and the catalog that lists them."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from common import clock
from registry.cards import SCHEMA, card, identifier
from registry.models import Server, ServerVersion
from tests.factories import make_user
from tests.registry.entries import npm, publish, remote

pytestmark = pytest.mark.django_db
NAME = "org.example/weather"
PAGE = f"/registry/servers/{NAME}/-/server-card"
CATALOG = "/.well-known/ai-catalog.json"


def test_card_says_who_a_server_is_and_where_it_runs(client: Client) -> None:
    secret = {"name": "Authorization", "isSecret": True, "isRequired": True}
    publish(
        NAME,
        title="Weather",
        packages=[npm("weather")],
        remotes=[remote("https://weather.example.org/mcp", headers=[secret])],
        repository={"url": "https://github.com/a/b", "source": "github"},
    )
    answer = client.get(PAGE, HTTP_ORIGIN="https://elsewhere.example")
    found = answer.json()
    assert answer["Content-Type"] == "application/mcp-server-card+json"
    assert answer["Access-Control-Allow-Origin"] == "*" and "max-age=3600" in answer["Cache-Control"]
    assert "Set-Cookie" not in answer.headers
    assert found["$schema"] == SCHEMA and found["name"] == NAME and found["title"] == "Weather"
    assert found["remotes"] == [
        {"type": "streamable-http", "url": "https://weather.example.org/mcp", "headers": [secret]}
    ]
    assert "packages" not in found and "tools" not in found
    again = client.get(PAGE, HTTP_IF_NONE_MATCH=answer["ETag"])
    assert again.status_code == 304 and again.content == b"" and again["ETag"] == answer["ETag"]


def test_no_card_of_what_is_unknown_deleted_or_taken_down(client: Client) -> None:
    assert client.get(PAGE).status_code == 404
    publish(NAME)
    assert client.get(PAGE).status_code == 200 and client.post(PAGE).status_code == 405
    Server.objects.update(taken_down_at=clock.now())
    assert client.get(PAGE).status_code == 404
    Server.objects.update(taken_down_at=None)
    ServerVersion.objects.update(status="deleted", is_latest=False)
    assert client.get(PAGE).status_code == 404


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"name": "x", "version": "1", "description": "y"},
        {"name": NAME, "version": "1", "description": ""},
        {"name": NAME, "description": "y"},
        {"name": 7, "version": 7, "description": 7},
    ],
)
def test_what_a_card_can_not_say_has_none(document: dict[str, Any]) -> None:
    assert card(document) is None


def test_card_leaves_out_what_its_schema_refuses() -> None:
    made = card({"name": NAME, "version": "1", "description": "x" * 300, "title": "", "repository": {"url": "https://x"},
                 "remotes": [{"type": "stdio", "url": "x"}, {"type": "sse", "url": "javascript:x"}, 7]})  # fmt: skip
    assert made is not None and len(made["description"]) == 100
    assert "repository" not in made and "title" not in made and made["remotes"] == []


def test_catalog_lists_what_was_published_here_and_runs_somewhere(client: Client) -> None:
    publish(NAME, is_local=True, remotes=[remote("https://weather.example.org/mcp")])
    publish("org.example/imported", remotes=[remote("https://imported.example.org/mcp")])
    publish("org.example/package", is_local=True, packages=[npm("x")])
    publish(
        "org.example/old", is_local=True, remotes=[remote("https://o.example.org/mcp")], row={"status": "deprecated"}
    )
    client.force_login(make_user())
    answer = client.get(CATALOG)
    assert answer["Content-Type"] == "application/ai-catalog+json" and answer["Access-Control-Allow-Origin"] == "*"
    assert answer.json()["specVersion"] == "1.0"
    [entry] = answer.json()["entries"]
    assert entry["identifier"] == identifier(NAME) == "urn:air:example.org:mcp:weather"
    assert entry["type"] == "application/mcp-server-card+json" and entry["url"].endswith(PAGE)
