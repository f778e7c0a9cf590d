"""What a form knows of JSON Schema, what it says of a value, and what goes into headers: the pure modules."""

from __future__ import annotations

from typing import Any

import pytest

from tests.playground.conftest import Run

pytestmark = pytest.mark.asyncio(loop_scope="module")

KINDS: list[tuple[dict[str, Any], str]] = [
    ({"type": "string"}, "text"),
    ({"type": "integer"}, "number"),
    ({"type": "boolean"}, "yes_no"),
    ({"type": "null"}, "nothing"),
    ({"const": 3}, "constant"),
    ({"enum": ["a", 1, None]}, "choice"),
    ({"enum": [{"a": 1}]}, "json"),
    ({"oneOf": [{"const": "a", "title": "A"}, {"const": "b"}]}, "choice"),
    ({"oneOf": [{"type": "string"}, {"type": "number"}]}, "union"),
    ({"anyOf": [{"type": "string"}, {"type": "null"}]}, "union"),
    ({"type": ["string", "null"]}, "union"),
    ({"type": "object", "properties": {"a": {}}}, "object"),
    ({"properties": {"a": {}}}, "object"),
    ({"type": "object"}, "json"),
    ({"type": "object", "properties": {"a": {}}, "additionalProperties": {"type": "string"}}, "json"),
    ({"type": "array", "items": {"type": "string"}}, "list"),
    ({"type": "array", "items": {"enum": ["a", "b"]}, "uniqueItems": True}, "several"),
    ({"type": "array", "prefixItems": [{"type": "string"}]}, "json"),
    ({"type": "array"}, "json"),
    ({}, "json"),
    ({"type": "fruit"}, "json"),
]


async def test_each_schema_gets_the_field_that_can_hold_it(run: Run) -> None:
    found = await run("schema", "a.map((schema) => m.kindOf(schema, schema))", [s for s, _ in KINDS])
    assert list(zip([schema for schema, _ in KINDS], found, strict=True)) == KINDS


async def test_references_and_all_of_are_put_together(run: Run) -> None:
    root = {
        "$defs": {"a/b": {"type": "string", "title": "A"}, "loop": {"$ref": "#/$defs/loop"}},
        "allOf": [{"properties": {"x": {}}, "required": ["x"]}, {"properties": {"y": {}}, "required": ["y"]}],
        "type": "object",
    }
    assert await run("references", "m.resolved({ $ref: '#/$defs/a~1b', title: 'B' }, a)", root) == {
        "type": "string",
        "title": "B",
    }
    whole = await run("references", "m.resolved(a, a)", root)
    assert (sorted(whole["properties"]), whole["required"], whole["type"]) == (["x", "y"], ["x", "y"], "object")
    for reference in ("#/$defs/loop", "#/nowhere", "https://elsewhere.example/schema.json", "#/__proto__/x"):
        assert "type" not in await run("references", f"m.resolved({{ $ref: '{reference}' }}, a)", root)


WRONG: list[tuple[Any, dict[str, Any], list[tuple[list[Any], str]]]] = [
    ("x", {"type": "string", "minLength": 2}, [([], "At least 2 characters; there are 1.")]),
    ("🙂🙂", {"type": "string", "maxLength": 2}, []),
    ("x", {"type": "string", "pattern": "^[a-c]+$"}, [([], "It has to match ^[a-c]+$")]),
    ("x", {"type": "string", "pattern": "(["}, []),
    ("x", {"type": "string", "format": "constructor"}, []),
    ("ada@", {"type": "string", "format": "email"}, [([], "Write an e-mail address, such as ada@example.org.")]),
    ("2026-02-01", {"type": "string", "format": "date"}, []),
    (1.5, {"type": "integer"}, [([], "It has to be a whole number.")]),
    (0, {"type": "number", "exclusiveMinimum": 0}, [([], "More than 0.")]),
    (0.3, {"type": "number", "multipleOf": 0.1}, []),
    (0.35, {"type": "number", "multipleOf": 0.1}, [([], "A multiple of 0.1.")]),
    ("d", {"enum": ["a"]}, [([], "Choose one of what is offered.")]),
    (2, {"const": 1}, [([], "It has to be 1.")]),
    ([1, 1], {"type": "array", "uniqueItems": True}, [([], "No two of them may be the same.")]),
    ([], {"type": "array", "minItems": 1}, [([], "At least 1 of them; there are 0.")]),
    (["a", 2], {"type": "array", "items": {"type": "string"}}, [([1], "It has to be text.")]),
    ({"b": {"c": 0}}, {"properties": {"b": {"properties": {"c": {"minimum": 1}}}}}, [(["b", "c"], "At least 1.")]),
    ({}, {"type": "object", "required": ["a"]}, [(["a"], "This is needed.")]),
    (True, {"anyOf": [{"type": "string"}, {"type": "null"}]}, [([], "It has to be text.")]),
    (None, {"anyOf": [{"type": "string"}, {"type": "null"}]}, []),
    ({"x": 1}, {"$ref": "#/nowhere"}, []),
    ({"a": 1}, {"properties": {"a": False}}, []),
]


async def test_what_a_value_breaks_is_said_where_it_is(run: Run) -> None:
    pairs = [[value, schema] for value, schema, _ in WRONG]
    found = await run("validate", "a.map(([value, schema]) => m.problems(value, schema, schema))", pairs)
    said = [[(problem["path"], problem["message"]) for problem in each] for each in found]
    assert said == [expected for _, _, expected in WRONG]


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("plain", "plain"),
        ("", ""),
        (" edge", "=?base64?IGVkZ2U=?="),
        ("Zürich", "=?base64?WsO8cmljaA==?="),
        ("a\r\nX-Evil: 1", "=?base64?YQ0KWC1FdmlsOiAx?="),
        ("=?base64?YQ==?=", "=?base64?PT9iYXNlNjQ/WVE9PT89?="),
    ],
)
async def test_header_values_are_written_as_the_specification_says(run: Run, value: str, written: str) -> None:
    assert await run("headers", "m.encoded(a)", value) == written


async def test_headers_mirror_method_name_and_marked_arguments(run: Run) -> None:
    schema = {
        "properties": {
            "region": {"type": "string", "x-mcp-header": "Region"},
            "deep": {"properties": {"count": {"type": "integer", "x-mcp-header": "Count"}}},
            "none": {"type": "string", "x-mcp-header": "None"},
            "bad": {"type": "string", "x-mcp-header": "no name"},
        }
    }
    params = {"name": "sql", "arguments": {"region": "ü", "deep": {"count": 3}, "none": None, "bad": "x"}}
    found = await run("headers", "m.mirrored('2026-07-28', 'tools/call', a[0], a[1])", [params, schema])
    assert found == {
        "MCP-Protocol-Version": "2026-07-28",
        "Mcp-Method": "tools/call",
        "Mcp-Name": "sql",
        "Mcp-Param-Region": "=?base64?w7w=?=",
        "Mcp-Param-Count": "3",
    }


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
async def test_event_streams_are_read_however_they_are_cut(run: Run, size: int) -> None:
    text = ": hello\r\nid: 1\r\nretry: 250\r\ndata: {}\r\n\r\ndata: a\ndata: ü\n\n\rid:2\rdata\r\rid: 3"
    script = """(async () => {
        const octets = new TextEncoder().encode(a.text);
        const body = new ReadableStream({ start(stream) {
            for (let i = 0; i < octets.length; i += a.size) stream.enqueue(octets.slice(i, i + a.size));
            stream.close();
        } });
        const found = [];
        for await (const event of m.events(body)) found.push(event);
        return found;
    })()"""
    found = await run("sse", f"await {script}", {"text": text, "size": size})
    assert [(event["id"], event["data"], event.get("retry")) for event in found] == [
        ("1", "{}", 250),
        ("", "a\nü", None),
        ("2", "", None),
    ]


async def test_invisible_characters_are_written_out(run: Run) -> None:
    text = "a\u200bb\u202ec\U000e0041\n🙂"
    assert await run("words", "m.visible(a)", text) == "a⟦U+200B⟧b⟦U+202E⟧c⟦U+E0041 “A”⟧\n🙂"


async def test_a_stream_that_breaks_off_goes_on_after_its_last_event(run: Run) -> None:
    script = """(async () => {
        const streams = [[["2", 2]], [["3", 3]], null];
        const asked = [];
        const stream = async function* (events) {
            for (const [id, message] of events) yield { id, message, retry: 1 };
        };
        const listen = async ({ last }) => {
            asked.push(last);
            const next = streams.shift();
            return next && stream(next);
        };
        const found = [];
        const first = stream([["", 0], ["1", 1]]);
        for await (const one of m.resumed({ listen }, first, {}, new AbortController().signal)) found.push(one);
        return { found, asked };
    })()"""
    assert await run("resuming", f"await {script}") == {"found": [1, 2, 3], "asked": ["1", "2", "3"]}


async def test_a_cancelled_call_does_not_wait_for_its_next_try(run: Run) -> None:
    script = """(async () => {
        const stop = new AbortController();
        const stream = async function* () { yield { id: "1", message: 1, retry: 600_000 }; };
        setTimeout(() => stop.abort(), 100);
        try {
            for await (const one of m.resumed({ listen: null }, stream(), {}, stop.signal)) void one;
        } catch (error) {
            return error.name;
        }
    })()"""
    assert await run("resuming", f"await {script}") == "AbortError"
