"""A request's head that comes again and again on one connection, recognised by its bytes. Pure.

What a parser found in a head it finds again in the same bytes, when it stands between two messages as it did before.
So a client that sends one call after the other is parsed, admitted and authenticated by headers once, and every further
head costs a comparison. Only the number in Content-Length may differ.
"""

from __future__ import annotations

import re

_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,7})(?=\r\n)", re.IGNORECASE)
_LENGTH_DIGITS = 7
# What says otherwise where the body ends or what follows it, and lines that go on in the next.
_UNUSUAL = re.compile(rb"\r\n(?:transfer-encoding|expect|upgrade|[ \t])", re.IGNORECASE)


class Head:
    """The head of a POST that a parser has taken, in two parts around the number in its Content-Length."""

    __slots__ = ("_after", "_before", "_bounds", "_length", "_whole")

    def __init__(self, before: bytes, number: bytes, after: bytes) -> None:
        self._before = before
        self._after = after
        self._whole = before + number + after
        self._length = len(self._whole) + int(number)
        self._bounds = len(self._whole), self._length

    def fits(self, data: bytes) -> tuple[int, int] | None:
        """(where the body begins, where it ends), when `data` begins with this head. The end may be yet to come."""
        if len(data) == self._length and data.startswith(self._whole):
            return self._bounds
        before = self._before
        if not data.startswith(before):
            return None
        end = data.find(b"\r", len(before), len(before) + _LENGTH_DIGITS + 1)
        number = data[len(before) : end]
        if end < 0 or not number.isdigit() or not data.startswith(self._after, end):
            return None
        start = end + len(self._after)
        return start, start + int(number)


def head_of(data: bytes) -> Head | None:
    """The head that `data` begins with; None where one has to be parsed each time, being unusual in any way."""
    end = data.find(_END)
    head = data[: end + len(_END)]
    lines = head.count(b"\r\n")
    if end < 0 or not head.startswith(b"POST ") or head.count(b"\r") != lines or head.count(b"\n") != lines:
        return None
    found = list(_LENGTH.finditer(head))
    if len(found) != 1 or head.lower().count(b"content-length") != 1 or _UNUSUAL.search(head):
        return None
    start, end = found[0].span(1)
    return Head(head[:start], head[start:end], head[end:])
