"""The short way of reading a call says what the long one says, or nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_endpoint.modern.messages import ModernCall
from mcp_endpoint.modern.plain import reader_for
from mcp_endpoint.wire import headers as h
from mcp_endpoint.wire.inbound import classify

META = "io.modelcontextprotocol/"
FIELDS = {
    h.CONTENT_TYPE: b"application/json",
    h.VERSION: b"2026-07-28",
    h.METHOD: b"tools/call",
    h.NAME: b"echo",
}
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
META_KEYS = ["protocolVersion", "clientCapabilities", "clientInfo", "logLevel"]


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    """Near a plain call: members left out, added, of another type, in another order, spelled in another way."""
    meta: dict[str, Any] = {META + "protocolVersion": "2026-07-28", META + "clientCapabilities": {}}
    meta |= draw(st.dictionaries(st.sampled_from([META + key for key in META_KEYS]), VALUES | st.just({}), max_size=1))
    meta |= draw(st.dictionaries(st.sampled_from(["progressToken", "traceparent", "x"]), VALUES, max_size=1))
    params = {
        "name": "echo",
        "arguments": draw(st.dictionaries(st.text(max_size=5), VALUES, max_size=3)),
        "_meta": meta,
    }
    params |= draw(st.dictionaries(st.sampled_from(["name", "arguments", "requestState", "x"]), VALUES, max_size=1))
    message = {"jsonrpc": "2.0", "id": draw(VALUES), "method": "tools/call", "params": params}
    message |= draw(st.dictionaries(st.sampled_from(["jsonrpc", "method", "x", "result"]), VALUES, max_size=1))
    for part in (message, params, meta):
        if draw(st.integers(0, 5)) == 0:
            part.pop(draw(st.sampled_from(sorted(part))))
    order = draw(st.permutations(list(message)))
    return json.dumps({key: message[key] for key in order}, ensure_ascii=draw(st.booleans())).encode(
        "utf-8", "surrogatepass"
    )


def seen(call: ModernCall) -> dict[str, Any]:
    found = {name: getattr(call, name) for name in call.__struct_fields__}
    return {**found, "params": json.loads(call.params)}


@given(bodies())
def test_both_ways_of_reading_agree(body: bytes) -> None:
    reader = reader_for(FIELDS)
    assert reader is not None
    found = reader.read(body)
    if found is not None:
        expected = classify(FIELDS, "", body)
        assert isinstance(expected, ModernCall)
        assert seen(found) == seen(expected)


def call(**meta: Any) -> bytes:
    members = {META + "protocolVersion": "2026-07-28", META + "clientCapabilities": {"a": 1}, **meta}
    params = {"name": "echo", "arguments": {"text": "ü"}, "_meta": members}
    return json.dumps(
        {"jsonrpc": "2.0", "id": 5, "method": "tools/call", "params": params}, ensure_ascii=False
    ).encode()


@pytest.mark.parametrize("more", [{}, {META + "clientInfo": {"name": "x"}}, {"progressToken": "t"}])
def test_what_most_clients_send_is_read_in_the_short_way(more: dict[str, Any]) -> None:
    reader = reader_for(FIELDS)
    assert reader is not None
    found = reader.read(call(**more))
    assert found is not None and found.capabilities == b'{"a": 1}' and found.id == b"5"


@pytest.mark.parametrize(
    "changes",
    [
        {h.VERSION: b"2025-11-25"},
        {h.VERSION: b" 2026-07-28"},
        {h.METHOD: b"tools/list"},
        {h.NAME: b'e"'},
        {h.NAME: b"a\\u0062"},
        {h.NAME: b"=?base64?ZWNobw==?="},
        {h.NAME: b""},
    ],
)
def test_other_heads_have_no_short_way(changes: dict[bytes, bytes]) -> None:
    assert reader_for({**FIELDS, **changes}) is None


@pytest.mark.parametrize(
    ("old", "new"), [(b"\xc3\xbc", b"\xff"), (b'"echo"', b'"other"'), (b"2026-07-28", b"2026-07-29")]
)
def test_what_does_not_fit_is_left_to_the_long_way(old: bytes, new: bytes) -> None:
    reader = reader_for(FIELDS)
    assert reader is not None
    assert reader.read(call().replace(old, new)) is None
