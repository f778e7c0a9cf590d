"""What comes from inside is a stranger's: greetings, name queries, requests to a proxy, and how they are read."""

from __future__ import annotations

import contextlib
import ssl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hosting.runner.egress import greeting, heads, queries
from hosting.runner.egress.heads import HeadInvalid, Wanted
from hosting.runner.egress.ledger import Ledger
from hosting.runner.egress.tally import MAX_HOSTS, NOTES_A_REPORT, OTHERS, Tally
from hosting.runner.seen import EgressCount


def hello(name: str | None) -> bytes:
    """What Python's own TLS client says first."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    out = ssl.MemoryBIO()
    client = context.wrap_bio(ssl.MemoryBIO(), out, server_hostname=name)
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return out.read()


# --- greetings


@pytest.mark.parametrize("name", ["api.example.org", "a.b", None])
def test_name_of_a_greeting_is_read(name: str | None) -> None:
    assert greeting.server_name(hello(name)) == (name or "")


def test_greeting_in_pieces_is_waited_for() -> None:
    whole = hello("api.example.org")
    for size in range(len(whole)):
        assert greeting.server_name(whole[:size]) is None
    assert greeting.server_name(whole + b"more") == "api.example.org"


def test_greeting_over_several_records_is_put_together() -> None:
    """RFC 8446 5.1: a handshake message may be split; middleboxes that read only the first record miss the name."""
    message = hello("api.example.org")[5:]
    for size in (1, 3, 50):
        parts = [message[place : place + size] for place in range(0, len(message), size)]
        records = b"".join(b"\x16\x03\x01" + len(part).to_bytes(2, "big") + part for part in parts)
        assert greeting.server_name(records) == "api.example.org"


@given(st.binary(max_size=300))
def test_any_octets_are_a_greeting_or_not(data: bytes) -> None:
    with contextlib.suppress(greeting.NotTLS):
        assert greeting.server_name(data) in (None, "") or data.startswith(b"\x16\x03")


@given(st.integers(0, 400), st.integers(0, 255))
def test_damaged_greeting_does_no_harm(place: int, octet: int) -> None:
    data = bytearray(hello("api.example.org"))
    data[place % len(data)] = octet
    with contextlib.suppress(greeting.NotTLS):
        greeting.server_name(bytes(data))


def test_endless_greeting_ends() -> None:
    record = b"\x16\x03\x01\x40\x00" + b"\x01\xff\xff\xff" + bytes(0x4000 - 4)
    with pytest.raises(greeting.NotTLS):
        greeting.server_name(record + (b"\x16\x03\x01\x40\x00" + bytes(0x4000)) * 3)


# --- name queries


@given(st.binary(max_size=100))
def test_any_octets_are_a_query_or_not(data: bytes) -> None:
    with contextlib.suppress(queries.QueryInvalid):
        queries.parse(data)


def test_answer_is_the_querys_own() -> None:
    asked = bytes.fromhex("12340100000100000000000003617069076578616d706c65036f72670000010001")
    query = queries.parse(asked)
    assert (query.name, query.wants_addresses) == ("api.example.org", True)
    answer = queries.answer(query, ["1.2.3.4", "5.6.7.8"])
    assert answer[:8] == bytes.fromhex("1234818000010002") and answer.endswith(bytes([5, 6, 7, 8]))
    assert asked[12:] in answer


# --- requests


@pytest.mark.parametrize(
    ("request_text", "wanted"),
    [
        ("CONNECT API.example.org:443 HTTP/1.1\r\nHost: x", Wanted("api.example.org", 443)),
        ("CONNECT [2606:4700::1]:443 HTTP/1.1", Wanted("2606:4700::1", 443)),
        (
            "GET http://index.example.org:8080/simple/?a=b HTTP/1.1\r\nHost: index.example.org\r\n"
            "Proxy-Authorization: Basic x\r\nConnection: keep-alive",
            Wanted("index.example.org", 8080,
                   b"GET /simple/?a=b HTTP/1.1\r\nHost: index.example.org\r\nConnection: close\r\n\r\n"),
        ),
        ("GET http://h.example HTTP/1.1", Wanted("h.example", 80, b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n")),
    ],
)  # fmt: skip
def test_request_is_read(request_text: str, wanted: Wanted) -> None:
    data = request_text.encode() + b"\r\n\r\nrest"
    found = heads.parse(data)
    assert found is not None
    assert found[1] == b"rest"
    assert (found[0].host, found[0].port) == (wanted.host, wanted.port)
    assert [line for line in found[0].forward.split(b"\r\n") if line] == [
        line for line in wanted.forward.split(b"\r\n") if line
    ]
    assert heads.parse(data[:20]) is None


@pytest.mark.parametrize(
    "line",
    [
        "GET / HTTP/1.1", "GET https://example.org/ HTTP/1.1", "GET ftp://example.org/ HTTP/1.1", "CONNECT x HTTP/1.1",
        "CONNECT x:0 HTTP/1.1", "CONNECT x:65536 HTTP/1.1", "CONNECT x:-1 HTTP/1.1", "CONNECT ::1:443 HTTP/1.1",
        "CONNECT x:443 HTTP/2", "CONNECT  x:443 HTTP/1.1", "nonsense", "", "GET http://me:word@example.org/ HTTP/1.1",
        "CONNECT 0x7f.1:443 HTTP/1.1", "CONNECT x:４４３ HTTP/1.1", "GET http://[::1/ HTTP/1.1",
    ],
)  # fmt: skip
def test_request_that_is_none_is_refused(line: str) -> None:
    with pytest.raises(HeadInvalid):
        heads.parse(line.encode() + b"\r\n\r\n")


def test_head_without_an_end_is_refused() -> None:
    with pytest.raises(HeadInvalid):
        heads.parse(b"CONNECT x:443 HTTP/1.1\r\n" + b"A: b\r\n" * 5000)


# --- counting


def test_tally_tells_what_was_added_once() -> None:
    tally = Tally()
    tally.at("d", "h", 443).connections += 1
    tally.at("d", "h", 443).octets += 10
    assert [row for report in tally.reports() for row in report.rows] == [EgressCount("d", "h", 443, 1, 0, 10)]
    assert tally.reports() == []
    tally.at("d", "h", 443).octets += 5
    assert [row for report in tally.reports() for row in report.rows] == [EgressCount("d", "h", 443, 0, 0, 5)]


def test_strangers_names_are_bounded() -> None:
    tally = Tally()
    for number in range(MAX_HOSTS + 50):
        tally.at("d", f"h{number}", 443).refused += 1
        tally.note("d", "i", f"refused h{number}")
    reports = tally.reports()
    rows = [row for report in reports for row in report.rows]
    assert len(rows) == MAX_HOSTS + 1
    assert next(row for row in rows if row.host == OTHERS).refused == 50
    assert sum(len(report.notes) for report in reports) == NOTES_A_REPORT


def test_batch_is_given_again_until_it_is_taken() -> None:
    ledger = Ledger()
    ledger.add([EgressCount("d", "h", 443, 1, 0, 10), EgressCount("d", "h", 443, 1, 0, 5)])
    first = ledger.next(0, "b")
    assert (first.number, first.counts) == (1, [EgressCount("d", "h", 443, 2, 0, 15)])
    ledger.add([EgressCount("d", "h", 443, 1, 0, 1)])
    assert ledger.next(0, "b") == first
    second = ledger.next(1, "b")
    assert (second.number, second.counts) == (2, [EgressCount("d", "h", 443, 1, 0, 1)])
    empty = ledger.next(2, "b")
    assert (empty.number, empty.counts) == (2, [])
    assert ledger.next(2, "b") == empty
