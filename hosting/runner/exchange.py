"""One client request in flight at one instance: its log, and what is needed to answer, cancel or resume it."""

from __future__ import annotations

import time

from hosting.runner.frames import EndRule, Event, Kind, Open, Reason
from hosting.runner.listening import ACKNOWLEDGED, LISTEN, missed
from hosting.runner.log import Log, LogFullError
from hosting.runner.outbox import Outbox
from hosting.runner.spill import Spilled
from hosting.runner.upstream.messages import INTERNAL_ERROR, encode, error_body


class Exchange:
    """Plain data beside a log, so that it can be written down; who acts on it is its instance."""

    __slots__ = (
        "agreed", "answering", "ended_at", "instance", "is_awaited", "listening", "log", "needs_tasks", "number",
        "open", "opened_at", "outbox", "parked_at", "questions", "rounds", "session", "task",
    )  # fmt: skip

    def __init__(self, opened: Open, log: Log) -> None:
        self.open = opened
        self.log = log
        self.number = 0  # the id that the child knows this request by
        self.session = opened.session
        self.instance = ""  # id of the instance that runs it
        self.opened_at = time.monotonic()
        self.ended_at = 0.0
        self.parked_at = 0.0  # since when nobody holds the wire although a question is open
        self.questions: set[str] = set()
        self.answering = ""  # from where the answer comes that is being given
        self.rounds = 0
        self.is_awaited = False  # whoever answered a question has yet to come for what follows
        self.listening = opened.method == LISTEN
        self.needs_tasks = False  # whether its server does it as a task only (SEP-2663)
        self.agreed = b""  # a listener's raw acknowledgement, once it came
        self.task = opened.task
        self.outbox: Outbox | None = None  # of a task: who is told what happens

    @property
    def id(self) -> str:
        return self.open.exchange

    @property
    def end_rule(self) -> EndRule:
        return EndRule.KEEP if self.task else self.open.end

    @property
    def is_done(self) -> bool:
        return self.log.ended

    def is_of(self, opened: Open) -> bool:
        """Whether `opened` is this request, sent again."""
        return (opened.method, opened.params) == (self.open.method, self.open.params)

    def append(self, kind: Kind, data: bytes = b"", extra: str = "") -> None:
        """Add an event; an exchange whose log is full ends with an error that names the limit."""
        try:
            seq = self.log.append(kind, data, extra)
        except LogFullError as error:
            self.log.hard_bytes += 64 * 1024  # room for this last word
            kind, data, extra = Kind.ERROR, error_body(INTERNAL_ERROR, f"The call was given up: {error}."), ""
            seq = self.log.append(kind, data)
        if self.outbox is not None and seq:
            self.outbox.happened(self.task, Event(seq, kind, data, extra))

    def acknowledge(self, params: bytes) -> None:
        """A server took the listen request: the first time that is passed on, later what may have been missed."""
        if not self.agreed:
            self.agreed = params or b"{}"
            self.append(Kind.NOTIFICATION, params, ACKNOWLEDGED)
            return
        for method, missed_params in missed(self.agreed):
            self.append(Kind.NOTIFICATION, missed_params, method)

    def ask(self, key: str, question: bytes) -> None:
        self.questions.add(key)
        self.append(Kind.INPUT_REQUESTED, question, key)

    def answered(self, key: str) -> None:
        self.questions.discard(key)
        self.is_awaited = True
        by, self.answering = self.answering, ""
        self.append(Kind.INPUT_ANSWERED, encode({"by": by}) if by else b"", key)

    def succeed(self, result: bytes) -> None:
        self.append(Kind.RESULT, result)

    def fail(self, error: bytes) -> None:
        self.append(Kind.ERROR, error)

    def refuse(self, message: str, *, code: int = INTERNAL_ERROR, data: object = None) -> None:
        self.append(Kind.ERROR, error_body(code, message, data))

    def abandon(self, message: str, reason: str, data: object = None) -> None:
        """Its instance is gone. Whether a task may be run again is the site's to decide, so it is told the fact."""
        if self.task:
            self.append(Kind.LOST, extra=reason)
        else:
            self.refuse(message, data=data)

    def turn_away(self, detail: str) -> None:
        """It was not run: whoever follows is told that we are busy, and who comes to resume it finds an error."""
        for follower in list(self.log.followers):
            follower.end(Reason.BUSY, detail)
        self.refuse(detail, data={"reason": Reason.BUSY})

    def outcome(self) -> Event | None:
        """The terminal event, once there is one."""
        last = self.log.events.get(self.log.next_seq - 1)
        if not self.log.ended or last is None:
            return None
        return last.load() if isinstance(last, Spilled) else last
