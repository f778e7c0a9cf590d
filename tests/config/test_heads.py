"""Which heads are recognised when they come again, and that nothing else is taken for one of them."""

from __future__ import annotations

import pytest

from config.launch.heads import Head, head_of

LINES = [b"POST /mcp/a/b HTTP/1.1", b"Host: x", b"Content-Length: 2", b"Authorization: Bearer t"]


def head(*lines: bytes) -> bytes:
    return b"\r\n".join(lines) + b"\r\n\r\n"


def known() -> Head:
    found = head_of(head(*LINES) + b"{}")
    assert found is not None
    return found


def test_the_same_head_is_recognised_with_a_body_of_any_length() -> None:
    whole = head(*LINES)
    assert known().fits(whole + b"{}") == (len(whole), len(whole) + 2)
    for body in (b"[]", b"{ }", b"x" * 12345):
        sent = whole.replace(b": 2\r", b": %d\r" % len(body)) + body
        assert known().fits(sent) == (len(sent) - len(body), len(sent))


def test_a_body_may_be_yet_to_come_or_be_followed_by_more() -> None:
    whole = head(*LINES)
    for data in (whole, whole + b"{", whole + b"{}POST", whole + b"{}{"):
        assert known().fits(data) == (len(whole), len(whole) + 2)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        head(*LINES)[:-1],
        head(*LINES[:-1], b"Authorization: Bearer u") + b"{}",
        head(*LINES, b"X-More: 1") + b"{}",
        head(LINES[0], b"host: x", *LINES[2:]) + b"{}",
        head(*LINES).replace(b": 2\r", b": -2\r") + b"{}",
        head(*LINES).replace(b": 2\r", b": +2\r") + b"{}",
        head(*LINES).replace(b": 2\r", b": 0x2\r") + b"{}",
        head(*LINES).replace(b": 2\r", b": \r") + b"{}",
        head(*LINES).replace(b": 2\r", b": 2, 2\r") + b"{}",
        head(*LINES).replace(b": 2\r", b": 00000002\r") + b"{}",
        head(*LINES).replace(b": 2\r", b": 2\rX: y\r") + b"{}",
        b"\r\n" + head(*LINES) + b"{}",
    ],
)
def test_any_other_head_is_not_recognised(data: bytes) -> None:
    assert known().fits(data) is None


@pytest.mark.parametrize(
    "data",
    [
        head(b"GET / HTTP/1.1", *LINES[1:]),
        head(*LINES)[:-2],
        head(*LINES[:2], LINES[3]),
        head(*LINES, b"content-length: 2"),
        head(*LINES, b"X: content-length"),
        head(*LINES, b"Transfer-Encoding: chunked"),
        head(*LINES, b"transfer-encoding : chunked"),
        head(*LINES, b"Expect: 100-continue"),
        head(*LINES, b"Connection: upgrade", b"Upgrade: h2c"),
        head(*LINES, b" folded"),
        head(*LINES, b"\tfolded"),
        head(*LINES, b"bare\nX: y"),
        head(*LINES, b"bare\rX: y"),
        head(*LINES).replace(b": 2\r", b": 2 \r"),
        head(*LINES).replace(b": 2\r", b": 2,2\r"),
        head(*LINES).replace(b": 2\r", b": 12345678\r"),
    ],
)
def test_an_unusual_head_is_parsed_each_time(data: bytes) -> None:
    assert head_of(data + b"{}") is None
