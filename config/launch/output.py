"""What a part writes: kept in a log file of bounded size, its end remembered, its warnings shown on the terminal."""

from __future__ import annotations

import json
import os
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

FILE_BYTES = 10 * 1024 * 1024  # then the file becomes NAME.log.1 and a new one begins
LINE_BYTES = 64 * 1024
TAIL_LINES = 12
_LOUD = {"warning", "error", "critical"}
_DULL = {"event", "level", "timestamp", "logger", "exception", "stack"}


class PartOutput:
    """The one writer of a part's log file. Give it bytes as they come."""

    def __init__(self, name: str, folder: Path, say: Callable[[str], None], tells: str = "") -> None:
        self.tail: deque[str] = deque(maxlen=TAIL_LINES)
        self._name, self._say, self._tells = name, say, tells
        self._path = folder / f"{name}.log"
        self._file = self._open()
        self._rest = b""

    def feed(self, data: bytes) -> None:
        self._file.write(data)
        self._file.flush()
        if self._file.tell() > FILE_BYTES:
            self._file.close()
            os.replace(self._path, self._path.with_suffix(".log.1"))
            self._file = self._open()
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._line(line.decode(errors="replace").rstrip())
        if len(self._rest) > LINE_BYTES:  # no newline in sight
            self._line(self._rest.decode(errors="replace"))
            self._rest = b""

    def close(self) -> None:
        if self._rest:
            self._line(self._rest.decode(errors="replace"))
            self._rest = b""
        self._file.close()

    def _open(self) -> BinaryIO:
        return open(os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600), "ab")

    def _line(self, line: str) -> None:
        if not line:
            return
        entry = read_entry(line)
        self.tail.append(entry_words(entry) if entry else line)
        if entry and entry.get("level") in _LOUD:
            self._say(f"{self._name}: {entry_words(entry)}")
        elif self._tells and self._tells in line:
            self._say(f"{self._name}: {line}")


def read_entry(line: str) -> dict[str, object] | None:
    """A structured log line as a dictionary, or None where the line is something else."""
    if not line.startswith("{"):
        return None
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) and "event" in entry else None


def entry_words(entry: dict[str, object]) -> str:
    """One line for people: level, event, what belongs to it, and of an exception only what it says at its end."""
    words = [f"{entry.get('level', 'info')}: {entry['event']}"]
    words += [f"{key}={value}" for key, value in entry.items() if key not in _DULL and value not in (None, "")]
    exception = str(entry.get("exception", "")).strip()
    if exception:
        words.append("– " + exception.splitlines()[-1])
    return " ".join(words)
