"""Tasks that a hosted server has of its own, followed in the place of the calls that they came from.

The call's log is told at once that it is a task (`STATUS`, state "task"), then what the server says of it: words, open
questions, the outcome. A server that tells by itself how a task goes is asked now and then only; of any other's tasks a
child's one agenda says which are due, at the interval that the server asks for, and few are asked of at a time. Nothing
but a task's place in these tables waits meanwhile.
Sources: 2025-11-25 basic/utilities/tasks; SEP-2663 (io.modelcontextprotocol/tasks).
"""

from __future__ import annotations

import time
from collections import OrderedDict
from typing import Any, ClassVar, Generic, Protocol, TypeVar

import msgspec

from hosting.runner.exchange import Exchange
from hosting.runner.frames import Kind
from hosting.runner.upstream import messages as m
from hosting.runner.upstream.agenda import Agenda
from hosting.runner.upstream.base import Peer

MARK = b'"task'  # stands in every result that creates a task, of either revision
MIN_SECONDS, USUAL_SECONDS, MAX_SECONDS = 0.2, 1.0, 10.0  # between polls
CALM_SECONDS = 5.0  # between polls of a task that is told of otherwise
CALM_RATE = 4.0  # polls a second of all such tasks of one child, at most
MAX_POLLS = 16  # of one child, under way at once
POLL_SECONDS = 30.0  # after which one that is not answered holds up no other
MAX_FAILURES = 5  # polls in a row that came to nothing; a remote server may be away for a moment
ENDED = frozenset({"completed", "failed", "cancelled"})
_UNKNOWN_TASK = m.INVALID_PARAMS
GET, CANCEL = "tasks/get", "tasks/cancel"


class Said(msgspec.Struct):
    """What a server says of a task: Task of 2025-11-25, or CreateTaskResult and DetailedTask of SEP-2663."""

    id: str = msgspec.field(name="taskId", default="")
    status: str = "working"
    words: str | None = msgspec.field(name="statusMessage", default=None)
    interval: float | None = msgspec.field(name="pollInterval", default=None)
    interval_ms: float | None = msgspec.field(name="pollIntervalMs", default=None)
    kind: str = msgspec.field(name="resultType", default="")
    requests: dict[str, msgspec.Raw] | None = msgspec.field(name="inputRequests", default=None)
    result: msgspec.Raw = msgspec.Raw(b"")
    error: msgspec.Raw = msgspec.Raw(b"")

    @property
    def seconds(self) -> float:
        """Until the next poll, within our bounds."""
        wanted = self.interval_ms if self.interval_ms is not None else self.interval
        return min(max((wanted or 0) / 1000, MIN_SECONDS), MAX_SECONDS) if wanted else USUAL_SECONDS


decode_said = msgspec.json.Decoder(Said).decode


class Followed:
    """One task of the child, until it has ended."""

    def __init__(self, exchange: Exchange, said: Said) -> None:
        self.exchange = exchange
        self.id = said.id
        self.seconds = said.seconds
        self.words = ""
        self.failures = 0
        self.is_polled = False  # whether a poll's answer is still to come
        self.is_told = False  # whether its server says by itself how it goes

    def tell(self, words: str) -> None:
        """In words how it goes; not twice the same."""
        if words != self.words:
            self.words = words
            self.exchange.append(Kind.STATUS, m.encode({"state": "task", "reason": words[:1000]}))


class Child(Protocol):
    """The adapter whose child this is."""

    def ask_of_task(self, exchange: Exchange | None, method: str, params: dict[str, Any]) -> int:
        """Send a request about a task; its number."""

    def ended(self, exchange: Exchange, *, result: bytes = b"", error: bytes = b"") -> None:
        """The call's outcome."""

    def let_go(self, exchange: Exchange) -> None:
        """Nothing more comes of the call."""


F = TypeVar("F", bound=Followed)


class Following(Generic[F]):
    """The tasks of one child. Plain data beside it, so that a restart of the runner in place can write it down."""

    made: ClassVar[Any] = Followed

    def __init__(self, peer: Peer, child: Child) -> None:
        self._peer = peer
        self._child = child
        self._followed: dict[str, F] = {}  # by the child's task id
        self._asked: dict[int, tuple[str, str]] = {}  # number of a request of ours -> task id, method
        self._agenda = Agenda(self)
        self._backlog: OrderedDict[str, None] = OrderedDict()  # tasks that are due, while too many polls are under way
        self._polls: dict[int, float] = {}  # number of a poll -> when it was sent

    # --- the call

    def begin(self, exchange: Exchange, said: Said) -> None:
        """The child has made a task of the call."""
        if not said.id or said.id in self._followed:
            exchange.refuse("The hosted server made a task of the call under an id that it has used already, or none")
            self._peer.settled(exchange)
            return
        followed: F = self.made(exchange, said)
        self._followed[said.id] = followed
        followed.tell(said.words or "runs as a task of the hosted server")
        self._schedule(followed)

    def of(self, exchange: Exchange) -> F | None:
        return next((each for each in self._followed.values() if each.exchange is exchange), None)

    def cancel(self, exchange: Exchange) -> bool:
        """Its call was cancelled. False when the child has made no task of it."""
        followed = self.of(exchange)
        if followed is None:
            return False
        self._drop(followed)
        self.give_up(exchange, followed.id)
        return True

    def give_up(self, exchange: Exchange | None, task_id: str) -> None:
        """`tasks/cancel`: also for a task that was made of a call which is over already."""
        self._ask(exchange, task_id, CANCEL, {})

    def adopted(self) -> None:
        """After a restart of the runner in place: the timer is gone, answers still come."""
        self._agenda.adopted()

    # --- polls

    def _schedule(self, followed: F) -> None:
        calm = max(CALM_SECONDS, len(self._followed) / CALM_RATE)
        self._agenda.put(followed.id, max(followed.seconds, calm) if followed.is_told else followed.seconds)

    def due(self, names: list[str]) -> None:
        due = [followed for each in names if (followed := self._followed.get(each)) is not None]
        for followed in due:
            if followed.exchange.is_done:
                self._drop(followed)
        self._look([followed for followed in due if not followed.exchange.is_done and not followed.is_polled])

    def _look(self, due: list[F]) -> None:
        """Ask how these go."""
        for followed in due:
            self._backlog[followed.id] = None
        self._poll()

    def _poll(self) -> None:
        """As many as may be asked at once; the others when answers have come."""
        old = time.monotonic() - POLL_SECONDS
        for number in [number for number, sent in self._polls.items() if sent < old]:
            del self._polls[number]
        while self._backlog and len(self._polls) < MAX_POLLS:
            followed = self._followed.get(self._backlog.popitem(last=False)[0])
            if followed is not None and not followed.is_polled:
                followed.is_polled = True
                number = self._ask(followed.exchange, followed.id, GET, {})
                self._polls[number] = time.monotonic()

    def _ask(self, exchange: Exchange | None, task_id: str, method: str, more: dict[str, Any]) -> int:
        number = self._child.ask_of_task(exchange, method, {"taskId": task_id, **more})
        self._asked[number] = task_id, method
        return number

    def owns(self, number: object) -> bool:
        """Whether a message of that id answers a request of ours."""
        return number in self._asked

    def answered(self, message: m.Message) -> None:
        """Take the answer to a request that is ours (`owns`)."""
        assert isinstance(message.id, int)
        task_id, method = self._asked.pop(message.id)
        if self._polls.pop(message.id, None) is not None:
            self._poll()
        followed = self._followed.get(task_id)
        if followed is None or followed.exchange.is_done:
            return
        result = b"" if message.result is msgspec.UNSET else bytes(message.result)
        error = b"" if message.error is msgspec.UNSET else bytes(message.error)
        if method == GET:
            self._got(followed, result, error)
        else:
            self._other(followed, message.id, method, result, error)

    def _got(self, followed: F, result: bytes, error: bytes) -> None:
        followed.is_polled = False
        try:
            said = decode_said(result) if result else None
        except msgspec.DecodeError as problem:
            self._refuse(followed, f"The hosted server's word about its task could not be understood: {problem}")
            return
        if said is None:
            self._unheard(followed, error)
            return
        followed.failures = 0
        followed.seconds = said.seconds
        self.take(followed, said)
        if followed.id in self._followed:
            self._schedule(followed)

    def _unheard(self, followed: F, error: bytes) -> None:
        """One poll came to nothing. A server that knows nothing of the task has lost it; others are asked again."""
        followed.failures += 1
        body = m.decode_error(error) if error else m.ErrorBody(m.INTERNAL_ERROR, "no answer")
        if body.code == _UNKNOWN_TASK or followed.failures >= MAX_FAILURES:
            self._refuse(followed, f"The hosted server can't tell of its task any more: {body.message[:300]}")
            return
        followed.seconds = min(max(followed.seconds, USUAL_SECONDS) * 2, MAX_SECONDS)
        self._schedule(followed)

    def heard(self, followed: F, said: Said) -> None:
        """The child has told of a task by itself, or of many together: it need not be asked so soon."""
        followed.seconds = said.seconds
        self.take(followed, said)
        if followed.id in self._followed and not followed.is_polled:
            self._schedule(followed)

    # --- what is told

    def take(self, followed: F, said: Said) -> None:
        """What the child says of a task. The eras differ in where questions and outcomes are found."""
        raise NotImplementedError

    def _other(self, followed: F, number: int, method: str, result: bytes, error: bytes) -> None:
        """The answer to something else than a poll."""

    def _over(self, followed: F, *, result: bytes = b"", error: bytes = b"") -> None:
        self._drop(followed)
        self._child.ended(followed.exchange, result=result, error=error)

    def _cancelled(self, followed: F, words: str) -> None:
        """By the server. A client that knows of no task has to be told by an error."""
        exchange = followed.exchange
        self._drop(followed)
        if exchange.task:
            exchange.append(Kind.CANCELLED, extra=words or "the hosted server cancelled it")
        else:
            why = f"The hosted server cancelled the call: {words}" if words else "The hosted server cancelled the call"
            exchange.refuse(why)
        self._peer.settled(exchange)

    def _refuse(self, followed: F, words: str) -> None:
        self._drop(followed)
        followed.exchange.refuse(words)
        self._peer.settled(followed.exchange)

    def _drop(self, followed: F) -> None:
        self._agenda.drop(followed.id)
        self._backlog.pop(followed.id, None)
        if self._followed.pop(followed.id, None) is not None:
            self._child.let_go(followed.exchange)

    def oversized(self, head: bytes, limit: int) -> bool:
        """An answer was thrown away for its size; True when it was one to a request of ours."""
        number = m.guess_id(head)
        task_id, _ = self._asked.pop(number, ("", ""))
        self._polls.pop(number, None)
        followed = self._followed.get(task_id)
        if followed is not None:
            self._refuse(followed, f"The hosted server's task gave more than the limit of {limit // 2**20} MB")
        return bool(task_id)
