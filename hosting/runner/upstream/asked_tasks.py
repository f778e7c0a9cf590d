"""Tasks on the client's side: what a child of 2025-11-25 asks of its client with `task` (sampling, elicitation).

A client that offers this and is there is asked as the child asks, and has the task itself; the child's further requests
about it go to that client. Where the question belongs to a task of the site, which outlives its client, the task is
held here: the question is asked plainly, of whoever answers it, and the child finds the answer by the same methods. A
client that does not offer it is asked plainly, and answers so ("Task Support and Handling").
Source: 2025-11-25 basic/utilities/tasks.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import Any

import msgspec

from hosting.runner.exchange import Exchange
from hosting.runner.upstream import messages as m
from hosting.runner.upstream.base import Peer, is_modern

METHODS = frozenset({"tasks/get", "tasks/result", "tasks/list", "tasks/cancel"})
MARK = b'"task"'
RELATED = m.META + "related-task"
STATUS = "notifications/tasks/status"
POLL_MILLISECONDS = 1000
MAX_KEPT = 200  # of one child, with their answers; the oldest that is over goes first
MAX_TTL = 86_400_000


class _Named(msgspec.Struct):
    id: str = msgspec.field(name="taskId", default="")


class _Created(msgspec.Struct):
    task: _Named | None = None


class HeldTask:
    """One question that the child will come back for."""

    def __init__(self, ttl: int) -> None:
        self.id = secrets.token_hex(16)
        self.status = "working"
        self.words = "The question is open."
        self.created_at = self.updated_at = _now()
        self.ttl = ttl
        self.result = self.error = b""
        self.awaited: list[Any] = []  # ids of the child's tasks/result that wait

    def shown(self) -> dict[str, Any]:
        return {
            "taskId": self.id,
            "status": self.status,
            "statusMessage": self.words,
            "createdAt": self.created_at,
            "lastUpdatedAt": self.updated_at,
            "ttl": self.ttl,
            "pollInterval": POLL_MILLISECONDS,
        }


class AskedTasks:
    """Those of one child. Plain data, so that a restart of the runner can write it down."""

    def __init__(self, peer: Peer, capabilities: bytes) -> None:
        self._peer = peer
        self._capabilities = capabilities
        self._held: dict[str, HeldTask] = {}
        self._by_key: dict[str, HeldTask] = {}  # of the open question
        self._at_client: dict[str, Exchange | None] = {}  # a client's task id -> the call that asked

    # --- a question

    def is_offered(self, method: str) -> bool:
        """Whether the client takes this request as a task."""
        return _has(self._capabilities, "requests", *method.split("/"))

    def relays(self, method: str, asked_by: Exchange | None) -> bool:
        """Whether the client is to have the task itself."""
        is_there = asked_by is None or not (asked_by.task or is_modern(asked_by.open.revision))
        return is_there and self.is_offered(method)

    def hold(self, request_id: Any, key: str, wanted: msgspec.Raw) -> None:
        """Answers the child that its question has become a task."""
        try:
            ttl = msgspec.json.decode(wanted, type=dict[str, Any]).get("ttl")
        except msgspec.DecodeError:
            ttl = None
        ttl = min(int(ttl), MAX_TTL) if isinstance(ttl, int | float) and 0 <= ttl <= 1e15 else MAX_TTL
        task = HeldTask(ttl)
        self._held[task.id] = self._by_key[key] = task
        over = [each for each in self._held.values() if each.status != "working"]
        for old in over[: max(0, len(self._held) - MAX_KEPT)]:
            del self._held[old.id]
        self._peer.write(m.response(request_id, result=m.encode({"task": task.shown()})))

    def answered(self, key: str, *, result: bytes, error: bytes) -> bool:
        """False when the question is none of those that are held here."""
        task = self._by_key.pop(key, None)
        if task is None:
            return False
        task.result, task.error = result, error
        self._end(task, "failed" if error else "completed", "The question was answered.")
        return True

    def _end(self, task: HeldTask, status: str, words: str) -> None:
        task.status, task.words, task.updated_at = status, words, _now()
        self._peer.write(m.notification(STATUS, m.encode(task.shown())))
        waiting, task.awaited = task.awaited, []
        for request_id in waiting:
            self._tell(task, request_id)

    def _tell(self, task: HeldTask, request_id: Any) -> None:
        if task.error:
            self._peer.write(m.response(request_id, error=task.error))
            return
        result = m.with_meta(task.result, {RELATED: {"taskId": task.id}})
        self._peer.write(m.response(request_id, result=result))

    def refused(self, key: str, error: bytes) -> bool:
        """Nobody will answer any more."""
        return self.answered(key, result=b"", error=error)

    def taken_by_client(self, result: bytes, asked_by: Exchange | None) -> bool:
        """Whether the client made a task of a question: then what the child asks about that goes the same way."""
        try:
            task = msgspec.json.decode(result, type=_Created).task if MARK in result else None
        except msgspec.DecodeError:
            return False
        if task is None or not task.id:
            return False
        self._at_client[task.id] = asked_by
        while len(self._at_client) > MAX_KEPT:
            del self._at_client[next(iter(self._at_client))]
        return True

    # --- the child comes back for it

    def call_of(self, params: bytes) -> Exchange | None:
        """The call whose client has the task that a request of the child names, while that call runs."""
        call = self._at_client.get(_named(params))
        return None if call is None or call.is_done or call.task else call

    def takes(self, method: str, params: bytes) -> bool:
        """Whether that request is about what is held here; the list is, as far as there is anything on it."""
        return bool(self._held) if method == "tasks/list" else _named(params) in self._held

    def serve(self, request_id: Any, method: str, params: bytes) -> str:
        """Answers one of METHODS. The key of the question that the child does not want an answer to any more, or ""."""
        if method == "tasks/list":
            shown = [task.shown() for task in self._held.values()]
            self._peer.write(m.response(request_id, result=m.encode({"tasks": shown})))
            return ""
        task = self._held[_named(params)]
        if method == "tasks/result":
            if task.status == "working":
                task.awaited.append(request_id)
            else:
                self._tell(task, request_id)
            return ""
        if method == "tasks/get":
            self._peer.write(m.response(request_id, result=m.encode(task.shown())))
            return ""
        return self._cancel(request_id, task)

    def _cancel(self, request_id: Any, task: HeldTask) -> str:
        if task.status != "working":
            words = f"Cannot cancel task: already in terminal status '{task.status}'"
            self._peer.write(m.response(request_id, error=m.error_body(m.INVALID_PARAMS, words)))
            return ""
        key = next(key for key, held in self._by_key.items() if held is task)
        del self._by_key[key]
        task.error = m.error_body(m.INTERNAL_ERROR, "The task was cancelled by request.")
        self._end(task, "cancelled", "The task was cancelled by request.")
        self._peer.write(m.response(request_id, result=m.encode(task.shown())))
        return key

    def lacking(self, method: str) -> str:
        """Why a request of METHODS is not passed on to the client, "" when it is."""
        part = {"tasks/list": ("list",), "tasks/cancel": ("cancel",)}.get(method, ())
        return "" if _has(self._capabilities, *part) else f"The client does not offer {method}"


def without_task(params: bytes) -> tuple[bytes, msgspec.Raw | None]:
    """A question's raw parameters without `task`, and what that was; None where there was none."""
    if MARK not in params:
        return params, None
    members = m.decode_members(params)
    wanted = members.pop("task", None)
    return (params, None) if wanted is None else (m.encode(members), wanted)


def _named(params: bytes) -> str:
    try:
        return msgspec.json.decode(params or b"{}", type=_Named).id
    except msgspec.DecodeError:
        return ""


def _has(capabilities: bytes, *names: str) -> bool:
    """Whether a client's capabilities have `tasks`, and in it what is named."""
    try:
        found: Any = msgspec.json.decode(capabilities or b"{}")
    except msgspec.DecodeError:
        return False
    for name in ("tasks", *names):
        found = found.get(name) if isinstance(found, dict) else None
    return found is not None


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
