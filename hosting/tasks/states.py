"""The life of a task and what each event of its exchange does to it. Pure.

    accepted → starting → working ⇄ input_required → ended

A task whose user has to bring something first is `lacking` until a page of the site has ended: then it is accepted.
`ended` has an outcome; each protocol revision projects its own status from the two (`status_2025`, `status_2026`).
A task that is run again goes back to `accepted`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Protocol

import msgspec

from hosting.runner.frames import Event, Kind


class State(StrEnum):
    ACCEPTED = "accepted"
    LACKING = "lacking"
    STARTING = "starting"
    WORKING = "working"
    INPUT_REQUIRED = "input_required"
    ENDED = "ended"


class Outcome(StrEnum):
    RESULT = "result"
    TOOL_ERROR = "tool_error"  # a result whose isError is true
    ERROR = "error"  # a JSON-RPC error
    CANCELLED = "cancelled"
    LOST = "lost"  # its runner or instance is gone, and nobody knows how far it came


_PROGRESS = ("progress", "total", "message")
_S = State
OPEN = frozenset({_S.ACCEPTED, _S.LACKING, _S.STARTING, _S.WORKING, _S.INPUT_REQUIRED})
RUNNING = frozenset({_S.STARTING, _S.WORKING, _S.INPUT_REQUIRED})
ASKING = frozenset({_S.LACKING, _S.INPUT_REQUIRED})  # wait for a person
TO: dict[State, frozenset[State]] = {
    _S.ACCEPTED: frozenset({_S.LACKING, _S.STARTING, _S.WORKING, _S.ENDED}),
    _S.LACKING: frozenset({_S.ACCEPTED, _S.ENDED}),
    _S.STARTING: frozenset({_S.ACCEPTED, _S.WORKING, _S.INPUT_REQUIRED, _S.ENDED}),
    _S.WORKING: frozenset({_S.ACCEPTED, _S.INPUT_REQUIRED, _S.ENDED}),
    _S.INPUT_REQUIRED: frozenset({_S.ACCEPTED, _S.WORKING, _S.ENDED}),
    _S.ENDED: frozenset(),
}


def sources(to: State) -> frozenset[State]:
    """The states from which `to` may be entered."""
    return frozenset(state for state, targets in TO.items() if to in targets)


def status_2025(state: str, outcome: str) -> str:
    """2025-11-25 basic/utilities/tasks, "Task Status Lifecycle": a tool error is a failed task."""
    if state != State.ENDED:
        return "input_required" if state == State.INPUT_REQUIRED else "working"
    return {Outcome.RESULT: "completed", Outcome.CANCELLED: "cancelled"}.get(Outcome(outcome), "failed")


def status_2026(state: str, outcome: str) -> str:
    """SEP-2663, "Task Status": a tool error is the result of a completed task."""
    if state == State.ENDED and outcome == Outcome.TOOL_ERROR:
        return "completed"
    return status_2025(state, outcome)


@dataclass(frozen=True)
class LogLine:
    """One line for people: the task's own words, or the server's notifications/message."""

    seq: int
    level: str
    text: str


class Row(Protocol):
    """A task's row, as far as its exchange goes."""

    last_seq: Any
    state: Any
    reason: Any
    progress: Any
    questions: Any
    answered: Any


@dataclass(frozen=True)
class Seen:
    """What is known of a task's exchange up to and with `seq`. `body` is raw JSON of the result or the error."""

    seq: int = 0
    state: State = State.STARTING
    outcome: Outcome | None = None
    reason: str = ""
    progress: dict[str, Any] = field(default_factory=dict)
    questions: dict[str, Any] = field(default_factory=dict)
    answered: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    lines: tuple[LogLine, ...] = ()

    @classmethod
    def of(cls, task: Row) -> Seen:
        """What a task's row says."""
        state = State(task.state)
        return cls(task.last_seq, state, None, task.reason, task.progress, task.questions, task.answered)


def advance(seen: Seen, events: Iterable[Event]) -> Seen:
    """`seen` brought up to date. Events at or before `seen.seq`, and any after the end, change nothing."""
    for event in events:
        if event.seq <= seen.seq or seen.state is State.ENDED:
            continue
        seen = replace(_after(seen, event), seq=event.seq)
    return seen


def _after(seen: Seen, event: Event) -> Seen:  # noqa: C901 - one branch for each kind of event
    match event.kind:
        case Kind.STATUS:
            return replace(seen, reason=_words(event.data, "reason") or seen.reason)
        case Kind.PROGRESS:
            progress = _members(event.data)
            shown: dict[str, Any] = {key: progress[key] for key in _PROGRESS if key in progress}
            words = shown.get("message")
            reason = words if isinstance(words, str) else seen.reason
            return replace(seen, state=_working(seen), progress=shown, reason=reason[:1000])
        case Kind.LOG:
            return replace(seen, state=_working(seen), lines=(*seen.lines, _line(event)))
        case Kind.GAP:
            line = LogLine(event.seq, "notice", f"{event.extra} lines were dropped, because they came too fast")
            return replace(seen, lines=(*seen.lines, line))
        case Kind.INPUT_REQUESTED:
            questions = {**seen.questions, event.extra: _members(event.data)}
            answered = {key: by for key, by in seen.answered.items() if key != event.extra}
            return replace(seen, state=State.INPUT_REQUIRED, questions=questions, answered=answered)
        case Kind.INPUT_ANSWERED:
            questions = {key: value for key, value in seen.questions.items() if key != event.extra}
            answered = {**seen.answered, event.extra: _words(event.data, "by")[:200]}
            state = State.INPUT_REQUIRED if questions else State.WORKING
            return replace(seen, state=state, questions=questions, answered=answered)
        case Kind.RESULT:
            outcome = Outcome.TOOL_ERROR if _is_error(event.data) else Outcome.RESULT
            return _ended(seen, outcome, "", event.data)
        case Kind.ERROR:
            return _ended(seen, Outcome.ERROR, _words(event.data, "message"), event.data)
        case Kind.CANCELLED:
            return _ended(seen, Outcome.CANCELLED, event.extra or "cancelled", b"")
        case Kind.LOST:
            return _ended(seen, Outcome.LOST, event.extra, b"")
    return seen


def _ended(seen: Seen, outcome: Outcome, reason: str, body: bytes) -> Seen:
    return replace(seen, state=State.ENDED, outcome=outcome, reason=reason[:1000], body=body, questions={})


def _working(seen: Seen) -> State:
    return State.INPUT_REQUIRED if seen.questions else State.WORKING


def _line(event: Event) -> LogLine:
    params = _members(event.data)
    data = params.get("data", "")
    text = data if isinstance(data, str) else msgspec.json.encode(data).decode()
    return LogLine(event.seq, str(params.get("level", "info"))[:20], text[:10_000])


class _Flag(msgspec.Struct):
    is_error: Any = msgspec.field(name="isError", default=False)


_decode_flag = msgspec.json.Decoder(_Flag).decode
_decode = msgspec.json.Decoder().decode
_NUL = rb"\u0000"  # which no column of PostgreSQL holds


def _is_error(result: bytes) -> bool:
    try:
        return _decode_flag(result).is_error is True
    except msgspec.DecodeError:
        return False


def _members(data: bytes) -> dict[str, Any]:
    if _NUL in data:
        data = data.replace(_NUL, b"\\ufffd")
    try:
        value = _decode(data) if data else {}
    except msgspec.DecodeError:
        return {}
    return value if isinstance(value, dict) else {}


def _words(data: bytes, name: str) -> str:
    return str(_members(data).get(name, ""))
