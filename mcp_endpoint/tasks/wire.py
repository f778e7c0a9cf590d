"""A task's record as each revision writes it. Pure.

2025-11-25 basic/utilities/tasks; SEP-2663 (io.modelcontextprotocol/tasks) for 2026-07-28.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from hosting.runner.upstream.on_site import is_on_site
from hosting.tasks.states import Outcome, State, status_2025, status_2026
from mcp_endpoint.wire import jsonrpc as j

EXTENSION: Final = "io.modelcontextprotocol/tasks"
RELATED: Final = "io.modelcontextprotocol/related-task"
IMMEDIATE: Final = "io.modelcontextprotocol/model-immediate-response"
POLL_MILLISECONDS: Final = 1000
KEY: Final = "task:"  # before the ids of requests that belong to a task: "task:<task id>:<key>"


@dataclass(frozen=True, slots=True)
class TaskSeen:
    """What the endpoint needs of a task's row. `body` is raw JSON of result or error, only where it was asked for."""

    id: str
    tool: str
    state: str
    outcome: str
    reason: str
    created_at: datetime
    updated_at: datetime
    ttl_ms: int | None
    progress: dict[str, Any] = field(default_factory=dict)
    questions: dict[str, Any] = field(default_factory=dict)
    exchange: str = ""
    exchange_owner: str = ""
    runner_address: str = ""
    progress_token: bytes = b""
    body: bytes = b""
    page: str = ""  # its address on the site

    @property
    def asked(self) -> dict[str, Any]:
        """The open questions that its client may be asked."""
        return {key: question for key, question in self.questions.items() if not is_on_site(key)}

    @property
    def is_asked_on_site(self) -> bool:
        return any(map(is_on_site, self.questions))

    @property
    def is_ended(self) -> bool:
        return self.state == State.ENDED


def of_2025(task: TaskSeen) -> dict[str, Any]:
    """The Task object of 2025-11-25."""
    return _object(task, _status(task, status_2025), "ttl", "pollInterval")


def created_2025(task: TaskSeen) -> bytes:
    """CreateTaskResult: the task, and what a model may be told meanwhile."""
    words = f"The call of {task.tool} runs as task {task.id}. Its result will be available when it is done."
    if task.state == State.LACKING:
        words = f"The call of {task.tool} waits as task {task.id}, and begins by itself. {task.reason}"
    return j.encode({"task": of_2025(task), "_meta": {IMMEDIATE: words, RELATED: {"taskId": task.id}}})


def of_2026(task: TaskSeen) -> dict[str, Any]:
    """DetailedTask of SEP-2663: the state, and what goes with it."""
    status = _status(task, status_2026)
    members = _object(task, status, "ttlMs", "pollIntervalMs")
    if status == "input_required":
        members["inputRequests"] = task.asked
    elif status == "completed":
        members["result"] = msgspec.Raw(task.body or b"{}")
    elif status == "failed":
        members["error"] = msgspec.Raw(error_of(task))
    return members


def created_2026(task: TaskSeen) -> bytes:
    """CreateTaskResult: flat, and never with a result, an error or questions."""
    status = _status(task, status_2026)
    return j.encode({"resultType": "task", **_object(task, status, "ttlMs", "pollIntervalMs")})


def got_2026(task: TaskSeen) -> bytes:
    """GetTaskResult."""
    return j.encode({"resultType": "complete", **of_2026(task)})


ACKNOWLEDGED_2026: Final = b'{"resultType":"complete"}'


def error_of(task: TaskSeen) -> bytes:
    """The JSON-RPC error that a task ended with, for one that has no result."""
    if task.outcome == Outcome.ERROR and task.body:
        return task.body
    words = {
        Outcome.CANCELLED: f"The task was cancelled: {task.reason}",
        Outcome.LOST: f"The task was lost: {task.reason}",
    }.get(Outcome(task.outcome), task.reason or "The task failed")
    return j.error_object(j.INTERNAL_ERROR, words, {"reason": task.outcome})


def related(raw: bytes, task_id: str) -> bytes:
    """The raw object `raw` with the task's id in its `_meta` ("Associating Task-Related Messages")."""
    members = j.decode_members(raw or b"{}")
    if members is None:
        return raw
    meta = (j.decode_members(members["_meta"]) if "_meta" in members else None) or {}
    meta[RELATED] = msgspec.Raw(j.encode({"taskId": task_id}))
    members["_meta"] = msgspec.Raw(j.encode(meta))
    return j.encode(members)


def question(task_id: str, asked: dict[str, Any]) -> bytes:
    """A question of a task as the raw object {"method", "params"} that a request is made of."""
    params = related(j.encode(asked.get("params") or {}), task_id)
    return b'{"method":%b,"params":%b}' % (j.encode(asked.get("method", "")), params)


def key_of(task_id: str, key: str) -> str:
    return f"{KEY}{task_id}:{key}"


def parse_key(text: str) -> tuple[str, str] | None:
    """(task id, key) of a request's id that `key_of` made, None for any other."""
    if not text.startswith(KEY):
        return None
    task_id, colon, key = text.removeprefix(KEY).partition(":")
    return (task_id, key) if colon and task_id and key else None


def declares(capabilities: bytes) -> bool:
    """Whether a modern client's capabilities name the extension."""
    if EXTENSION.encode() not in capabilities:
        return False
    value = j.decode_any(capabilities)
    extensions = value.get("extensions") if isinstance(value, dict) else None
    return isinstance(extensions, dict) and isinstance(extensions.get(EXTENSION), dict)


MISSING: Final[dict[str, Any]] = {"requiredCapabilities": {"extensions": {EXTENSION: {}}}}


def _status(task: TaskSeen, projected: Callable[[str, str], str]) -> str:
    """One that waits for a page is shown to wait for its client only as long as that has been asked nothing."""
    if task.state == State.LACKING:
        return "input_required" if task.questions else "working"
    if task.state == State.INPUT_REQUIRED and not task.asked:
        return projected(State.WORKING, "")
    return projected(task.state, task.outcome)


def _object(task: TaskSeen, status: str, ttl: str, poll: str) -> dict[str, Any]:
    members: dict[str, Any] = {"taskId": task.id, "status": status}
    if task.is_asked_on_site and not task.is_ended:
        members["statusMessage"] = asked_words(task)
    elif task.reason:
        members["statusMessage"] = task.reason
    members |= {"createdAt": _iso(task.created_at), "lastUpdatedAt": _iso(task.updated_at), ttl: task.ttl_ms}
    if not task.is_ended:
        members[poll] = POLL_MILLISECONDS
    return members


def asked_words(task: TaskSeen) -> str:
    return f"The server asks its user something that this client can't show. It is answered at {task.page}"


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
