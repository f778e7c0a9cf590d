"""A legacy client's POST in its session: a request, a notification, or a response to a request of the server.

The exchange's id follows from session and request id, so the same request sent twice runs once, and any web process can
cancel it. Disconnecting is not cancelling (2025-11-25 basic/transports).
"""

from __future__ import annotations

from functools import partial

import msgspec

from hosting.runner.control import Answer, Cancel, Notify
from hosting.runner.frames import EndRule, Kind
from hosting.stream import RunnerLink
from mcp_endpoint import jsonrpc as j
from mcp_endpoint.context import Context
from mcp_endpoint.legacy.messages import Call, LegacyPost, Note, Reply
from mcp_endpoint.legacy.sessions import found, initialize, link_of
from mcp_endpoint.legacy.views import CallView
from mcp_endpoint.limits import JSON_SECONDS
from mcp_endpoint.runners import Opened
from mcp_endpoint.sessions import Session, exchange_part
from mcp_endpoint.tasks import legacy as tasks
from mcp_endpoint.tool_policy import LIST

_CANCELLED = "notifications/cancelled"


class _Cancelled(msgspec.Struct):
    request: msgspec.Raw = msgspec.field(name="requestId", default=msgspec.Raw(b""))
    reason: str = ""


_decode_cancelled = msgspec.json.Decoder(_Cancelled).decode


async def post(context: Context, inbound: LegacyPost) -> None:
    """One message; batches are served by `batches`."""
    message = inbound.messages[0]
    if isinstance(message, Call):
        if message.method == "initialize":
            await initialize(context, message)
        else:
            await call(context, message)
        return
    session = found(context)
    if isinstance(message, Reply) and await tasks.answered(context, message):
        await context.answer.empty(202)
        return
    await tell(await link_of(context, session), context.owner, session, message)
    await context.answer.empty(202)


async def call(context: Context, message: Call) -> None:
    session = found(context, message.id)
    if tasks.is_for_tasks(session, message) and await tasks.serve(context, session, message):
        return
    link = context.services.runners.pool.link_now(session.runner)
    if link is None or link.boot != session.boot:
        link = await link_of(context, session)
    source = open_call(context, link, session, message)
    context.answer.source = source.attachment
    first = await source.get(JSON_SECONDS)
    if first is not None and first.kind is Kind.RESULT:
        data = first.data
        if message.method == LIST:
            data = context.services.tool_policies.shown(context.route, data)
        await context.answer.json(200, j.result(message.id, data))
        return
    await context.deliver(source, view_of(context, message, session.revision), first)


def view_of(context: Context, message: Call, revision: str) -> CallView:
    shown = partial(context.services.tool_policies.shown, context.route) if message.method == LIST else None
    return CallView(message.id, message.progress_token, revision, shown=shown)


def open_call(context: Context, link: RunnerLink, session: Session, message: Call) -> Opened:
    return Opened(
        context.services.runners,
        link,
        context.route,
        owner=context.owner,
        method=message.method,
        params=message.params,
        revision=session.revision,
        end=EndRule.SESSION,
        exchange=exchange_part(session.id, message.id),
        session=session.id,
        wants_progress=bool(message.progress_token),
        trace=message.trace,
    )


async def tell(link: RunnerLink, owner: str, session: Session, message: Note | Reply) -> None:
    """Pass on what has no answer. Raises RefusedError when the session has ended."""
    if isinstance(message, Reply):
        answer = Answer(owner=owner, key=message.key, session=session.id, result=message.result, error=message.error)
        await link.ask(answer)
    elif message.method == _CANCELLED:
        await _cancel(link, owner, session, message.params)
    else:
        await link.ask(Notify(session=session.id, owner=owner, method=message.method, params=message.params))


async def _cancel(link: RunnerLink, owner: str, session: Session, params: bytes) -> None:
    """A cancellation that names nothing known is ignored (2025-11-25 basic/utilities/cancellation)."""
    try:
        cancelled = _decode_cancelled(params or b"{}")
    except (msgspec.DecodeError, RecursionError):
        return
    request_id = j.identifier(cancelled.request)
    if request_id is not None:
        exchange = link.exchange_id(exchange_part(session.id, request_id))
        await link.ask(Cancel(exchange=exchange, owner=owner, reason=cancelled.reason))
