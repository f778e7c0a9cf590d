"""Listen requests for a modern child's own tasks: it tells of them, and nobody has to ask.

Tasks that begin together share a request, which is ended with the last of them. A child that takes no such request, or
does not agree to a task, is polled instead; and until it has agreed, too.
Source: SEP-2663, "Task Status Notifications".
"""

from __future__ import annotations

from typing import Any, Protocol

import msgspec

from hosting.runner.exchange import Exchange
from hosting.runner.listening import LISTEN
from hosting.runner.upstream import messages as m
from hosting.runner.upstream.base import Peer

METHOD = "notifications/tasks"
AT_ONCE = 100  # ids in one request
MAX_VAIN = 3  # requests that the child ended by itself, or agreed to nothing of


class _Filter(msgspec.Struct):
    task_ids: list[str] = msgspec.field(name="taskIds", default_factory=list)


class _Acknowledged(msgspec.Struct):
    notifications: _Filter = msgspec.field(default_factory=_Filter)


class Asks(Protocol):
    """The child, as far as it is needed here."""

    def ask_of_task(self, exchange: Exchange | None, method: str, params: dict[str, Any]) -> int:
        """Send a request with the extension declared; its number."""


class TaskListens:
    """Which request tells of which task. Plain data, so that a restart of the runner can write it down."""

    def __init__(self, peer: Peer, child: Asks) -> None:
        self._peer = peer
        self._child = child
        self._is_worth_trying = True
        self._new: list[str] = []
        self._requests: dict[int, set[str]] = {}  # number -> tasks that it is for and that have not ended
        self._over: set[int] = set()  # cancelled by us; an answer may still come
        self._vain = 0

    def add(self, task_id: str) -> bool:
        """Whether it is to be asked for with the next `send`."""
        if self._is_worth_trying:
            self._new.append(task_id)
        return self._is_worth_trying

    def send(self) -> None:
        new, self._new = self._new, []
        while new and self._is_worth_trying:
            ids, new = new[:AT_ONCE], new[AT_ONCE:]
            number = self._child.ask_of_task(None, LISTEN, {"notifications": {"taskIds": ids}})
            self._requests[number] = set(ids)

    def drop(self, task_id: str) -> None:
        """It has ended."""
        if task_id in self._new:
            self._new.remove(task_id)
        for number, ids in list(self._requests.items()):
            if task_id in ids:
                ids.discard(task_id)
                if not ids:
                    self._end(number)

    def _end(self, number: int) -> None:
        del self._requests[number]
        self._over.add(number)
        self._peer.write(m.notification("notifications/cancelled", m.encode({"requestId": number})))

    def owns(self, number: object) -> bool:
        """Whether a message with that id or subscription id is meant for here."""
        return number in self._requests or number in self._over

    def acknowledged(self, number: int, params: bytes) -> list[str]:
        """The tasks that the child agreed to tell of; also when a remote's stream broke and was opened again."""
        wanted = self._requests.get(number)
        if wanted is None:
            return []
        try:
            agreed = msgspec.json.decode(params or b"{}", type=_Acknowledged).notifications.task_ids
        except msgspec.DecodeError:
            agreed = []
        told = wanted & set(agreed)
        if told:
            self._requests[number] = told
        elif wanted:
            self._in_vain()
            self._end(number)
        return sorted(told)

    def answered(self, number: int, *, is_error: bool) -> list[str]:
        """The child ended a request; the tasks that nobody tells of now."""
        if number in self._over:
            self._over.discard(number)
            return []
        self._in_vain(MAX_VAIN if is_error else 1)
        return sorted(self._requests.pop(number))

    def _in_vain(self, count: int = 1) -> None:
        self._vain += count
        self._is_worth_trying = self._vain < MAX_VAIN
