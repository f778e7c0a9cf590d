"""The three pipes of a child: whole lines in, gathered writes out, and never a wait for a child that does not read."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass

READ_BYTES = 64 * 1024  # what a pipe holds; more would be mapped anew for every read


@dataclass(frozen=True)
class Begun:
    """The part of a line that was read before its end came; a line that is too long is skipped to its end."""

    part: bytes = b""
    is_skipping: bool = False


class LineReader:
    """Lines from one descriptor. A line over `limit` bytes is thrown away and reported by its beginning: what was read
    of it by then, which is more than `limit`."""

    def __init__(
        self,
        fd: int,
        limit: int,
        *,
        line: Callable[[bytes], None],
        oversized: Callable[[bytes], None],
        closed: Callable[[], None],
    ) -> None:
        self._fd = fd
        self._limit = limit
        self._line = line
        self._oversized = oversized
        self._closed = closed
        self._parts: list[bytes] = []
        self._size = 0
        self._skipping = False
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(fd, self._readable)

    def pause(self) -> None:
        """Leave what comes in the pipe."""
        if self._fd >= 0:
            self._loop.remove_reader(self._fd)

    def resume(self) -> None:
        if self._fd >= 0:
            self._loop.add_reader(self._fd, self._readable)

    @property
    def begun(self) -> Begun:
        return Begun(b"".join(self._parts), self._skipping)

    def go_on(self, begun: Begun) -> None:
        """Take up a line that an earlier reader of this pipe had begun."""
        self._parts = [begun.part] if begun.part else []
        self._size, self._skipping = len(begun.part), begun.is_skipping

    def _readable(self) -> None:
        try:
            data = os.read(self._fd, READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.close()
            self._closed()
            return
        self._take(data)

    def _take(self, data: bytes) -> None:
        *whole, rest = data.split(b"\n")
        for part in whole:
            self._finish(part)
        if rest:
            self._keep(rest)

    def _finish(self, part: bytes) -> None:
        if self._skipping:
            self._skipping = False
            return
        if self._parts:
            if not self._keep(part):
                self._skipping = False
                return
            part = b"".join(self._parts)
            self._parts, self._size = [], 0
        elif len(part) > self._limit:
            self._oversized(part)
            return
        self._line(part)

    def _keep(self, part: bytes) -> bool:
        """Hold a part of a line; False once the line is too long to be kept."""
        if self._skipping:
            return False
        self._parts.append(part)
        self._size += len(part)
        if self._size > self._limit:
            head = b"".join(self._parts)
            self._parts, self._size, self._skipping = [], 0, True
            self._oversized(head)
            return False
        return True

    def drain(self) -> None:
        """Read what an exited child left in the pipe."""
        while self._fd >= 0:
            try:
                data = os.read(self._fd, READ_BYTES)
            except OSError:
                return
            if not data:
                return
            self._take(data)

    def close(self) -> None:
        if self._fd >= 0:
            self._loop.remove_reader(self._fd)
            self._fd = -1


class PipeWriter:
    """Writes to a child's stdin, gathered per turn of the loop. What it does not read is held up to `limit` bytes."""

    def __init__(self, fd: int, limit: int, broken: Callable[[str], None]) -> None:
        self._fd = fd
        self._limit = limit
        self._broken = broken
        self._held: list[bytes] = []
        self._size = 0
        self._scheduled = False
        self._waiting = False
        self._loop = asyncio.get_running_loop()

    def write(self, line: bytes) -> None:
        if self._fd < 0:
            return
        self._held.append(line)
        self._size += len(line)
        if self._size > self._limit:
            self.close()
            self._broken(f"does not read its input: {self._size // 2**20} MB wait for it")
        elif not self._scheduled and not self._waiting:
            self._scheduled = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._scheduled = False
        if self._fd < 0 or not self._held:
            return
        data = self._held[0] if len(self._held) == 1 else b"".join(self._held)
        try:
            written = os.write(self._fd, data)
        except BlockingIOError:
            written = 0
        except OSError:
            self.close()
            self._broken("closed its input")
            return
        rest = data[written:]
        self._held, self._size = ([rest] if rest else []), len(rest)
        if rest and not self._waiting:
            self._waiting = True
            self._loop.add_writer(self._fd, self._flush)
        elif not rest and self._waiting:
            self._waiting = False
            self._loop.remove_writer(self._fd)

    @property
    def unsent(self) -> bytes:
        return b"".join(self._held)

    def close(self) -> None:
        if self._fd >= 0:
            if self._waiting:
                self._loop.remove_writer(self._fd)
            self._fd = -1
            self._held, self._size = [], 0
