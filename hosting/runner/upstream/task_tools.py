"""Which tools of a handshake child must be called as tasks.

It is in the child's list of tools, which is read before the first call and again when it has changed.
Source: 2025-11-25 basic/utilities/tasks, "Tool-Level Negotiation".
"""

from __future__ import annotations

from typing import Any

import msgspec

from hosting.runner.exchange import Exchange
from hosting.runner.upstream import messages as m
from hosting.runner.upstream.following import Child

LIST = "tools/list"
CALL = "tools/call"
MAX_PAGES = 100


class _Execution(msgspec.Struct):
    support: str = msgspec.field(name="taskSupport", default="forbidden")


class _Tool(msgspec.Struct):
    name: str = ""
    execution: _Execution | None = None


class _Tools(msgspec.Struct):
    tools: list[_Tool] = []
    cursor: str | None = msgspec.field(name="nextCursor", default=None)


class _Named(msgspec.Struct):
    name: str = ""


class TaskTools:
    """Plain data beside its child, so that a restart of the runner can write it down."""

    def __init__(self, child: Child) -> None:
        self._child = child
        self._required: set[str] | None = None  # None: the list is not read
        self._found: set[str] = set()  # while it is being read
        self._pages = 0
        self._waiting: list[Exchange] = []
        self._lists: set[int] = set()

    def holds(self, exchange: Exchange) -> bool:
        """Whether the call has to wait for the list; `answered` gives it back."""
        if exchange.open.method != CALL or self._required is not None:
            return False
        self._waiting.append(exchange)
        if not self._lists:
            self._found, self._pages = set(), 0
            self._list({})
        return True

    def needs_task(self, exchange: Exchange, params: bytes) -> bool:
        if not self._required or exchange.open.method != CALL:
            return False
        return msgspec.json.decode(params or b"{}", type=_Named).name in self._required

    def changed(self) -> None:
        """The list is another one now."""
        if not self._lists:
            self._required = None

    def _list(self, params: dict[str, Any]) -> None:
        self._pages += 1
        self._lists.add(self._child.ask_of_task(None, LIST, params))

    def owns(self, number: object) -> bool:
        return number in self._lists

    def answered(self, message: m.Message) -> list[Exchange]:
        """Takes a page. The calls that waited, once it was the last."""
        assert isinstance(message.id, int)
        self._lists.discard(message.id)
        cursor = self._listed(b"" if message.result is msgspec.UNSET else bytes(message.result))
        if cursor and self._pages < MAX_PAGES:
            self._list({"cursor": cursor})
            return []
        self._required = self._found
        waiting, self._waiting = self._waiting, []
        return [exchange for exchange in waiting if not exchange.is_done]

    def _listed(self, result: bytes) -> str:
        """The cursor of the next page. A list that can't be read has no such tools."""
        try:
            page = msgspec.json.decode(result or b"{}", type=_Tools)
        except msgspec.DecodeError:
            return ""
        self._found |= {tool.name for tool in page.tools if tool.execution and tool.execution.support == "required"}
        return page.cursor or ""
