"""Tasks for clients that know none: three tools in a deployment's list, and the result that names a task.

A call that outlasts the deployment's limit, which lies under the usual 60 s of clients, is answered with words and a
task's id; `task_status`, `task_result` and `task_cancel` do the rest. Pure, but for `serve`.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any, Final

import msgspec

from common.errors import Conflict, NotFound
from hosting.tasks.states import Outcome, State
from hosting.tools.names import OF_TASKS
from mcp_endpoint.tasks import wire
from mcp_endpoint.tasks.wire import TaskSeen
from mcp_endpoint.wire import jsonrpc as j

if TYPE_CHECKING:
    from hosting.routing import Route
    from mcp_endpoint.context import Context

STATUS, RESULT, CANCEL = OF_TASKS
PREFIX: Final = "slipway_"  # where the server has a tool of that name
WAIT_SECONDS: Final = 20.0
MAX_WAIT_SECONDS: Final = 45.0
_BEGINNINGS: Final = ("task_", PREFIX)

_ID: Final[dict[str, Any]] = {
    "type": "string",
    "description": "The task's id, as the answer to the first call named it.",
}
_WAIT: Final[dict[str, Any]] = {
    "type": "number",
    "minimum": 0,
    "maximum": MAX_WAIT_SECONDS,
    "description": f"How many seconds to wait for the result; {WAIT_SECONDS:.0f} if left out.",
}


def _schema(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": {"task_id": _ID, **properties}, "required": ["task_id"]}


_DEFINITIONS: Final[dict[str, dict[str, Any]]] = {
    STATUS: {
        "title": "Status of a running call",
        "description": "Tells how a call goes that was handed over to the background, and whether it is done.",
        "inputSchema": _schema(),
        "annotations": {"readOnlyHint": True, "openWorldHint": False},
    },
    RESULT: {
        "title": "Result of a running call",
        "description": "Gives the result of a call that was handed over to the background. Waits a little for it.",
        "inputSchema": _schema(wait_seconds=_WAIT),
        "annotations": {"readOnlyHint": True, "openWorldHint": False},
    },
    CANCEL: {
        "title": "Cancel a running call",
        "description": "Stops a call that was handed over to the background.",
        "inputSchema": _schema(),
        "annotations": {"readOnlyHint": False, "destructiveHint": True, "idempotentHint": True, "openWorldHint": False},
    },
}


def names(taken: Collection[str]) -> dict[str, str]:
    """Name as listed → which of the three it is."""
    return {PREFIX + name if name in taken else name: name for name in _DEFINITIONS}


def own(route: Route, name: str) -> str:
    """Which of the three a called tool is, "" for none."""
    return names(route.names_taken).get(name, "") if route.hand_off_seconds and name.startswith(_BEGINNINGS) else ""


def in_list(result: bytes, taken: Collection[str]) -> bytes:
    """A result of tools/list with the three at its end; only the last page gets them."""
    members = j.decode_members(result)
    if members is None or "tools" not in members or "nextCursor" in members:
        return result
    ours = [j.encode({"name": listed, **_DEFINITIONS[name]}) for listed, name in names(taken).items()]
    tools = bytes(members["tools"]).strip()
    if tools[:1] != b"[" or tools[-1:] != b"]":
        return result
    inner = tools[1:-1].strip()
    members["tools"] = msgspec.Raw(b"[" + b",".join([inner, *ours] if inner else ours) + b"]")
    return j.encode(members)


def handed_off(task: TaskSeen, taken: Collection[str], *, has_output_schema: bool) -> bytes:
    """The ordinary result in place of one that isn't there yet. An error where clients would check a schema."""
    listed = {name: shown for shown, name in names(taken).items()}
    asked = ""
    if task.is_asked_on_site:
        asked = f"{wire.asked_words(task)} Ask the user to open that address in a browser and to answer there. "
    words = asked + (
        f"The call of {task.tool} is still running, and goes on in the background as task {task.id}. "
        f"Call {listed[RESULT]} with this task_id to get its result, {listed[STATUS]} to see how it goes, "
        f"or {listed[CANCEL]} to stop it."
    )
    result: dict[str, Any] = {"content": [_text(words)], "_meta": {wire.RELATED: {"taskId": task.id}}}
    if has_output_schema:
        result["isError"] = True
    return j.encode(result)


def waiting(task: TaskSeen, taken: Collection[str]) -> bytes:
    """The same of a call that has not begun, since its user lacks something: what to tell the user, and what then."""
    listed = {name: shown for shown, name in names(taken).items()}
    words = (
        f"{task.reason} Ask the user to open that address in a browser. The call of {task.tool} is kept as task "
        f"{task.id} and begins by itself when the page is done: do not call it again. Call {listed[RESULT]} with this "
        f"task_id to wait for its result, {listed[STATUS]} to see how it stands, or {listed[CANCEL]} to drop it."
    )
    return j.encode({"content": [_text(words)], "_meta": {wire.RELATED: {"taskId": task.id}}, "isError": True})


class _Arguments(msgspec.Struct):
    task_id: str = ""
    wait_seconds: float = WAIT_SECONDS


class _Params(msgspec.Struct):
    arguments: _Arguments = msgspec.field(default_factory=_Arguments)


_decode_params = msgspec.json.Decoder(_Params).decode


async def serve(context: Context, which: str, params: bytes) -> bytes:
    """The result of one of the three tools. What is wrong with the arguments is a tool error (SEP-1303)."""
    try:
        asked = _decode_params(params or b"{}").arguments
    except msgspec.DecodeError as error:
        return _error(f"The arguments can't be read: {error}")
    tasks = context.services.tasks
    try:
        if which == CANCEL:
            task = await tasks.cancel(context, asked.task_id)
        elif which == STATUS:
            task = await tasks.get(context, asked.task_id)
        else:
            wait = min(max(asked.wait_seconds, 0.0), MAX_WAIT_SECONDS)
            task = await tasks.ended(context, asked.task_id, wait)
            if task.is_ended:
                return _outcome(task)
    except NotFound:
        return _error("There is no such task. Ids of tasks are valid for the user who started them, until they expire.")
    except Conflict as error:
        return _error(error.message)
    return _status(task)


def _status(task: TaskSeen) -> bytes:
    status = wire.of_2025(task)["status"]
    words = [f"The call of {task.tool} is {_WORDS.get(status, status)}."]
    if task.state == State.LACKING:
        words = [f"The call of {task.tool} has not begun: it waits for its user, and begins by itself."]
    if task.progress:
        words.append(_progress(task.progress))
    if task.reason and not task.is_ended:
        words.append(task.reason if task.reason.endswith(".") else f"{task.reason}.")
    if task.questions and task.state != State.LACKING:
        words.append(f"It waits for an answer of a person; its page on the site has the question: {task.page}")
    return j.encode({"content": [_text(" ".join(words))], "_meta": {wire.RELATED: {"taskId": task.id}}})


_WORDS: Final = {"working": "still running", "input_required": "waiting for input", "completed": "done"}


def _progress(progress: dict[str, Any]) -> str:
    total = progress.get("total")
    return f"Progress: {progress.get('progress')}" + (f" of {total}." if total is not None else ".")


def _outcome(task: TaskSeen) -> bytes:
    if task.outcome in (Outcome.RESULT, Outcome.TOOL_ERROR):
        return task.body
    error = j.decode_any(wire.error_of(task))
    return _error(str(error.get("message", "The task failed")) if isinstance(error, dict) else "The task failed")


def _error(words: str) -> bytes:
    return j.encode({"content": [_text(words)], "isError": True})


def _text(words: str) -> dict[str, str]:
    return {"type": "text", "text": words}
