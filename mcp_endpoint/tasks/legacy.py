"""Tasks for clients of 2025-11-25 (basic/utilities/tasks): `task` on tools/call, and the four tasks/* methods."""

from __future__ import annotations

from typing import Final
from uuid import UUID

import msgspec

from common.errors import BadInput, Conflict, NotFound
from hosting.runner.frames import Event
from hosting.stream.stream import DetachedError
from hosting.tasks.accepting import Wanted, check_ttl
from mcp_endpoint.context import Context
from mcp_endpoint.legacy.messages import Call, Reply
from mcp_endpoint.legacy.views import CallView
from mcp_endpoint.sealed.sessions import Session
from mcp_endpoint.tasks import wire
from mcp_endpoint.wire import jsonrpc as j
from mcp_endpoint.wire import sse
from mcp_endpoint.wire.rejection import refuse

REVISION: Final = "2025-11-25"
METHODS: Final = frozenset({"tasks/get", "tasks/result", "tasks/list", "tasks/cancel"})
MARK: Final = b'"task"'  # stands in every call that asks for one
_UNKNOWN: Final = "Failed to retrieve task: Task not found"


class _Wanted(msgspec.Struct):
    name: str = ""
    task: msgspec.Raw = msgspec.Raw(b"")


class _Named(msgspec.Struct):
    task_id: str = msgspec.field(name="taskId", default="")
    cursor: str = ""


_decode_wanted = msgspec.json.Decoder(_Wanted).decode
_decode_named = msgspec.json.Decoder(_Named).decode


def is_for_tasks(session: Session, message: Call) -> bool:
    """Whether this request is about tasks, and its revision has any."""
    if session.revision != REVISION:
        return False
    return message.method in METHODS or (message.method == "tools/call" and MARK in message.params)


async def serve(context: Context, session: Session, message: Call) -> bool:
    """False when it is an ordinary call after all. Raises RefusedError and what the database raises."""
    try:
        match message.method:
            case "tasks/get":
                task = await context.services.tasks.get(context, _named(message).task_id)
                await _answer(context, message, j.encode(wire.of_2025(task)))
            case "tasks/cancel":
                task = await context.services.tasks.cancel(context, _named(message).task_id)
                await _answer(context, message, j.encode(wire.of_2025(task)))
            case "tasks/list":
                await _list(context, message)
            case "tasks/result":
                await _result(context, session, message)
            case _:
                return await _create(context, session, message)
    except NotFound:
        refuse(j.INVALID_PARAMS, _UNKNOWN, message.id, status=200)
    except (Conflict, BadInput) as error:
        refuse(j.INVALID_PARAMS, error.message, message.id, status=200)
    return True


async def _create(context: Context, session: Session, message: Call) -> bool:
    members = j.decode_members(message.params) or {}
    try:
        wanted = _decode_wanted(message.params)
    except msgspec.DecodeError:
        refuse(j.INVALID_PARAMS, "params.name must be a string", message.id, status=200)
    if not wanted.task:
        return False
    task = j.decode_members(wanted.task)
    if task is None:
        refuse(j.INVALID_PARAMS, "params.task must be an object", message.id, status=200)
    del members["task"]
    params = j.encode(members)
    if not context.route.has_tasks:
        message.params = params  # "Task Support and Handling": processed normally, as if nothing had been asked
        return False
    if context.route.task_support.get(wanted.name) == "forbidden":
        refuse(j.METHOD_NOT_FOUND, f"The tool {wanted.name} can't run as a task", message.id, status=200)
    ttl = check_ttl(j.decode_any(task["ttl"]) if "ttl" in task else None)
    created = await context.services.tasks.create(
        context, wanted_of(context, message, tool=wanted.name, params=params, session=session.id, ttl_ms=ttl)
    )
    await _answer(context, message, wire.created_2025(created))
    return True


def wanted_of(
    context: Context,
    message: Call,
    *,
    tool: str,
    params: bytes,
    origin: str = REVISION,
    session: str = "",
    ttl_ms: int | None = None,
) -> Wanted:
    return Wanted(
        deployment_id=context.route.deployment_id,
        version_id=context.route.version_id,
        user_id=user_of(context),
        principal=context.principal.sub,
        client=context.principal.client_id,
        origin=origin,
        revision=REVISION,
        tool=tool,
        params=params.decode(),
        exchange_owner=context.owner,
        ttl_ms=ttl_ms,
        session=session,
        progress_token=message.progress_token.decode(),
        may_run_again=tool in context.route.may_run_again,
    )


def user_of(context: Context) -> UUID | None:
    """None for an anonymous principal."""
    try:
        return UUID(context.principal.sub)
    except ValueError:
        return None


async def _list(context: Context, message: Call) -> None:
    if user_of(context) is None:
        refuse(j.METHOD_NOT_FOUND, "Tasks of anonymous callers can't be listed", message.id, status=200)
    tasks, cursor = await context.services.tasks.page(context, _named(message).cursor)
    body: dict[str, object] = {"tasks": [wire.of_2025(task) for task in tasks]}
    if cursor:
        body["nextCursor"] = cursor
    await _answer(context, message, j.encode(body))


async def _result(context: Context, session: Session, message: Call) -> None:
    """Waits for the end; meanwhile the task's own requests to the client travel on this stream."""
    async with context.services.tasks.follow(context, _named(message).task_id) as source:
        task = source.task
        view = _ResultView(message.id, task.progress_token, session.revision)
        await context.deliver(source, view, source.get_now())


async def answered(context: Context, message: Reply) -> bool:
    """A client's response to a request of a task; False when it belongs to none."""
    named = wire.parse_key(message.key)
    if named is None:
        return False
    task_id, key = named
    try:
        task = await context.services.tasks.get(context, task_id)
        await context.services.tasks.answer(context, task, key, result=message.result, error=message.error)
    except (NotFound, DetachedError):
        pass  # a late answer is ignored
    return True


class _ResultView(CallView):
    """Nobody resumes this stream: the outcome is kept in the row, and who comes back asks for it again."""

    def __init__(self, request_id: bytes, progress_token: bytes, revision: str) -> None:
        super().__init__(request_id, progress_token, revision)
        self.polls = False

    def event_id(self, event: Event) -> str:
        return ""

    def priming(self) -> bytes:
        return sse.COMMENT


def _named(message: Call) -> _Named:
    try:
        return _decode_named(message.params or b"{}")
    except msgspec.DecodeError:
        refuse(j.INVALID_PARAMS, "params.taskId must be a string", message.id, status=200)


async def _answer(context: Context, message: Call, result: bytes) -> None:
    await context.answer.json(200, j.result(message.id, result))
