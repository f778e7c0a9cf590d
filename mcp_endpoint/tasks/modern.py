"""Tasks for clients of 2026-07-28 that declare io.modelcontextprotocol/tasks (SEP-2663).

The server decides: a call that takes longer than a moment, or that has to be a task, is answered with CreateTaskResult
in place of its result. `tasks/get`, `tasks/update` and `tasks/cancel` are answered from the record.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Final

import msgspec

from common.errors import Conflict, NotFound
from hosting.stream.stream import DetachedError
from hosting.tasks.accepting import Wanted
from mcp_endpoint.context import Context
from mcp_endpoint.modern.messages import ModernCall
from mcp_endpoint.tasks import wire
from mcp_endpoint.tasks.legacy import user_of
from mcp_endpoint.wire import jsonrpc as j
from mcp_endpoint.wire.rejection import refuse

METHODS: Final = frozenset({"tasks/get", "tasks/update", "tasks/cancel"})
GONE: Final = frozenset({"tasks/result", "tasks/list"})  # of 2025-11-25 only
MOMENT_SECONDS: Final = 1.0
SHOWN_SECONDS: Final = 3.0
ORIGIN: Final = "2026-07-28"
_UNKNOWN: Final = "Failed to retrieve task: Task not found"


class _Named(msgspec.Struct):
    task_id: str = msgspec.field(name="taskId", default="")


_decode_named = msgspec.json.Decoder(_Named).decode


async def serve(context: Context, message: ModernCall) -> None:
    """One of METHODS. Raises RefusedError."""
    check_declared(message)
    task_id = _task_id(message)
    try:
        if message.method == "tasks/get":
            result = wire.got_2026(await context.services.tasks.get(context, task_id, with_body=True))
        elif message.method == "tasks/update":
            await _update(context, message, task_id)
            result = wire.ACKNOWLEDGED_2026
        else:
            await _cancel(context, task_id)
            result = wire.ACKNOWLEDGED_2026
    except NotFound:
        refuse(j.INVALID_PARAMS, _UNKNOWN, message.id, status=200)
    await context.answer.json(200, j.result(message.id, result))


def check_declared(message: ModernCall) -> None:
    """Raises RefusedError: who didn't declare the extension in this very request can't use it."""
    if not wire.declares(message.capabilities):
        refuse(j.MISSING_CAPABILITY, "Missing required client capability", message.id, data=wire.MISSING)


async def _update(context: Context, message: ModernCall, task_id: str) -> None:
    """Answers to open questions; keys that aren't open are ignored (SEP-2663, "Task Update Requests").

    An acknowledgement may come before the record shows the answer; ours waits for that a moment, so that who looks at
    once is not shown again what was just answered.
    """
    task = await context.services.tasks.get(context, task_id)
    responses = (j.decode_members(message.responses) if message.responses else None) or {}
    for key, raw in responses.items():
        if bytes(raw)[:1] != b"{":
            refuse(j.INVALID_PARAMS, "Each of inputResponses must be the result of its request, an object", message.id)
        try:
            await context.services.tasks.answer(context, task, key, result=bytes(raw))
        except DetachedError:
            return  # its runner has lost it, which the record will soon say
    if answered := responses.keys() & task.questions.keys():
        await context.services.tasks.answers_seen(context, task_id, answered, SHOWN_SECONDS)


async def _cancel(context: Context, task_id: str) -> None:
    """Idempotent: a task that is over is acknowledged like any other."""
    with suppress(Conflict):
        await context.services.tasks.cancel(context, task_id)


def wanted_of(context: Context, message: ModernCall, *, tool: str, origin: str) -> Wanted:
    return Wanted(
        deployment_id=context.route.deployment_id,
        version_id=context.route.version_id,
        user_id=user_of(context),
        principal=context.principal.sub,
        client=context.principal.client_id,
        origin=origin,
        revision=message.revision,
        tool=tool,
        params=message.params.decode(),
        exchange_owner=context.owner,
        client_info=message.client.decode(),
        capabilities=message.capabilities.decode(),
        progress_token=message.progress_token.decode(),
        may_run_again=tool in context.route.may_run_again,
    )


def _task_id(message: ModernCall) -> str:
    try:
        return _decode_named(message.params or b"{}").task_id
    except msgspec.DecodeError:
        refuse(j.INVALID_PARAMS, "params.taskId must be a string", message.id)
