"""Lines of a pipe, as they come."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable

READ_OCTETS = 65536
MAX_LINE = 16 * 1024

Line = Callable[[str], object]


class Lines:
    """Reads a non-blocking pipe on the running loop, as it fills."""

    def __init__(self, fd: int, line: Line) -> None:
        self._fd, self._line, self._rest = fd, line, b""
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(fd, self._read)

    def _read(self) -> bool:
        try:
            data = os.read(self._fd, READ_OCTETS)
        except BlockingIOError:
            return False
        if not data:
            self._loop.remove_reader(self._fd)
            return False
        *lines, self._rest = (self._rest + data).split(b"\n")
        for one in lines:
            self._line(one.decode("utf-8", "replace"))
        if len(self._rest) > MAX_LINE:
            self._line(self._rest.decode("utf-8", "replace"))
            self._rest = b""
        return True

    def finish(self) -> None:
        self._loop.remove_reader(self._fd)
        while self._read():
            pass
        if self._rest:
            self._line(self._rest.decode("utf-8", "replace"))
            self._rest = b""
