"""Server-sent events read as they come (WHATWG HTML, section 9.2.6). Pure.

Only what Streamable HTTP uses is kept: event name, data, the last id and `retry`. Data stays bytes, since it is JSON
that is passed on as it is.
"""

from __future__ import annotations

from typing import Final, NamedTuple

_BOM: Final = b"\xef\xbb\xbf"
MAX_ID_BYTES: Final = 4096  # longer ones could not be sent back in a header
MAX_RETRY_SECONDS: Final = 300.0


class TooLargeError(Exception):
    """An event is larger than it may be."""


class Event(NamedTuple):
    name: bytes  # b"" for none, which means "message"
    data: bytes


class EventReader:
    """`last_id` and `retry_seconds` stay over the connections of one stream; `restart` begins the next connection."""

    def __init__(self, limit: int) -> None:
        self.last_id = b""
        self.retry_seconds: float | None = None
        self._limit = limit
        self.restart()

    def restart(self) -> None:
        """What was half read is forgotten."""
        self._parts: list[bytes] = []  # of a line whose end did not come yet
        self._part_bytes = 0
        self._is_first = True
        self._skips_newline = False
        self._name = b""
        self._data: list[bytes] = []
        self._size = 0
        self._id: bytes | None = None

    def feed(self, chunk: bytes) -> list[Event]:
        """The events that are complete now. Raises TooLargeError."""
        if self._skips_newline and chunk:
            self._skips_newline = False
            chunk = chunk.removeprefix(b"\n")
        if b"\r" in chunk:
            self._skips_newline = chunk.endswith(b"\r")
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        *lines, rest = chunk.split(b"\n")
        found: list[Event] = []
        for line in lines:
            if self._parts:
                line = b"".join([*self._parts, line])
                self._parts, self._part_bytes = [], 0
            if self._is_first:
                self._is_first = False
                line = line.removeprefix(_BOM)
            if line:
                self._field(line)
            elif (event := self._dispatch()) is not None:
                found.append(event)
        if rest:
            self._parts.append(rest)
            self._part_bytes += len(rest)
            self._check(self._part_bytes)
        return found

    def _field(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._size += len(value)
            self._check(self._size)
            self._data.append(value)
        elif name == b"event":
            self._name = value[:100]
        elif name == b"id":
            if b"\0" not in value and len(value) <= MAX_ID_BYTES:
                self._id = value
        elif name == b"retry" and value.isdigit() and len(value) < 12:
            self.retry_seconds = min(int(value) / 1000, MAX_RETRY_SECONDS)

    def _check(self, size: int) -> None:
        if size > self._limit:
            raise TooLargeError

    def _dispatch(self) -> Event | None:
        """The blank line: the id counts now, and an event without data is none (it primes a resumption)."""
        if self._id is not None:
            self.last_id = self._id
        event = Event(self._name, b"\n".join(self._data)) if any(self._data) else None
        self._name, self._data, self._size, self._id = b"", [], 0, None
        return event
