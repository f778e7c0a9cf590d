"""The tasks that a modern child makes of calls (SEP-2663, io.modelcontextprotocol/tasks).

Who declares the extension to the child, and when: a modern client's capabilities pass as they are, so a tool that can't
do without the extension refuses a client that did not declare it, with the child's own -32021. The platform adds the
extension for calls that run as a task of ours already. For an ordinary call of a handshake client, which has no words
for it, the platform adds it only once the child has refused the call for the lack of it: a tool that can do both is
better called plainly, since tasks have neither progress nor log lines.

The child is asked to tell of its tasks (`task_listens.py`); those that it agreed to are polled as good as never.
"""

from __future__ import annotations

from typing import Any, Protocol

import msgspec

from hosting.questions.judging import NOT_ASKED
from hosting.runner.exchange import Exchange
from hosting.runner.upstream import messages as m
from hosting.runner.upstream.base import Peer, is_modern
from hosting.runner.upstream.capabilities import MISSING_CAPABILITY
from hosting.runner.upstream.following import MARK, Child, Followed, Following, Said, decode_said
from hosting.runner.upstream.on_site import key_of
from hosting.runner.upstream.pages import refuse_missing
from hosting.runner.upstream.rounds import legacy_question, missing_of
from hosting.runner.upstream.task_listens import METHOD, TaskListens

EXTENSION = m.META + "tasks"
UPDATE = "tasks/update"
_LISTENS = ""  # in the agenda, where tasks stand by their ids: it is time to ask the child to tell


class ModernChild(Child, Protocol):
    """The adapter, as far as it is needed here."""

    def declared_of(self, exchange: Exchange) -> bytes:
        """What the call's client declared, raw."""

    def capabilities_of(self, exchange: Exchange) -> bytes:
        """What the child is told of that."""


class ModernTask(Followed):
    """With its questions: each key of the child is asked once, under a key of ours."""

    def __init__(self, exchange: Exchange, said: Said) -> None:
        super().__init__(exchange, said)
        self.keys: dict[str, str] = {}  # the child's -> ours, of all that were asked


class ModernTasks(Following[ModernTask]):
    """`is_offered`: whether the child declares the extension."""

    made = ModernTask

    def __init__(self, peer: Peer, child: ModernChild, *, is_offered: bool) -> None:
        super().__init__(peer, child)
        self._client = child
        self.is_offered = is_offered
        self._open: dict[str, tuple[ModernTask, str]] = {}  # our key -> the task, the child's key
        self._updates: dict[int, str] = {}  # number of a tasks/update -> the child's key that it answers
        self._count = 0
        self._listens = TaskListens(peer, child)

    @property
    def has_open_questions(self) -> bool:
        return bool(self._open)

    # --- declaring the extension

    def declared(self, exchange: Exchange, capabilities: bytes) -> bytes:
        """The client's capabilities as the child is told them with this call."""
        if self.is_offered and exchange.open.method == "tools/call" and (exchange.task or exchange.needs_tasks):
            return with_extension(capabilities)
        return capabilities

    def is_needed(self, exchange: Exchange, error: bytes) -> bool:
        """Whether the child refused the call only for the lack of the extension, and it may be called again with it."""
        if not self.is_offered or exchange.needs_tasks or exchange.task or is_modern(exchange.open.revision):
            return False
        if b"%d" % MISSING_CAPABILITY not in error or EXTENSION.encode() not in error:
            return False
        exchange.needs_tasks = True
        return True

    # --- a call

    def created(self, exchange: Exchange, result: bytes) -> bool:
        """Follow the task that `result` creates; False when it is another result."""
        if MARK not in result:
            return False
        said = decode_said(result)
        if said.kind != "task":
            return False
        if exchange.open.method != "tools/call":
            exchange.refuse(f"The hosted server answered {exchange.open.method} with a task")
            self._peer.settled(exchange)
            return True
        self.begin(exchange, said)
        return True

    def begin(self, exchange: Exchange, said: Said) -> None:
        super().begin(exchange, said)
        if said.id in self._followed and self._listens.add(said.id):
            self._agenda.put(_LISTENS, 0.0)  # with those that begin at the same time

    def due(self, names: list[str]) -> None:
        if _LISTENS in names:
            self._listens.send()
        super().due(names)

    def owns(self, number: object) -> bool:
        return self._listens.owns(number) or super().owns(number)

    def answered(self, message: m.Message) -> None:
        assert isinstance(message.id, int)
        if not self._listens.owns(message.id):
            super().answered(message)
            return
        for task_id in self._listens.answered(message.id, is_error=message.error is not msgspec.UNSET):
            self._told(task_id, is_told=False)

    def acknowledged(self, number: int, params: bytes) -> None:
        """What happened before it agreed is asked for once."""
        for task_id in self._listens.acknowledged(number, params):
            self._told(task_id, is_told=True)

    def _told(self, task_id: str, *, is_told: bool) -> None:
        followed = self._followed.get(task_id)
        if followed is not None:
            followed.is_told = is_told
            if not followed.is_polled:
                self._agenda.put(task_id, followed.seconds)

    def announced(self, number: int, method: str, params: bytes) -> None:
        """The child tells of a task."""
        said = decode_said(params or b"{}") if method == METHOD else Said()
        followed = self._followed.get(said.id)
        if followed is not None and not followed.exchange.is_done:
            self.heard(followed, said)

    def came_late(self, result: bytes) -> bool:
        """Whether the answer to a call that is over was a task: then nobody wants it any more."""
        said = decode_said(result) if MARK in result else Said()
        if said.kind == "task" and said.id:
            self.give_up(None, said.id)
        return said.kind == "task"

    def take(self, followed: ModernTask, said: Said) -> None:
        if said.status == "completed":
            self._over(followed, result=_complete(bytes(said.result or b"{}")))
        elif said.status == "failed":
            error = bytes(said.error) or m.error_body(m.INTERNAL_ERROR, said.words or "The task failed")
            self._over(followed, error=error)
        elif said.status == "cancelled":
            self._cancelled(followed, said.words or "")
        else:
            if said.words:
                followed.tell(said.words)
            self._ask_for(followed, said.requests or {})

    # --- its questions

    def _ask_for(self, followed: ModernTask, requests: dict[str, msgspec.Raw]) -> None:
        exchange = followed.exchange
        for key, (task, name) in list(self._open.items()):
            if task is followed and name not in requests:  # it does not want to know any more
                del self._open[key]
                exchange.answered(key)
        if words := self._peer.judge.of_requests(self._peer.id, requests):
            self.cancel(exchange)
            exchange.refuse(words, data=NOT_ASKED)
            self._peer.settled(exchange)
            return
        new = {name: raw for name, raw in requests.items() if name not in followed.keys}
        has_page = bool(exchange.task and exchange.open.subject)  # the task's, for whoever may sign in
        if not has_page and (missing := missing_of(new, self._client.capabilities_of(exchange))):
            self.cancel(exchange)
            refuse_missing(self._peer, exchange, missing, new)
            return
        is_shown_here = bool(missing_of(new, self._client.declared_of(exchange)))
        for name, raw in new.items():
            self._count += 1
            key = key_of(f"t{self._count}", on_site=is_shown_here)
            followed.keys[name] = key
            self._open[key] = followed, name
            question = bytes(raw)
            exchange.ask(key, question if is_modern(exchange.open.revision) else legacy_question(key, question))

    def answer(self, key: str, *, result: bytes, error: bytes) -> bool:
        """Pass an answer on; False when the question is not open any more."""
        followed, name = self._open.pop(key, (None, ""))
        if followed is None:
            return False
        exchange = followed.exchange
        exchange.answered(key)
        if error:  # an update can carry results only
            self.cancel(exchange)
            exchange.refuse(f"The client could not answer {name!r}", data=msgspec.Raw(error))
            self._peer.settled(exchange)
            return True
        number = self._ask(exchange, followed.id, UPDATE, {"inputResponses": {name: msgspec.Raw(result)}})
        self._updates[number] = name
        return True

    def _other(self, followed: ModernTask, number: int, method: str, result: bytes, error: bytes) -> None:
        """An update that did not arrive leaves the question open, and it is asked again."""
        name = self._updates.pop(number, "")
        if error and name:
            followed.keys.pop(name, None)

    def _drop(self, followed: ModernTask) -> None:
        super()._drop(followed)
        self._listens.drop(followed.id)
        for key in [key for key, (task, _) in self._open.items() if task is followed]:
            del self._open[key]


def offers_tasks(capabilities: bytes) -> bool:
    """Whether a child's DiscoverResult declares the extension. `capabilities` is raw JSON."""
    if EXTENSION.encode() not in capabilities:
        return False
    decoded: dict[str, Any] = msgspec.json.decode(capabilities, type=dict[str, Any])
    return EXTENSION in (decoded.get("extensions") or {})


def with_extension(capabilities: bytes) -> bytes:
    """A client's capabilities with the extension among them."""
    members: dict[str, Any] = dict(m.decode_members(capabilities or b"{}"))
    extensions: dict[str, Any] = dict(m.decode_members(members["extensions"])) if "extensions" in members else {}
    extensions.setdefault(EXTENSION, {})
    members["extensions"] = extensions
    return m.encode(members)


def _complete(result: bytes) -> bytes:
    """A result has its type, also where a task held it."""
    return result if b'"resultType"' in result else m.with_first(result, b'"resultType":"complete"')
