"""A task as server-sent events (WHATWG HTML, section 9.2): what of it is news, and the frames for that. Pure.

Events: line, progress, question, answered, state, outcome; each carries one JSON object. An id says how far a reader
has come: the position of the last line ("attempt.seq"), a tilde, and the stamp of the record.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

MAX_RESULT: Final = 1_000_000  # octets of a result that comes with its event; a larger one is fetched
KEEP_ALIVE: Final = b":\n\n"
RETRY: Final = b"retry: 2000\n\n"
_NO_LINE: Final = "0.0"

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True)
class LineSeen:
    position: str
    at: datetime
    level: str
    text: str


@dataclass(frozen=True)
class TaskSeen:
    """A task's record at one moment. `body` is raw JSON of the result or the error, once it is over."""

    stamp: str
    state: str
    outcome: str
    reason: str
    attempts: int
    progress: dict[str, Any]
    questions: dict[str, Any]
    answered: dict[str, str]
    fraction: float | None = None
    left_seconds: float | None = None
    is_ended: bool = False
    body: bytes = b""
    body_bytes: int = 0
    is_error: bool = False


class Reader:
    """What one follower was sent so far; `last_id` is what it said in Last-Event-ID, "" at its first time."""

    def __init__(self, last_id: str = "") -> None:
        self.position, self._stamp = parse_id(last_id)
        self._open: set[str] = set()
        self._progress: object = None
        self._said: tuple[str, str, int] | None = None

    def has_all(self, task: TaskSeen) -> bool:
        """Whether it has come to the end already, and need not come again."""
        return task.is_ended and self._stamp == task.stamp

    def lines(self, lines: Iterable[LineSeen]) -> list[bytes]:
        frames = []
        for line in lines:
            self.position = line.position
            data = {"at": _iso(line.at), "level": line.level, "text": line.text, "position": line.position}
            frames.append(_frame("line", data, self._id()))
        return frames

    def record(self, task: TaskSeen) -> list[bytes]:
        """Send lines first: the id of what this gives says that they were sent."""
        if task.stamp == self._stamp:
            return []
        self._stamp = task.stamp
        events: list[tuple[str, Any]] = []
        if task.progress and task.progress != self._progress:
            self._progress = task.progress
            events.append(("progress", {**task.progress, "fraction": task.fraction, "left_seconds": task.left_seconds}))
        events += self._questions(task)
        said = (task.state, task.reason, task.attempts)
        if said != self._said:
            self._said = said
            events.append(("state", {"state": task.state, "reason": task.reason, "attempts": task.attempts}))
        if task.is_ended:
            events.append(("outcome", _outcome(task)))
        frames = [_frame(name, data) for name, data in events[:-1]]
        return [*frames, _frame(*events[-1], self._id())] if events else []

    def _questions(self, task: TaskSeen) -> list[tuple[str, Any]]:
        new = {key: asked for key, asked in task.questions.items() if key not in self._open}
        gone = self._open - task.questions.keys()
        self._open = set(task.questions)
        answered = [("answered", {"key": key, "by": task.answered.get(key, "")}) for key in sorted(gone)]
        return [*answered, *(("question", {"key": key, **_members(asked)}) for key, asked in new.items())]

    def _id(self) -> str:
        return f"{self.position or _NO_LINE}~{self._stamp}"


def parse_id(last_id: str) -> tuple[str, str]:
    """(position, stamp) of an id of ours; a broken one counts as none."""
    position, tilde, stamp = last_id.partition("~")
    attempt, dot, seq = position.partition(".")
    is_ours = tilde and dot and all(part.isascii() and part.isdigit() for part in (attempt, seq))
    if not is_ours or len(last_id) > 100:
        return "", ""
    return (position if position != _NO_LINE else ""), stamp


def _outcome(task: TaskSeen) -> Any:
    """With the result, or with an error; neither where there is none or it is too large."""
    data: dict[str, Any] = {"outcome": task.outcome, "reason": task.reason, "result_bytes": task.body_bytes}
    if task.body and task.body_bytes <= MAX_RESULT:
        data["error" if task.is_error else "result"] = msgspec.Raw(task.body)
    return data


def _frame(name: str, data: Any, event_id: str = "") -> bytes:
    text = _encode(data)
    if b"\r" in text or b"\n" in text:  # a raw result may be written over several lines; in JSON they are blanks
        text = text.replace(b"\r", b" ").replace(b"\n", b" ")
    head = b"event: %b\n" % name.encode() + (b"id: %b\n" % event_id.encode() if event_id else b"")
    return head + b"data: %b\n\n" % text


def _members(asked: object) -> dict[str, Any]:
    return asked if isinstance(asked, dict) else {}


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
