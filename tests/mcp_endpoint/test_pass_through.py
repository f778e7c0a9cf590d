"""What is the hosted server's own passes as it is: schemas, names of tools, unknown members, and its tools' errors."""

from __future__ import annotations

import base64
import itertools
import json
import socket
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.mcp_endpoint.conftest import PATH, Site, Web, modern, placement, request, session, tool

ERAS = ("legacy", "modern")
# Names outside of the rule of SEP-986, which says "should".
ODD_NAMES = ("read file", "files/read", "lesen_für_alle", "a" * 140)


def as_listed(schema: dict[str, Any], name: str = "given", **more: Any) -> dict[str, Any]:
    return {"name": name, "inputSchema": schema, **more}


@pytest.fixture(params=list(itertools.product(ERAS, ERAS)), ids="-client-".join)
async def eras(request: pytest.FixtureRequest) -> tuple[str, str]:
    """(client's, server's)"""
    return request.param  # type: ignore[no-any-return]


class Caller:
    """A client of either era. `listed` and `call` give raw bodies of plain JSON answers."""

    def __init__(self, web: Web, era: str) -> None:
        self._client = web.client()
        self._is_modern = era == "modern"

    async def _post(self, message: dict[str, Any]) -> httpx.Response:
        if not self._is_modern:
            if "mcp-session-id" not in self._client.headers:
                await session(self._client)
            return await self._client.post(PATH, json=message)
        body, headers = modern(message)
        if "mcp-name" in headers and not headers["mcp-name"].isascii():
            headers["mcp-name"] = f"=?base64?{base64.b64encode(headers['mcp-name'].encode()).decode()}?="
        return await self._client.post(PATH, json=body, headers=headers)

    async def listed(self) -> bytes:
        response = await self._post(request("tools/list", {}))
        assert response.status_code == 200, response.text
        return response.content

    async def call(self, name: str, **arguments: Any) -> dict[str, Any]:
        response = await self._post(tool(name, **arguments))
        assert response.status_code == 200, response.text
        result: dict[str, Any] = response.json()["result"]
        return result


def hosted(site: Site, era: str, *tools: dict[str, Any]) -> None:
    site.world.placement = placement(era, env={"SERVER_TOOLS": json.dumps(tools)})


@pytest.fixture
def elsewhere() -> Iterator[tuple[str, list[bytes]]]:
    """An address that a schema names, and what was ever sent to it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        received: list[bytes] = []

        def take() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    received.append(connection.recv(1000))

        thread = threading.Thread(target=take, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/schema.json", received
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def parcel(url: str) -> dict[str, Any]:
    """JSON Schema 2020-12 with what relays like to lose, in an order that is nobody's."""
    return {
        "type": "object",
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "x-future": {"z": 1, "a": [None, 1.50, 1e3, "\u00fc\u2028"]},
        "$defs": {"place": {"$anchor": "here", "type": "object", "$dynamicAnchor": "node"}},
        "properties": {
            "to": {"$ref": "#/$defs/place"},
            "back": {"$ref": "#here"},
            "far": {"$ref": url},
            "further": {"$dynamicRef": url + "#node"},
            "amount": {"type": "integer", "minimum": 0},
        },
        "required": ["amount"],
        "allOf": [{"anyOf": [{"required": ["to"]}, {"not": {"required": ["back"]}}]}],
        "if": {"properties": {"amount": {"const": 1}}},
        "then": {"required": ["to"]},
        "else": True,
        "unevaluatedProperties": False,
        "additionalProperties": False,
    }


async def test_schemas_pass_byte_for_byte(site: Site, web: Web, eras: tuple[str, str]) -> None:
    client, server = eras
    schema = parcel("https://example.org/schema.json")
    wanted = as_listed(schema, outputSchema=schema, _meta={"ui": {"resourceUri": "ui://x/y"}}, futureMember=[1, {}])
    hosted(site, server, wanted)
    # The server's own spelling: what json.dumps writes, escapes and all.
    assert json.dumps(wanted).encode() in await Caller(web, client).listed()


async def test_no_reference_is_followed(
    site: Site, web: Web, eras: tuple[str, str], elsewhere: tuple[str, list[bytes]]
) -> None:
    client, server = eras
    url, received = elsewhere
    hosted(site, server, as_listed(parcel(url), outputSchema={"$ref": url}))
    caller = Caller(web, client)
    assert url.encode() in await caller.listed()
    answer = await caller.call("given", amount=3, to={"a": 1}, far={})
    assert json.loads(answer["content"][0]["text"]) == ["given", {"amount": 3, "to": {"a": 1}, "far": {}}]
    assert received == []


async def test_tools_with_names_outside_of_the_rule_can_be_called(site: Site, web: Web, eras: tuple[str, str]) -> None:
    client, server = eras
    hosted(site, server, *(as_listed({"type": "object"}, name) for name in ODD_NAMES))
    caller = Caller(web, client)
    names = [each["name"] for each in json.loads(await caller.listed())["result"]["tools"]]
    assert names[-len(ODD_NAMES) :] == list(ODD_NAMES)
    for name in ODD_NAMES:
        assert json.loads((await caller.call(name, x=1))["content"][0]["text"]) == [name, {"x": 1}]


async def test_inputs_that_a_tool_refuses_are_its_errors_and_not_the_protocols(
    site: Site, web: Web, eras: tuple[str, str]
) -> None:
    """SEP-1303: so that a model can read what was wrong. The endpoint itself judges no arguments."""
    client, server = eras
    hosted(site, server, as_listed(parcel("https://example.org/")))
    caller = Caller(web, client)
    await caller.listed()
    refused = await caller.call("given", amount=-1)
    assert (refused["isError"], refused["content"][0]["text"]) == (True, "must not be negative")
    against_the_schema: dict[str, Any] = {"amount": "many", "unknown": True}
    taken = await caller.call("given", **against_the_schema)
    assert json.loads(taken["content"][0]["text"]) == ["given", against_the_schema]
