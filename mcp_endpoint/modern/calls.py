"""A modern client's request: stateless, cancelled when its answer's stream is closed.

A retry brings `requestState`. That of a modern server is taken out of our seal and goes on as a new exchange; that of a
legacy server names the call that waits for the answers (2026-07-28 basic/patterns/mrtr).
"""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from hosting.runner.control import Answer
from hosting.runner.frames import EndRule, Kind, Open, Reason
from hosting.stream.stream import DetachedError, RunnerLink, RunnerUnavailableError
from mcp_endpoint.admission.limits import JSON_SECONDS
from mcp_endpoint.context import Context
from mcp_endpoint.modern.input_required import MARK, Questions
from mcp_endpoint.modern.messages import ModernCall
from mcp_endpoint.modern.views import CallView, ListenView, ToolsView
from mcp_endpoint.sealed.request_state import Native, Parked, State, binding
from mcp_endpoint.sealed.sealing import BrokenSealError
from mcp_endpoint.sources import Opened
from mcp_endpoint.tasks import declared, listening, offer, wire
from mcp_endpoint.tasks import modern as tasks
from mcp_endpoint.tasks.conversion import Converting
from mcp_endpoint.wire import jsonrpc as j
from mcp_endpoint.wire.rejection import refuse

if TYPE_CHECKING:
    from hosting.routing import Route

LISTEN = "subscriptions/listen"
_CALL = "tools/call"
_TASKS = wire.EXTENSION.encode()
_LIST = "tools/list"
_DISCOVER = "server/discover"
_SHOWN = frozenset({_LIST, _DISCOVER})  # results that aren't passed on as they are
_OF_TASKS = tasks.METHODS | {_CALL, LISTEN}
_CALL_ANEW = "requestState does not belong to this request, or is no longer valid: call anew without it"


async def call(context: Context, message: ModernCall) -> None:
    if message.method in _OF_TASKS and await _is_of_tasks(context, message):
        return
    params = message.params
    if message.method == _CALL:
        await match_headers(context, message)
    if message.state or message.responses:
        state = _opened_state(context, message)
        if isinstance(state, Parked):
            await _resume(context, message, state)
            return
        params = _retried(message, state.state if isinstance(state, Native) else "")
    runners = context.services.runners
    link, route = runners.pool.link_now(context.route.runner_address), context.route
    if link is None:
        link, route = await runners.link_for(route)
    await finish(context, message, _open(context, message, link, route, params))


def open_now(context: Context, message: ModernCall) -> Opened | None:
    """The call on its way to its runner; None where `call` has to wait or to look for something first."""
    if message.method == _CALL:
        if offer.may_be_own(context, message) or not context.services.tool_headers.has_none(context.route.version_id):
            return None
    elif message.method in _OF_TASKS:
        return None
    route = context.route
    link = context.services.runners.pool.link_now(route.runner_address)
    if link is None or message.state or message.responses:
        return None
    return _open(context, message, link, route, message.params)


def _open(context: Context, message: ModernCall, link: RunnerLink, route: Route, params: bytes) -> Opened:
    runners = context.services.runners
    attachment = context.answer.source = link.attachment(runners.new_part())
    frame = Open(
        attachment.number,
        attachment.exchange,
        route.deployment_id,
        route.epoch,
        context.owner,
        message.method,
        params,
        message.revision,
        EndRule.CANCEL,
        "",
        context.isolation,
        message.capabilities,
        message.client,
        # What will be a task has progress for people at the site, whether or not its client wants any.
        bool(message.progress_token) or (_TASKS in message.capabilities and message.method == _CALL),
        message.log_level,
        True,
        message.trace,
        subject=context.subject,
        generation=route.generation,
        personal=context.personal,
    )
    return Opened(runners, link, route, attachment, frame)


def finish_now(context: Context, message: ModernCall, opened: Opened) -> bool:
    """Answer with the result, where that is the first event, here already, and needs nothing done to it."""
    event = opened.get_now()
    if event is None:
        return False
    is_plain = event.kind is Kind.RESULT and message.method not in _SHOWN and MARK not in event.data
    if is_plain and context.answer.json_now(j.result(message.id, event.data)):
        return True
    opened.attachment.put_back(event)
    return False


async def finish(context: Context, message: ModernCall, opened: Opened, seconds: float = JSON_SECONDS) -> None:
    """Answer with what comes: a result within `seconds` is plain JSON."""
    if message.method == LISTEN:
        listened = await listening.listen(context, message.task_ids, opened) if message.task_ids else opened
        await context.deliver(listened, ListenView(message.id), await listened.get(seconds))
        return
    first = await opened.get(seconds)
    if first is not None:
        if first.kind is Kind.RESULT and message.method not in _SHOWN and MARK not in first.data:
            await context.answer.json(200, j.result(message.id, first.data))
            return
        opened.attachment.put_back(first)
    source = Questions(
        opened,
        message,
        context.services.states,
        context.owner,
        lambda: (opened.link, opened.address, opened.attachment.exchange),
    )
    await _answer(context, message, source, JSON_SECONDS if first is not None else 0.0)


async def _answer(context: Context, message: ModernCall, source: Questions, seconds: float = JSON_SECONDS) -> None:
    first = await source.get(seconds)
    if first is not None and first.kind is Kind.RESULT:
        source.close(gone=False)
        data = _shown(context, message, first.data) if message.method in _SHOWN else first.data
        await context.answer.json(200, j.result(message.id, data))
        return
    view = CallView(message.id, message.progress_token)
    if message.method in _SHOWN:
        view = ToolsView(message.id, message.progress_token, partial(_shown, context, message))
    converting = offer.converting_2026(context, message, source, source.where)
    if first is not None and isinstance(converting, Converting):
        first = converting.took(first)
    await context.deliver(converting, view, first)


def _shown(context: Context, message: ModernCall, result: bytes) -> bytes:
    """A list of tools, or a greeting, as the client may see it."""
    if message.method == _DISCOVER:
        return declared.in_discover(result) if context.route.has_tasks else result
    # All of a list is learnt: a policy may change before the next one.
    context.services.tool_headers.learn(context.route.version_id, result)
    shown = context.services.tool_policies.shown(context.route, result)
    return offer.listed_2026(context, message, shown)


def _opened_state(context: Context, message: ModernCall) -> State | None:
    """What the request's state says, None where it brings answers only. Raises RefusedError."""
    if not message.state:
        return None
    bound = binding(context.owner, message.method, message.params)
    try:
        return context.services.states.open(message.state, bound, time.time())
    except BrokenSealError:
        refuse(j.INVALID_PARAMS, _CALL_ANEW, message.id)


async def _is_of_tasks(context: Context, message: ModernCall) -> bool:
    """Whether this was answered from the record of tasks. What a listener asks of them is taken out of its params."""
    if message.method == _CALL:
        return await offer.own_tool(context, message, message.revision)
    if message.method != LISTEN:
        await tasks.serve(context, message)
        return True
    if b'"taskIds"' not in message.params:
        return False
    tasks.check_declared(message)
    message.task_ids, message.params, has_more = listening.taken_out(message.params)
    if not has_more:
        await context.deliver(await listening.listen(context, message.task_ids, None), ListenView(message.id), None)
    return not has_more


async def match_headers(context: Context, message: ModernCall) -> None:
    """2026-07-28 basic/transports/streamable-http, "Server Behavior for Custom Headers". Raises RefusedError."""
    if context.services.tool_headers.has_none(context.route.version_id):
        return
    problem = await context.services.tool_headers.problem(context.route.version_id, context.fields, message.params)
    if problem:
        refuse(j.HEADER_MISMATCH, f"Header mismatch: {problem}", message.id)


def _retried(message: ModernCall, server_state: str) -> bytes:
    """The parameters as the hosted server is to see them: with its own state and the client's answers."""
    members = (j.decode_members(message.params) if message.params else None) or {}
    if message.responses:
        members["inputResponses"] = msgspec.Raw(message.responses)
    if server_state:
        members["requestState"] = msgspec.Raw(j.encode(server_state))
    return j.encode(members)


async def _resume(context: Context, message: ModernCall, state: Parked) -> None:
    """Hand the answers to the call that waits for them, and go on with it."""
    responses = (j.decode_members(message.responses) if message.responses else None) or {}
    if any(bytes(raw)[:1] != b"{" for raw in responses.values()):
        refuse(j.INVALID_PARAMS, "Each of inputResponses must be the result of its request, an object", message.id)
    try:
        link = await context.services.runners.pool.link(state.runner)
        for key, raw in responses.items():
            await link.ask(Answer(owner=context.owner, key=key, exchange=state.exchange, result=bytes(raw)))
        followed = await context.services.runners.follow(link, state.exchange, context.owner, state.after)
    except (DetachedError, RunnerUnavailableError) as error:
        if isinstance(error, DetachedError) and error.reason == Reason.BUSY:
            raise
        refuse(j.INVALID_PARAMS, _CALL_ANEW, message.id)
    context.answer.source = followed.attachment
    source = Questions(
        followed,
        message,
        context.services.states,
        context.owner,
        lambda: (link, state.runner, state.exchange),
        seen=state.seen,
    )
    await _answer(context, message, source)
