"""The runner's outbox on disk: what happened to tasks and has not been taken over by the site yet.

One file a task: a header, then what must never be lost (questions, answers taken, the outcome), each with its length
and a checksum. A thread writes in groups, so that the event loop never waits for a disk, and has the files of a group
synced at the same time, which a journalling file system does in hardly more time than one. What was cut off by a crash
is ignored when the file is read again.
"""

from __future__ import annotations

import asyncio
import os
import queue
import threading
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from hosting.runner.frames import TERMINAL, Event, Kind

_SUFFIX = ".task"
_HEAD_BYTES = 8
_GROUP = 256
_SYNCS = 16  # at the same time
SPOOLED = frozenset({Kind.INPUT_REQUESTED, Kind.INPUT_ANSWERED, *TERMINAL})  # what must never be lost


class Header(msgspec.Struct, frozen=True, tag="header"):
    """Which call this is; written and synced before the call is handed to its instance."""

    task: str
    exchange: str
    owner: str
    deployment: str


class Entry(msgspec.Struct, frozen=True, tag="entry"):
    event: Event


@dataclass
class Spooled:
    """What the spool knows of one task."""

    header: Header
    events: list[Event] = field(default_factory=list)

    @property
    def is_ended(self) -> bool:
        return bool(self.events) and self.events[-1].kind in TERMINAL


@dataclass(frozen=True)
class _Write:
    task: str
    body: bytes  # b"": remove the file
    then: Callable[[], None] | None


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Header | Entry).decode


class Spool:
    """The folder of one runner. Call it on the event loop only."""

    def __init__(self, folder: Path, *, on_broken: Callable[[OSError], None]) -> None:
        """`on_broken` is told when the disk refuses; the outcomes concerned are announced nevertheless."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        self._on_broken = on_broken
        self._writes: queue.SimpleQueue[_Write | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def begin(self, header: Header, then: Callable[[], None]) -> None:
        """Writes the header; `then` is called on the loop once it is on disk."""
        self._put(_Write(header.task, _framed(header), then))

    def add(self, task: str, event: Event, then: Callable[[], None] | None = None) -> None:
        self._put(_Write(task, _framed(Entry(event)), then))

    def remove(self, task: str) -> None:
        """The site has everything."""
        self._put(_Write(task, b"", None))

    def load(self) -> list[Spooled]:
        """What an earlier process left; before anything is written."""
        found = []
        for path in sorted(self._folder.glob(f"*{_SUFFIX}")):
            spooled = _read(path)
            if spooled is None:
                path.unlink(missing_ok=True)  # not even its header came to disk: that call was never handed over
            else:
                found.append(spooled)
        return found

    @property
    def is_busy(self) -> bool:
        """Whether something may be waiting for the disk."""
        return self._thread is not None

    def close(self) -> None:
        """Returns when all is on disk."""
        if self._thread is not None:
            self._writes.put(None)
            self._thread.join()
            self._thread = None

    # --- the thread

    def _put(self, write: _Write) -> None:
        if self._thread is None:
            self._loop = asyncio.get_running_loop()
            self._thread = threading.Thread(target=self._work, name="spool", daemon=True)
            self._thread.start()
        self._writes.put(write)

    def _work(self) -> None:
        with ThreadPoolExecutor(_SYNCS, thread_name_prefix="spool-sync") as syncs:  # started as they are needed
            self._work_on(syncs)

    def _work_on(self, syncs: ThreadPoolExecutor) -> None:
        is_over = False
        while not is_over:
            group: list[_Write] = []
            taken = self._writes.get()
            while taken is not None:
                group.append(taken)
                if len(group) >= _GROUP:
                    break
                try:
                    taken = self._writes.get_nowait()
                except queue.Empty:
                    break
            is_over = taken is None
            try:
                self._write(group, syncs)
            except OSError as error:
                self._tell(lambda error=error: self._on_broken(error))  # type: ignore[misc]
            for write in group:
                if write.then is not None:
                    self._tell(write.then)

    def _tell(self, then: Callable[[], None]) -> None:
        assert self._loop is not None
        with suppress(RuntimeError):  # the loop has ended: the next process reads it from disk
            self._loop.call_soon_threadsafe(then)

    def _write(self, group: list[_Write], syncs: ThreadPoolExecutor) -> None:
        bodies: dict[str, bytearray | None] = {}
        for write in group:
            if not write.body:
                bodies[write.task] = None
            else:
                before = bodies.get(write.task)
                bodies[write.task] = (before if before is not None else bytearray()) + write.body
        is_new = False
        written: list[int] = []
        try:
            for task, body in bodies.items():
                path = self._folder / f"{task}{_SUFFIX}"
                if body is None:
                    path.unlink(missing_ok=True)
                    continue
                is_new |= not path.exists()
                written.append(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600))
                _write_all(written[-1], body)
            _sync(written, syncs)
        finally:
            for fd in written:
                os.close(fd)
        if is_new:
            _sync_folder(self._folder)


def _sync(files: list[int], syncs: ThreadPoolExecutor) -> None:
    """Returns when all are on disk. Raises OSError when one can't be, the others nevertheless tried."""
    if len(files) == 1:
        os.fdatasync(files[0])
        return
    syncing = [syncs.submit(os.fdatasync, fd) for fd in files]
    wait(syncing)
    for one in syncing:
        one.result()


def _framed(value: Header | Entry) -> bytes:
    body = _encode(value)
    return len(body).to_bytes(4, "big") + zlib.crc32(body).to_bytes(4, "big") + body


def _read(path: Path) -> Spooled | None:
    content = path.read_bytes()
    at, header, events = 0, None, []
    while at + _HEAD_BYTES <= len(content):
        size = int.from_bytes(content[at : at + 4], "big")
        body = content[at + _HEAD_BYTES : at + _HEAD_BYTES + size]
        if len(body) < size or zlib.crc32(body) != int.from_bytes(content[at + 4 : at + 8], "big"):
            break
        value = _decode(body)
        if isinstance(value, Header):
            header = value
        else:
            events.append(value.event)
        at += _HEAD_BYTES + size
    return Spooled(header, events) if header is not None else None


def _write_all(fd: int, body: bytearray) -> None:
    with memoryview(body) as view:
        written = 0
        while written < len(body):
            written += os.write(fd, view[written:])


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
