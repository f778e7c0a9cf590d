"""Where tasks meet calls: what a list or a greeting says of them, and which calls may become one. Both eras use it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from mcp_endpoint.legacy.messages import Call
from mcp_endpoint.modern.messages import ModernCall
from mcp_endpoint.sources import Source
from mcp_endpoint.tasks import declared, legacy, modern, tools, wire
from mcp_endpoint.tasks.conversion import Converting, NeverConverting, Where
from mcp_endpoint.tasks.wire import TaskSeen
from mcp_endpoint.wire import jsonrpc as j
from mcp_endpoint.wire.rejection import refuse

if TYPE_CHECKING:
    from mcp_endpoint.context import Context

CALL: Final = "tools/call"
HANDED_OFF: Final = "handed_off"


class _Named(msgspec.Struct):
    name: str = ""


_decode_named = msgspec.json.Decoder(_Named).decode


def tool_of(params: bytes) -> str:
    try:
        return _decode_named(params or b"{}").name
    except msgspec.DecodeError:
        return ""


def may_be_own(context: Context, message: ModernCall | Call) -> bool:
    """A glance, for the hot path: whether `own_tool` has to be asked."""
    if message.method != CALL:
        return False
    route = context.route
    return bool(route.task_support) or (bool(route.hand_off_seconds) and b"task_" in message.params)


async def own_tool(context: Context, message: ModernCall | Call, revision: str) -> bool:
    """Answers a call of one of the platform's own tools; False for any other.

    Raises RefusedError for a plain call of a tool that must be called as a task, where the client could have done so.
    """
    if not may_be_own(context, message):
        return False
    tool = tool_of(message.params)
    if context.route.has_tasks and context.route.task_support.get(tool) == "required":
        _check_plain(message, tool, revision)
    which = tools.own(context.route, tool)
    if not which:
        return False
    result = await tools.serve(context, which, message.params)
    if isinstance(message, ModernCall):
        result = j.with_first(result, b'"resultType":"complete"')
    await context.answer.json(200, j.result(message.id, result))
    return True


def _check_plain(message: ModernCall | Call, tool: str, revision: str) -> None:
    """2025-11-25 "Tool-Level Negotiation"; SEP-2663 "Capability Negotiation". Older revisions know of no tasks."""
    if isinstance(message, ModernCall):
        modern.check_declared(message)
    elif revision == legacy.REVISION:
        refuse(j.METHOD_NOT_FOUND, f"The tool {tool} must be called as a task", message.id, status=200)


def listed_2025(context: Context, revision: str, result: bytes) -> bytes:
    """A result of tools/list for a legacy client."""
    route = context.route
    if route.has_tasks and revision == legacy.REVISION:
        result = declared.in_tools(result, route.task_support)
    return tools.in_list(result, route.names_taken) if route.hand_off_seconds else result


def listed_2026(context: Context, message: ModernCall, result: bytes) -> bytes:
    """The same for a modern one: who declares the extension needs no tools for tasks."""
    route = context.route
    if not route.hand_off_seconds or wire.declares(message.capabilities):
        return result
    return tools.in_list(result, route.names_taken)


def may_hand_off(context: Context, message: ModernCall | Call) -> bool:
    """Whether its client may be given words about a task in place of this call's result."""
    route = context.route
    is_call = message.method == CALL and bool(route.hand_off_seconds) and route.has_tasks
    return is_call and route.task_support.get(tool_of(message.params)) != "forbidden"


def knows_tasks(context: Context, message: ModernCall) -> bool:
    """Whether this call of a modern client may be answered with a CreateTaskResult."""
    route = context.route
    is_call = message.method == CALL and route.has_tasks and wire.declares(message.capabilities)
    return is_call and route.task_support.get(tool_of(message.params)) != "forbidden"


def converting_2025(
    context: Context, message: Call, source: Source, where: Where, *, age: float = 0.0, after: int = 0
) -> Source:
    """The call's source; it ends with words about a task when the deployment's limit is over.

    `age`: seconds that the call has run already. `after`: the event that its client was given last.
    """
    seconds = context.route.hand_off_seconds
    if message.method != CALL or not seconds:
        return source
    tool = tool_of(message.params)
    if context.route.task_support.get(tool) == "forbidden":
        return NeverConverting(source, context.owner, where)
    wanted = legacy.wanted_of(context, message, tool=tool, params=message.params, origin=HANDED_OFF)

    async def handle(task: TaskSeen) -> bytes:
        return await _words(context, task)

    left = max(0.0, seconds - age)
    return Converting(source, context.services.tasks, wanted, where, seconds=left, handle=handle, after=after)


def converting_2026(context: Context, message: ModernCall, source: Source, where: Where) -> Source:
    """The same, or a CreateTaskResult after a moment, for a client that declares the extension."""
    route = context.route
    if message.method != CALL or not route.has_tasks:
        return source
    tool = tool_of(message.params)
    support = route.task_support.get(tool, "")
    if support == "forbidden":
        return NeverConverting(source, context.owner, where)
    if wire.declares(message.capabilities):
        seconds = 0.0 if support == "required" else modern.MOMENT_SECONDS
        wanted = modern.wanted_of(context, message, tool=tool, origin=modern.ORIGIN)
        tasks = context.services.tasks
        return Converting(source, tasks, wanted, where, seconds=seconds, handle=_created, at_once=True)
    if not route.hand_off_seconds:
        return source
    wanted = modern.wanted_of(context, message, tool=tool, origin=HANDED_OFF)

    async def handle(task: TaskSeen) -> bytes:
        return j.with_first(await _words(context, task), b'"resultType":"complete"')

    tasks = context.services.tasks
    return Converting(source, tasks, wanted, where, seconds=route.hand_off_seconds, handle=handle)


async def _created(task: TaskSeen) -> bytes:
    return wire.created_2026(task)


async def _words(context: Context, task: TaskSeen) -> bytes:
    has_schema = await context.services.tasks.has_output_schema(context.route.version_id, task.tool)
    return tools.handed_off(task, context.route.names_taken, has_output_schema=has_schema)
