"""The tasks of a child of 2025-11-25 (basic/utilities/tasks), for those tools that must be called as one.

Which they are is in its list of tools (`task_tools.py`). A tool that may run as a task or not is called plainly: what
the platform adds to it is the same for every server.

How a task goes is not asked for where that can be helped: `tasks/result` waits at the server for the outcome, so it is
sent as soon as there is a task, and the task's questions come meanwhile. Over HTTP that would hold a connection for
each, so a remote server is asked for all tasks that are due at once, by `tasks/list` where it has that.
"""

from __future__ import annotations

from typing import Any, Protocol

import msgspec

from hosting.runner.exchange import Exchange
from hosting.runner.upstream import messages as m
from hosting.runner.upstream.base import Peer
from hosting.runner.upstream.following import (
    ENDED,
    MARK,
    MAX_FAILURES,
    Child,
    Followed,
    Following,
    Said,
    decode_said,
)
from hosting.runner.upstream.task_tools import TaskTools

REVISION = "2025-11-25"
RESULT = "tasks/result"
TASKS = "tasks/list"
STATUS = "notifications/tasks/status"
CHANGED = "notifications/tools/list_changed"
RELATED = m.META + "related-task"
MAX_TASK_PAGES = 20  # a server may remember far more tasks than we follow


class _Tasks(msgspec.Struct):
    tasks: list[Said] = []
    cursor: str | None = msgspec.field(name="nextCursor", default=None)


class _Created(msgspec.Struct):
    task: Said | None = None


class LegacyChild(Child, Protocol):
    """The adapter, as far as it is needed here."""

    def send(self, exchange: Exchange) -> None:
        """Send the exchange's call."""


class LegacyTask(Followed):
    def __init__(self, exchange: Exchange, said: Said) -> None:
        super().__init__(exchange, said)
        self.is_awaited = False  # whether tasks/result has been sent
        self.refused = b""  # the error that it was answered with: the task's own, or because it does not wait
        self.refusals = 0


class LegacyTasks(Following[LegacyTask]):
    """`capabilities`: the child's own, raw; `revision`: the one agreed with it."""

    made = LegacyTask

    def __init__(self, peer: Peer, child: LegacyChild, capabilities: bytes, revision: str) -> None:
        super().__init__(peer, child)
        self._sender = child
        self._is_offered = revision == REVISION and _has(capabilities, "requests", "tools", "call")
        self._has_list = _has(capabilities, "list")
        self._task_pages: set[int] = set()  # numbers of tasks/list
        self._sought: set[str] = set()  # tasks that were due and stood on no page yet
        self._page_count = 0
        self._tools = TaskTools(child)

    # --- messages

    def holds(self, exchange: Exchange) -> bool:
        """Whether the call waits for the list of tools; it is sent when that is there."""
        return self._is_offered and self._tools.holds(exchange)

    def params(self, exchange: Exchange, params: bytes) -> bytes:
        """The call's parameters, with `task` where the tool asks for it."""
        return m.with_first(params, b'"task":{}') if self._tools.needs_task(exchange, params) else params

    def owns(self, number: object) -> bool:
        return self._tools.owns(number) or number in self._task_pages or super().owns(number)

    def answered(self, message: m.Message) -> None:
        if message.id in self._task_pages:
            self._paged(message)
        elif self._tools.owns(message.id):
            for exchange in self._tools.answered(message):
                self._sender.send(exchange)
        else:
            super().answered(message)

    # --- a call

    def created(self, exchange: Exchange, result: bytes) -> bool:
        """Follow the task that `result` creates; False when it is another result."""
        if not self._is_offered or MARK not in result or exchange.open.method != "tools/call":
            return False
        said = self.in_result(result)
        if said is None:
            return False
        self.begin(exchange, said)
        return True

    def came_late(self, result: bytes) -> bool:
        """Whether the answer to a call that is over was a task: then nobody wants it any more."""
        said = self.in_result(result) if self._is_offered else None
        if said is not None:
            self.give_up(None, said.id)
        return said is not None

    @staticmethod
    def in_result(result: bytes) -> Said | None:
        """The task that a CreateTaskResult names, None for any other result."""
        try:
            said = msgspec.json.decode(result, type=_Created).task if MARK in result else None
        except msgspec.DecodeError:
            return None
        return said if said is not None and said.id else None

    def begin(self, exchange: Exchange, said: Said) -> None:
        super().begin(exchange, said)
        followed = self._followed.get(said.id)
        if followed is not None and followed.exchange is exchange and not self._peer.is_remote:
            self._await(followed)
            self._schedule(followed)

    def _await(self, followed: LegacyTask) -> None:
        """Ask for the outcome, which comes when there is one; the task's questions come before ("Result Retrieval")."""
        followed.is_awaited = followed.is_told = True
        self._ask(followed.exchange, followed.id, RESULT, {})

    def take(self, followed: LegacyTask, said: Said) -> None:
        """A cancelled task has no outcome. Some servers refuse to wait for one."""
        if said.words:
            followed.tell(said.words)
        refused, followed.refused = followed.refused, b""
        if said.status == "cancelled":
            self._cancelled(followed, said.words or "")
        elif refused and (said.status in ENDED or followed.refusals >= MAX_FAILURES):
            self._over(followed, error=refused)
        elif not followed.is_awaited and (said.status in ENDED or said.status == "input_required"):
            self._await(followed)

    def _unheard(self, followed: LegacyTask, error: bytes) -> None:
        if followed.refused:
            self._over(followed, error=followed.refused)
        else:
            super()._unheard(followed, error)

    def _other(self, followed: LegacyTask, number: int, method: str, result: bytes, error: bytes) -> None:
        if method != RESULT:
            return
        if not error:
            self._over(followed, result=_unrelated(result or b"{}"))
            return
        followed.is_awaited = followed.is_told = False
        followed.refused = error
        followed.refusals += 1
        if not followed.is_polled:
            self._agenda.put(followed.id, 0.0 if followed.refusals == 1 else followed.seconds)

    # --- many at once

    def _look(self, due: list[LegacyTask]) -> None:
        if not self._has_list or len(due) + len(self._sought) < 2:
            super()._look(due)
            return
        is_reading = bool(self._task_pages)
        self._sought |= {followed.id for followed in due}
        if not is_reading:
            self._page_count = 0
            self._page({})

    def _page(self, params: dict[str, Any]) -> None:
        self._page_count += 1
        self._task_pages.add(self._child.ask_of_task(None, TASKS, params))

    def _paged(self, message: m.Message) -> None:
        """A page of the server's tasks. What is on none of them is asked for by its name."""
        assert isinstance(message.id, int)
        self._task_pages.discard(message.id)
        cursor = None
        if message.result is msgspec.UNSET:
            self._has_list = False
        else:
            try:
                page = msgspec.json.decode(message.result, type=_Tasks)
            except msgspec.DecodeError:
                self._has_list, page = False, _Tasks()
            cursor = page.cursor
            for said in page.tasks:
                followed = self._followed.get(said.id)
                if followed is not None and not followed.exchange.is_done and not followed.is_polled:
                    self._sought.discard(said.id)
                    self.heard(followed, said)
        if cursor and self._sought and self._page_count < MAX_TASK_PAGES:
            self._page({"cursor": cursor})
            return
        sought, self._sought = self._sought, set()
        super()._look([followed for each in sought if (followed := self._followed.get(each)) is not None])

    def told(self, method: str, params: bytes) -> bool:
        """A notification that is about tasks, or about which tools need one. False for any other."""
        if method == CHANGED:
            self._tools.changed()
            return False
        if method != STATUS or not self._is_offered:
            return False
        said = decode_said(params or b"{}")
        followed = self._followed.get(said.id)
        if followed is not None and not followed.exchange.is_done:
            followed.is_told = True
            self.heard(followed, said)
        return True

    def asked_by(self, params: bytes) -> Exchange | None:
        """The call whose task a message of the child belongs to ("Associating Task-Related Messages")."""
        if not self._followed or RELATED.encode() not in params:
            return None
        members = m.decode_members(params)
        meta = m.decode_members(members["_meta"]) if "_meta" in members else {}
        followed = self._followed.get(decode_said(meta[RELATED]).id) if RELATED in meta else None
        return followed.exchange if followed is not None else None


def _has(capabilities: bytes, *names: str) -> bool:
    """Whether a server's capabilities have `tasks`, and in it what is named."""
    found: Any = msgspec.json.decode(capabilities or b"{}")
    for name in ("tasks", *names):
        found = found.get(name) if isinstance(found, dict) else None
    return found is not None


def _unrelated(result: bytes) -> bytes:
    """Without the child's own task id, which says nothing to anybody else."""
    if RELATED.encode() not in result:
        return result
    members = m.decode_members(result)
    meta = m.decode_members(members["_meta"]) if "_meta" in members else {}
    meta.pop(RELATED, None)
    if meta:
        members["_meta"] = msgspec.Raw(m.encode(meta))
    else:
        members.pop("_meta", None)
    return m.encode(members)
