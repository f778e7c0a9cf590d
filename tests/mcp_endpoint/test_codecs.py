"""Header values, ids, splicing, seals, event ids: each there and back, and closed to everything else."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_endpoint.admission.origin import Gate, host_name
from mcp_endpoint.legacy import event_ids
from mcp_endpoint.sealed.request_state import Native, Parked, States, binding
from mcp_endpoint.sealed.sealing import BrokenSealError, Sealer
from mcp_endpoint.sealed.sessions import Session, Sessions, exchange_part
from mcp_endpoint.wire import headers as h
from mcp_endpoint.wire import jsonrpc as j
from mcp_endpoint.wire import sse
from mcp_endpoint.wire.progress import StatusSteps, progress

KEY = bytes(range(32))


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        ("us-west1", "us-west1"),
        ("Hello, 世界", "=?base64?SGVsbG8sIOS4lueVjA==?="),
        (" padded ", "=?base64?IHBhZGRlZCA=?="),
        ("line1\nline2", "=?base64?bGluZTEKbGluZTI=?="),
        ("=?base64?literal?=", "=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?="),
        ("", ""),
    ],
)
def test_header_values_of_the_specification(value: str, encoded: str) -> None:
    assert h.encode_value(value) == encoded
    assert h.decode_value(encoded) == value


@given(st.text())
def test_header_values_come_back(value: str) -> None:
    encoded = h.encode_value(value)
    assert encoded.isascii() and encoded == encoded.strip()
    assert h.decode_value(encoded) == value


@pytest.mark.parametrize("value", ["=?base64?Q?=", "=?base64?QQ=?=", "=?base64?QR==?=", "=?base64?/w==?=", "é", "\x01"])
def test_broken_header_values_equal_nothing(value: str) -> None:
    assert h.decode_value(value) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"application/json, text/event-stream", (True, True)),
        (b"*/*", (True, True)),
        (b"application/*;q=0.5, text/*", (True, True)),
        (b"application/json", (True, False)),
        (b"application/json, text/event-stream;q=0", (True, False)),
        (b"", (False, False)),
        (b"text/html", (False, False)),
    ],
)
def test_accept(value: bytes, expected: tuple[bool, bool]) -> None:
    assert h.accepts(value) == expected


@given(st.integers(-(10**15), 10**15) | st.text(max_size=50))
def test_ids_come_back_as_they_were(value: int | str) -> None:
    for raw in (json.dumps(value).encode(), json.dumps(value, ensure_ascii=False).encode()):
        try:
            raw.decode()
        except UnicodeDecodeError:
            continue
        found = j.identifier(raw)
        assert found is not None
        assert json.loads(found) == value


def test_one_id_has_one_spelling() -> None:
    assert j.identifier(b'"\\u0061\\/"') == j.identifier(b'"a/"')


@pytest.mark.parametrize("raw", [b"null", b"true", b"1.0", b"1e3", b"{}", b"[]", b"01", b"-", b"", b"9" * 40])
def test_what_is_no_id(raw: bytes) -> None:
    assert j.identifier(raw) is None


@given(st.dictionaries(st.text(max_size=5), st.integers(), max_size=4))
def test_splicing_keeps_what_was_there(members: dict[str, int]) -> None:
    raw = json.dumps(members).encode()
    assert json.loads(j.result(b"1", raw)) == {"jsonrpc": "2.0", "id": 1, "result": members}
    first = json.loads(j.with_first(raw, b'"\\u0000first":1'))
    assert first == {"\0first": 1, **members}
    assert json.loads(progress(b'"t"', raw))["params"] == {"progressToken": "t", **members}


def test_progress_without_params() -> None:
    assert json.loads(progress(b"1", b""))["params"] == {"progressToken": 1}


def test_start_up_progress_grows_and_stays_below_the_tools() -> None:
    steps = StatusSteps()
    values = [json.loads(steps.message(b"1", b'{"reason":"x"}'))["params"]["progress"] for _ in range(50)]
    assert values == sorted(set(values)) and values[-1] < 0


@given(st.binary(), st.binary(max_size=20))
def test_seals_open_for_what_they_are_bound_to(plain: bytes, bound_to: bytes) -> None:
    sealer = Sealer(KEY, "a")
    token = sealer.seal(plain, bound_to)
    assert all(0x21 <= ord(character) <= 0x7E for character in token)
    assert sealer.open(token, bound_to) == plain
    for other, bound in ((sealer, bound_to + b"x"), (Sealer(KEY, "b"), bound_to), (Sealer(KEY[::-1], "a"), bound_to)):
        with pytest.raises(BrokenSealError):
            other.open(token, bound)


@given(st.data())
def test_altered_seals_do_not_open(data: st.DataObject) -> None:
    token = Sealer(KEY, "a").seal(b"content", b"")
    place = data.draw(st.integers(0, len(token) - 2))  # the last character has bits that carry nothing
    letter = data.draw(st.sampled_from("ABCxyz019-_"))
    altered = token[:place] + letter + token[place + 1 :]
    if altered != token:
        with pytest.raises(BrokenSealError):
            Sealer(KEY, "a").open(altered, b"")


@given(st.text(max_size=100))
def test_any_text_is_refused_as_a_seal(token: str) -> None:
    with pytest.raises(BrokenSealError):
        Sealer(KEY, "a").open(token, b"")


def test_session_ids() -> None:
    sessions = Sessions(KEY)
    session = Session("s", "unix:/r", "b", "d", "2025-11-25")
    token = sessions.seal(session, "alice")
    assert sessions.open(token, "alice") == session
    assert sessions.seal(session, "alice") != token
    with pytest.raises(BrokenSealError):
        sessions.open(token, "bob")
    assert exchange_part("s", b"1") == exchange_part("s", b"1") != exchange_part("s", b'"1"')


def test_request_states() -> None:
    states = States(KEY)
    bound = binding("alice", "tools/call", b'{"name":"x","arguments":{"a":1,"b":2},"_meta":{"traceparent":"1"}}')
    assert bound == binding("alice", "tools/call", b'{"arguments": {"b":2, "a":1}, "name":"x"}')
    assert bound != binding("alice", "tools/call", b'{"name":"x","arguments":{"a":1}}')
    assert bound != binding("alice", "prompts/get", b'{"name":"x","arguments":{"a":1,"b":2}}')
    for state in (Native(100.0, "server's"), Parked(100.0, "r.b.x", "unix:/r", 3, 7)):
        token = states.seal(state, bound)
        assert states.open(token, bound, 99.0) == state
        for opened_with, now in ((bound, 101.0), (b"other", 99.0)):
            with pytest.raises(BrokenSealError):
                states.open(token, opened_with, now)


@given(
    st.integers(-100, 10**12) | st.text(max_size=50),
    st.none() | st.integers(0, 99) | st.text(max_size=9),
    st.integers(0, 10**9),
)
def test_event_ids_say_where_to_go_on(request_id: int | str, token: int | str | None, seq: int) -> None:
    raw = j.encode(request_id)
    raw_token = j.encode(token) if token is not None else b""
    value = f"{event_ids.stream_name(raw, raw_token)}:{seq}"
    assert value.isascii() and not set(value) & set("\r\n\0 ")
    assert event_ids.parse(value) == event_ids.Position(raw, raw_token, seq)


@given(st.text(max_size=60))
def test_any_text_as_event_id(value: str) -> None:
    position = event_ids.parse(value)
    assert position is None or position.seq >= 0


@pytest.mark.parametrize("value", ["c:1", "c:0"])
def test_event_ids_of_the_channel(value: str) -> None:
    assert event_ids.parse(value) == event_ids.Position(b"", b"", int(value[2:]))


@pytest.mark.parametrize("value", ["", "c", "c:", "c:-1", "x.y:1", "rMQ:1", "r.:1", "rbnVsbA.:1", "c:9999999999999999"])
def test_what_is_no_event_id(value: str) -> None:
    assert event_ids.parse(value) is None


def test_server_sent_events_are_one_line_of_data() -> None:
    frame = sse.event(b'{"a":\r\n1}', "x:1")
    assert frame == b'event: message\nid: x:1\ndata: {"a":  1}\n\n'
    assert sse.priming("x:0", 500) == b"retry: 500\nid: x:0\ndata: \n\n"


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("example.org", "example.org"), ("Example.org:80", "example.org"), ("[::1]:8000", "::1"), ("a@b", ""),
        ("a:x", ""), ("", ""), ("a/b", ""), ("[::1", ""),
    ],
)  # fmt: skip
def test_host_names(value: str, name: str) -> None:
    assert host_name(value) == name


def test_gates() -> None:
    public = Gate("https://slipway.example", [".tenants.example"], ["https://inspector.example/"])
    assert public.takes_host(b"slipway.example:443") and public.takes_host(b"a.tenants.example")
    assert not public.takes_host(b"localhost") and not public.takes_host(None)
    assert public.takes_origin(None) and public.takes_origin(b"https://inspector.example")
    assert not public.takes_origin(b"http://slipway.example") and not public.takes_origin(b"http://localhost:6274")
    own = Gate("http://127.0.0.1:8000")
    assert own.takes_host(b"localhost:8000") and own.takes_origin(b"http://localhost:6274")
    assert not own.takes_origin(b"http://evil.example.com") and not own.takes_origin(b"null")
