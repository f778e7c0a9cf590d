"""Large event bodies on disk, so that a slow reader of a large answer does not hold it in memory."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from hosting.runner.frames import Event, Kind

SPILL_BYTES = 1024 * 1024


class Spilled:
    """One event whose data lies in an unlinked file."""

    __slots__ = ("extra", "fd", "kind", "seq", "size")

    def __init__(self, fd: int, seq: int, kind: Kind, size: int, extra: str) -> None:
        self.fd = fd
        self.seq = seq
        self.kind = kind
        self.size = size
        self.extra = extra

    def read(self, offset: int, octets: int) -> bytes:
        return os.pread(self.fd, octets, offset)

    def load(self) -> Event:
        return Event(self.seq, self.kind, self.read(0, self.size), self.extra)

    def discard(self) -> None:
        fd, self.fd = self.fd, -1
        if fd >= 0:
            os.close(fd)


class Spill:
    """The folder for large bodies; the files have no name, so a killed runner leaves none behind."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @staticmethod
    def wants(data: bytes) -> bool:
        return len(data) > SPILL_BYTES

    def put(self, seq: int, kind: Kind, data: bytes, extra: str) -> Spilled:
        fd, name = tempfile.mkstemp(dir=self._folder)
        os.unlink(name)
        with memoryview(data) as view:
            written = 0
            while written < len(data):
                written += os.write(fd, view[written:])
        return Spilled(fd, seq, kind, len(data), extra)
