"""The tasks of a child of 2025-11-25 (basic/utilities/tasks), for those tools that must be called as one.

Which they are is in its list of tools, which is read before the first call and again when it has changed. A tool that
may run as a task or not is called plainly: what the platform adds to it is the same for every server.
"""

from __future__ import annotations

from typing import Any, Protocol

import msgspec

from hosting.runner.exchange import Exchange
from hosting.runner.upstream import messages as m
from hosting.runner.upstream.base import Peer
from hosting.runner.upstream.following import ENDED, MARK, Child, Followed, Following, Said, decode_said

REVISION = "2025-11-25"
RESULT = "tasks/result"
LIST = "tools/list"
STATUS = "notifications/tasks/status"
CHANGED = "notifications/tools/list_changed"
RELATED = m.META + "related-task"
MAX_PAGES = 100


class _Execution(msgspec.Struct):
    support: str = msgspec.field(name="taskSupport", default="forbidden")


class _Tool(msgspec.Struct):
    name: str = ""
    execution: _Execution | None = None


class _Tools(msgspec.Struct):
    tools: list[_Tool] = []
    cursor: str | None = msgspec.field(name="nextCursor", default=None)


class _Created(msgspec.Struct):
    task: Said | None = None


class _Named(msgspec.Struct):
    name: str = ""


class LegacyChild(Child, Protocol):
    """The adapter, as far as it is needed here."""

    def send(self, exchange: Exchange) -> None:
        """Send the exchange's call."""


class LegacyTask(Followed):
    def __init__(self, exchange: Exchange, said: Said) -> None:
        super().__init__(exchange, said)
        self.is_awaited = False  # whether tasks/result has been sent


class LegacyTasks(Following[LegacyTask]):
    """`capabilities`: the child's own, raw; `revision`: the one agreed with it."""

    made = LegacyTask

    def __init__(self, peer: Peer, child: LegacyChild, capabilities: bytes, revision: str) -> None:
        super().__init__(peer, child)
        self._sender = child
        self._is_offered = revision == REVISION and _takes_calls(capabilities)
        self._required: set[str] | None = None  # None: the list is not read
        self._found: set[str] = set()  # while it is being read
        self._pages = 0
        self._waiting: list[Exchange] = []
        self._lists: set[int] = set()

    # --- which tools

    def holds(self, exchange: Exchange) -> bool:
        """Whether the call waits for the list of tools; it is sent when that is there."""
        if not self._is_offered or exchange.open.method != "tools/call" or self._required is not None:
            return False
        self._waiting.append(exchange)
        if not self._lists:
            self._found, self._pages = set(), 0
            self._list({})
        return True

    def _list(self, params: dict[str, Any]) -> None:
        self._pages += 1
        self._lists.add(self._child.ask_of_task(None, LIST, params))

    def owns(self, number: object) -> bool:
        return number in self._lists or super().owns(number)

    def answered(self, message: m.Message) -> None:
        if message.id not in self._lists:
            super().answered(message)
            return
        assert isinstance(message.id, int)
        self._lists.discard(message.id)
        cursor = self._listed(b"" if message.result is msgspec.UNSET else bytes(message.result))
        if cursor and self._pages < MAX_PAGES:
            self._list({"cursor": cursor})
            return
        self._required = self._found
        waiting, self._waiting = self._waiting, []
        for exchange in waiting:
            if not exchange.is_done:
                self._sender.send(exchange)

    def _listed(self, result: bytes) -> str:
        """Takes a page; the cursor of the next. A list that can't be read has no such tools."""
        try:
            page = msgspec.json.decode(result or b"{}", type=_Tools)
        except msgspec.DecodeError:
            return ""
        self._found |= {tool.name for tool in page.tools if tool.execution and tool.execution.support == "required"}
        return page.cursor or ""

    def params(self, exchange: Exchange, params: bytes) -> bytes:
        """The call's parameters, with `task` where the tool asks for it."""
        if not self._required or exchange.open.method != "tools/call":
            return params
        if msgspec.json.decode(params or b"{}", type=_Named).name not in self._required:
            return params
        return m.with_first(params, b'"task":{}')

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

    def take(self, followed: LegacyTask, said: Said) -> None:
        """Questions and outcome come with `tasks/result`, which waits; a cancelled task has none."""
        if said.words:
            followed.tell(said.words)
        if said.status == "cancelled":
            self._cancelled(followed, said.words or "")
        elif not followed.is_awaited and (said.status in ENDED or said.status == "input_required"):
            followed.is_awaited = True
            self._ask(followed.exchange, followed.id, RESULT, {})

    def _other(self, followed: LegacyTask, number: int, method: str, result: bytes, error: bytes) -> None:
        if method != RESULT:
            return
        if error:
            self._over(followed, error=error)
        else:
            self._over(followed, result=_unrelated(result or b"{}"))

    def told(self, method: str, params: bytes) -> bool:
        """A notification that is about tasks, or about which tools need one. False for any other."""
        if method == CHANGED:
            self._required = None if not self._lists else self._required
            return False
        if method != STATUS or not self._is_offered:
            return False
        said = decode_said(params or b"{}")
        followed = self._followed.get(said.id)
        if followed is not None:
            self.take(followed, said)
        return True

    def asked_by(self, params: bytes) -> Exchange | None:
        """The call whose task a message of the child belongs to ("Associating Task-Related Messages")."""
        if not self._followed or RELATED.encode() not in params:
            return None
        members = m.decode_members(params)
        meta = m.decode_members(members["_meta"]) if "_meta" in members else {}
        followed = self._followed.get(decode_said(meta[RELATED]).id) if RELATED in meta else None
        return followed.exchange if followed is not None else None


def _takes_calls(capabilities: bytes) -> bool:
    """Whether they have `tasks.requests.tools.call`."""
    found: Any = msgspec.json.decode(capabilities or b"{}")
    for name in ("tasks", "requests", "tools", "call"):
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
