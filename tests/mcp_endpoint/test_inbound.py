"""The classifier: a table of what is what, and that nothing at all makes it raise."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_endpoint.legacy.messages import Call, LegacyPost, Note, Reply
from mcp_endpoint.modern.messages import ModernCall, ModernNote
from mcp_endpoint.wire import headers as h
from mcp_endpoint.wire.inbound import Inbound, classify
from mcp_endpoint.wire.rejection import Rejection

META = "io.modelcontextprotocol/"
ENVELOPE = {META + "protocolVersion": "2026-07-28", META + "clientCapabilities": {}}
JSON = (b"content-type", b"application/json")


def read(body: Any, **headers: str) -> Inbound | Rejection:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    fields, twice = h.pick([JSON, *((k.replace("_", "-").encode(), v.encode()) for k, v in headers.items())])
    return classify(fields, twice, raw)


def message(method: Any = "tools/list", params: Any = None, **members: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "method": method, **({} if params is None else {"params": params}), **members}


def modern(method: str = "tools/list", id: Any = 1, **params: Any) -> Inbound | Rejection:  # noqa: A002
    body = message(method, {"_meta": ENVELOPE, **params}, id=id)
    name = params.get("name") or params.get("uri") or params.get("taskId")
    named = {"mcp_name": h.encode_value(name)} if isinstance(name, str) else {}
    return read(body, mcp_protocol_version="2026-07-28", mcp_method=method, **named)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (message(), Call(b"1", "tools/list")),
        (message(id="a"), Call(b'"a"', "tools/list")),
        (message(params={"cursor": "x"}), Call(b"1", "tools/list", b'{"cursor": "x"}')),
        (message(params={"_meta": {"progressToken": 5}}), Call(b"1", "tools/list", b"{}", b"5")),
        (
            message(params={"_meta": {"progressToken": "p", "a/b": 1}}),
            Call(b"1", "tools/list", b'{"_meta":{"a/b":1}}', b'"p"'),
        ),
        ({"jsonrpc": "2.0", "method": "notifications/x"}, Note("notifications/x")),
        ({"jsonrpc": "2.0", "id": "q1", "result": {}}, Reply("q1", b"{}")),
        ({"jsonrpc": "2.0", "id": "q1", "error": {"code": 1}}, Reply("q1", b"", b'{"code": 1}')),
        (b'{"jsonrpc":"2.0","id":"\\u0041","method":"m"}', Call(b'"A"', "m")),
    ],
)  # fmt: skip
def test_legacy_messages(body: Any, expected: Any) -> None:
    assert read(body, mcp_protocol_version="2025-06-18") == LegacyPost([expected], "2025-06-18")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, -32700),
        (b"{", 400, -32700),
        (b"\xff\xfe", 400, -32700),
        (b'{"jsonrpc":"2.0","id":1,"method":"m","params":{"a":"\xff"}}', 400, -32700),
        (b'{"a":' + b"[" * 50_000, 400, -32700),
        (b'"text"', 400, -32600),
        (b"[]", 400, -32600),
        (b"[1]", 400, -32600),
        (message(jsonrpc="1.0"), 400, -32600),
        (message(id=None), 400, -32600),
        (message(id=1.5), 400, -32600),
        (message(id=True), 400, -32600),
        (message(id=[1]), 400, -32600),
        (message(id="x" * 600), 400, -32600),
        (message(method=5), 400, -32600),
        (message(params=[1]), 400, -32602),
        (message(params="x"), 400, -32602),
        ({"jsonrpc": "2.0", "id": 1}, 400, -32600),
        ({"jsonrpc": "2.0", "id": 1, "result": {}, "error": {}}, 400, -32600),
        ({"jsonrpc": "2.0", "id": 1, "result": 5}, 400, -32600),
        ({"jsonrpc": "2.0", "result": {}}, 400, -32600),
        ([message("initialize")], 400, -32600),
        ([message(), message()], 400, -32600),
        ([message(id=number) for number in range(51)], 400, -32600),
    ],
)
def test_what_is_no_message_is_rejected(body: Any, status: int, code: int) -> None:
    rejection = read(body)
    assert isinstance(rejection, Rejection), rejection
    assert (rejection.status, rejection.code) == (status, code)


def test_batches_belong_to_one_revision() -> None:
    batch = [message(id=1), message(id=2)]
    assert isinstance(read(batch), LegacyPost)
    assert isinstance(read(batch, mcp_protocol_version="2025-03-26"), LegacyPost)
    assert isinstance(read(batch, mcp_protocol_version="2025-11-25"), Rejection)


def test_modern_request_is_taken_apart() -> None:
    meta = {
        **ENVELOPE,
        META + "clientInfo": {"name": "c"},
        META + "logLevel": "debug",
        META + "related-task": {"taskId": "t"},
        "progressToken": "p",
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01",
    }
    params = {"_meta": meta, "name": "é", "arguments": {}, "requestState": "s", "inputResponses": {"k": {}}}
    body = message("tools/call", params)
    call = read(body, mcp_protocol_version="2026-07-28", mcp_method="tools/call", mcp_name=h.encode_value("é"))
    assert isinstance(call, ModernCall), call
    assert (call.id, call.revision, call.log_level, call.progress_token) == (b"1", "2026-07-28", "debug", b'"p"')
    assert (call.state, call.responses, call.client) == ("s", b'{"k": {}}', b'{"name": "c"}')
    assert call.trace.startswith("00-0af7")
    left = json.loads(call.params)
    assert left == {
        "name": "é", "arguments": {}, "_meta": {META + "related-task": {"taskId": "t"}, "traceparent": call.trace}
    }  # fmt: skip


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (message(), {"mcp_protocol_version": "2026-07-28"}),
        (message(params={"_meta": {META + "protocolVersion": "2026-07-28"}}), {}),
        (message("server/discover"), {}),
        (message(), {"mcp_protocol_version": "2030-01-01", "mcp_method": "tools/list"}),
        (message("initialize"), {"mcp_protocol_version": "2026-07-28"}),
    ],
)
def test_how_a_client_opens_makes_it_modern(body: Any, headers: dict[str, str]) -> None:
    rejection = read(body, **headers)
    assert isinstance(rejection, Rejection)
    assert rejection.code in (-32602, -32020)


def test_an_old_client_with_an_unknown_version_is_told_so() -> None:
    rejection = read(message(), mcp_protocol_version="1999-01-01")
    assert isinstance(rejection, Rejection)
    assert rejection.code == -32600 and "2025-11-25" in rejection.message


def test_modern_notifications_and_responses() -> None:
    headers = {"mcp_protocol_version": "2026-07-28", "mcp_method": "notifications/x"}
    assert read({"jsonrpc": "2.0", "method": "notifications/x"}, **headers) == ModernNote("notifications/x")
    assert isinstance(read({"jsonrpc": "2.0", "id": 1, "result": {}}, **headers), Rejection)


@pytest.mark.parametrize(
    ("method", "params", "code"),
    [
        ("tools/call", {"name": 5}, -32020),
        ("tools/call", {}, -32602),
        ("resources/read", {"uri": "x:y", "requestState": 5}, -32602),
        ("tools/list", {"inputResponses": []}, -32602),
        ("nonsense", {}, -32601),
        ("ping", {}, -32601),
        ("tasks/list", {}, -32601),
    ],
)
def test_modern_requests_that_are_wrong(method: str, params: dict[str, Any], code: int) -> None:
    rejection = modern(method, **params)
    assert isinstance(rejection, Rejection)
    assert (rejection.code, rejection.id) == (code, b"1")


def test_methods_of_extensions_pass() -> None:
    assert isinstance(modern("com.example/thing"), ModernCall)
    assert isinstance(modern("tasks/get", taskId="t"), ModernCall)


def test_a_routing_header_that_came_twice_is_rejected() -> None:
    raw = [JSON, (b"mcp-method", b"a"), (b"mcp-method", b"a")]
    fields, twice = h.pick(raw)
    rejection = classify(fields, twice, b"{}")
    assert isinstance(rejection, Rejection)
    assert rejection.code == -32020


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
names = st.sampled_from(
    ["jsonrpc", "id", "method", "params", "result", "error", "_meta", *ENVELOPE, META + "logLevel", "progressToken",
     "requestState", "inputResponses", "name"]
)  # fmt: skip
likely = st.dictionaries(names, json_values | st.sampled_from(["2.0", "tools/call", "2026-07-28"]), max_size=6)
header_values = st.text(st.characters(max_codepoint=255), max_size=20) | st.sampled_from(
    ["2026-07-28", "2025-11-25", "tools/call", "=?base64?QQ==?="]
)


@given(
    likely | st.lists(likely, max_size=3) | likely.map(lambda params: message("tools/call", params)),
    st.dictionaries(st.sampled_from([h.VERSION, h.METHOD, h.NAME, h.TRACEPARENT]), header_values, max_size=4),
)  # fmt: skip
def test_any_json_is_classified(body: Any, headers: dict[bytes, str]) -> None:
    fields = {h.CONTENT_TYPE: b"application/json", **{key: value.encode("latin-1") for key, value in headers.items()}}
    raw = json.dumps(body).encode()
    assert isinstance(classify(fields, "", raw), LegacyPost | ModernCall | ModernNote | Rejection)


@given(st.binary(max_size=200))
def test_any_bytes_are_classified(body: bytes) -> None:
    fields = {h.CONTENT_TYPE: b"application/json"}
    assert isinstance(classify(fields, "", body), LegacyPost | ModernCall | ModernNote | Rejection)
