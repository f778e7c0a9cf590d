"""Mcp-Param-*: what a schema mirrors, what agrees with it, and where what is known of a tool comes from."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mcp_endpoint.directory import Directory
from mcp_endpoint.modern.param_headers import mismatch, params_of
from mcp_endpoint.tools.tool_headers import ToolHeaders
from mcp_endpoint.wire import headers as h
from tests.mcp_endpoint.conftest import PATH, Site, Web, World, modern, placement, request, tool


def schema(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


def mirrored(name: Any = "Region", kind: Any = "string") -> dict[str, Any]:
    return {"type": kind, "x-mcp-header": name}


def headers_of(of: Any) -> list[tuple[bytes, tuple[str, ...]]]:
    return [(param.header, param.path) for param in params_of(of)]


def test_annotations_are_found_where_properties_lead() -> None:
    nested = schema(where=schema(region=mirrored("Region")), count=mirrored("Count", "integer"), plain={})
    assert sorted(headers_of(nested)) == [
        (b"mcp-param-count", ("count",)),
        (b"mcp-param-region", ("where", "region")),
    ]
    # A property may have the keyword's name, and data may look like a schema.
    assert params_of(schema(**{"x-mcp-header": {"type": "string"}})) == ()
    assert len(params_of({**schema(a=mirrored()), "default": {"b": {"x-mcp-header": "B"}}})) == 1


@pytest.mark.parametrize(
    "bad",
    [
        schema(a=mirrored("")),
        schema(a=mirrored("Two Words")),
        schema(a=mirrored("A\r\nB")),
        schema(a=mirrored(5)),
        schema(a=mirrored("A", "number")),
        schema(a=mirrored("A", "object")),
        schema(a=mirrored("A", None)),
        schema(a=mirrored("A"), b=mirrored("a")),
        {**schema(), "x-mcp-header": "Root", "type": "string"},
        schema(good=mirrored("G"), a={"type": "array", "items": mirrored("A")}),
        schema(good=mirrored("G"), a={"anyOf": [mirrored("A"), {"type": "null"}]}),
        {**schema(good=mirrored("G")), "$defs": {"a": mirrored("A")}},
        {**schema(good=mirrored("G")), "if": schema(a=mirrored("A"))},
    ],
)
def test_a_tool_with_a_bad_annotation_mirrors_nothing(bad: dict[str, Any]) -> None:
    assert params_of(bad) == ()


@pytest.mark.parametrize("odd", [None, [], 1, "x", {"properties": 1}, {"properties": []}, {"properties": {"a": 1}}])
def test_what_is_no_schema_mirrors_nothing(odd: Any) -> None:
    assert params_of(odd) == ()


@pytest.mark.parametrize(
    ("value", "header"),
    [
        ("us-west1", "us-west1"),
        ("us-west1", "  us-west1\t"),
        ("", ""),
        ("Hello", "=?base64?SGVsbG8=?="),
        ("Hello, 世界", "=?base64?SGVsbG8sIOS4lueVjA==?="),
        (" padded ", "=?base64?IHBhZGRlZCA=?="),
        ("=?base64?literal?=", "=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?="),
        ("=?base64?SGVsbG8=", "=?base64?SGVsbG8="),
        ("SGVsbG8=?=", "SGVsbG8=?="),
        (42, "42"),
        (42, "42.0"),
        (42.0, "42"),
        (-7, "-7"),
        (9007199254740993, "9007199254740993"),
        (True, "true"),
        (False, "false"),
        (None, None),
        ([], None),
        (1.5, None),
    ],
)
def test_what_agrees(value: Any, header: str | None) -> None:
    fields = {} if header is None else {b"mcp-param-region": header.encode()}
    assert mismatch(params_of(schema(r=mirrored())), fields, {"r": value}) == ""


@pytest.mark.parametrize(
    ("value", "header"),
    [
        ("us-west1", "US-WEST1"),
        ("us-west1", None),
        ("", None),
        (0, None),
        (False, None),
        (None, "x"),
        ([], "[]"),
        (1.5, "1.5"),
        ("Hello", "=?base64?SGVsbG8?="),  # no padding
        ("Hello", "=?base64?SGVs!!!bG8=?="),
        ("Hello", "=?BASE64?SGVsbG8=?="),
        ("\ufffd", "=?base64?/w==?="),  # no UTF-8
        ("ü", "ü"),
        ("a\x01", "a\x01"),
        (42, "042x"),
        (42, "43"),
        (42, "4_2"),
        (42, "1e400000000"),
        (9007199254740993, "9007199254740992"),
        (True, "True"),
        (True, "1"),
        (1, "true"),
        ("true", "=?base64??="),
    ],
)
def test_what_does_not_agree(value: Any, header: str | None) -> None:
    fields = {} if header is None else {b"mcp-param-region": header.encode("latin-1")}
    assert mismatch(params_of(schema(r=mirrored())), fields, {"r": value}) != ""


@pytest.mark.parametrize("arguments", [None, [], {}, {"where": 1}, {"where": {"region": None}}])
def test_absent_arguments_have_no_header(arguments: Any) -> None:
    params = params_of(schema(where=schema(region=mirrored())))
    assert mismatch(params, {}, arguments) == ""
    assert mismatch(params, {b"mcp-param-region": b"x"}, arguments) != ""


def test_headers_are_picked_out_and_a_second_copy_matches_nothing() -> None:
    fields, twice = h.pick([(b"mcp-param-region", b"x"), (b"mcp-param-b", b"1"), (b"mcp-param-b", b"1"), (b"x", b"y")])
    assert fields[b"mcp-param-region"] == b"x" and twice == ""
    assert h.decode_value(h.text(fields[b"mcp-param-b"])) is None


ECHO = {"name": "echo", "inputSchema": schema(text=mirrored("Text"))}


async def test_calls_are_compared_with_what_the_site_stored(site: Site, web: Web) -> None:
    site.world.placement = placement("modern")
    site.world.tools = [ECHO, {"name": "meta", "inputSchema": {"type": "object"}}]
    client = web.client()

    async def status(message: dict[str, Any], **more: str) -> tuple[int, Any]:
        body, headers = modern(message)
        answer = await client.post(PATH, json=body, headers={**headers, **more})
        return answer.status_code, answer.json().get("error", {}).get("code")

    assert await status(tool("echo", text="a"), **{"Mcp-Param-Text": "a"}) == (200, None)
    assert await status(tool("echo", text="a"), **{"mcp-param-text": "=?base64?YQ==?="}) == (200, None)
    assert await status(tool("echo", text="a")) == (400, -32020)
    assert await status(tool("echo", text="a"), **{"Mcp-Param-Text": "b"}) == (400, -32020)
    assert await status(tool("echo"), **{"Mcp-Param-Text": "b"}) == (400, -32020)
    assert await status(tool("echo")) == (200, None)
    assert await status(tool("echo"), **{"Mcp-Param-Unknown": "b"}) == (200, None)
    assert await status(tool("meta"), **{"Mcp-Param-Text": "b"}) == (200, None)
    # The server's own list is newer, and mirrors nothing.
    assert (await status(request("tools/list", {})))[0] == 200
    assert await status(tool("echo", text="a")) == (200, None)


def result(*tools: dict[str, Any]) -> bytes:
    return json.dumps({"tools": tools}).encode()


async def problem(known: ToolHeaders, name: str = "echo", **arguments: Any) -> str:
    return await known.problem("v1", {}, json.dumps({"name": name, "arguments": arguments}).encode())


async def test_lists_that_pass_are_learnt(caplog: pytest.LogCaptureFixture) -> None:
    world = World(None, placement(), [], tools=[])
    known = ToolHeaders(Directory(world))
    assert await problem(known, text="a") == ""
    assert known.has_none("v1")
    known.learn("v1", result({"name": "meta", "inputSchema": {}}))
    assert known.has_none("v1")  # and nothing was parsed
    known.learn("v1", result(ECHO))
    assert not known.has_none("v1")
    assert "missing" in await problem(known, text="a")
    assert await problem(known, "meta", text="a") == ""
    known.learn("v1", b'{"tools": [{"name": 5}]}')
    known.learn("v1", b"\xff x-mcp-header")
    assert "missing" in await problem(known, text="a")
    known.learn("v1", result({**ECHO, "inputSchema": {}}))
    assert await problem(known, text="a") == ""
    assert known.has_none("v1")


async def test_database_that_is_down_stops_no_call() -> None:
    world = World(None, placement(), [], tools=[ECHO], is_down=True)
    known = ToolHeaders(Directory(world))
    assert await problem(known, text="a") == ""
    assert not known.has_none("v1")
    known.learn("v1", result(ECHO))
    assert "missing" in await problem(known, text="a")
