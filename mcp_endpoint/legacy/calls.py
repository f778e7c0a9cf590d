"""A legacy client's POST in its session: a request, a notification, or a response to a request of the server.

The exchange's id follows from session and request id, so the same request sent twice runs once, and any web process can
cancel it. Disconnecting is not cancelling (2025-11-25 basic/transports).
"""

from __future__ import annotations

from functools import partial

import msgspec

from hosting.runner.control import Answer, Cancel, Notify
from hosting.runner.frames import EndRule, Kind, Open
from hosting.stream.stream import RunnerLink
from mcp_endpoint.admission.limits import JSON_SECONDS
from mcp_endpoint.context import Context
from mcp_endpoint.legacy.messages import Call, LegacyPost, Note, Reply
from mcp_endpoint.legacy.sessions import found, initialize, link_of
from mcp_endpoint.legacy.views import CallView
from mcp_endpoint.sealed.sessions import Session, exchange_part
from mcp_endpoint.sources import Opened
from mcp_endpoint.tasks import legacy as tasks
from mcp_endpoint.tasks import offer
from mcp_endpoint.tasks.conversion import Converting
from mcp_endpoint.tools.tool_policy import LIST
from mcp_endpoint.wire import jsonrpc as j

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
    if message.method == offer.CALL and await offer.own_tool(context, message, session.revision):
        return
    source = _open_now(context, session, message)
    if source is None:
        source = open_call(context, await link_of(context, session), session, message)
    await finish(context, message, source)


def open_now(context: Context, message: Call) -> Opened | None:
    """The call on its way to the session's runner; None where `call` has to wait for something first."""
    session = found(context, message.id)
    is_of_tasks = tasks.is_for_tasks(session, message) or offer.may_be_own(context, message)
    return None if is_of_tasks else _open_now(context, session, message)


def _open_now(context: Context, session: Session, message: Call) -> Opened | None:
    link = context.services.runners.pool.link_now(session.runner)
    if link is None or link.boot != session.boot:
        return None
    return open_call(context, link, session, message)


def finish_now(context: Context, message: Call, source: Opened) -> bool:
    """Answer with the result, where that is the first event, here already, and needs nothing done to it."""
    event = source.get_now()
    if event is None:
        return False
    is_plain = event.kind is Kind.RESULT and message.method != LIST
    if is_plain and context.answer.json_now(j.result(message.id, event.data)):
        return True
    source.attachment.put_back(event)
    return False


async def finish(context: Context, message: Call, source: Opened, seconds: float = JSON_SECONDS) -> None:
    """Answer with what comes: a result within `seconds` is plain JSON."""
    first = await source.get(seconds)
    if first is not None and first.kind is Kind.RESULT:
        data = first.data
        if message.method == LIST:
            data = _listed(context, found(context, message.id).revision, data)
        await context.answer.json(200, j.result(message.id, data))
        return
    session = found(context, message.id)
    where = lambda: (source.link, session.runner, source.attachment.exchange)
    converting = offer.converting_2025(context, message, source, where)
    if first is not None and isinstance(converting, Converting):
        first = converting.took(first)
    await context.deliver(converting, view_of(context, message, session.revision), first)


def view_of(context: Context, message: Call, revision: str) -> CallView:
    shown = partial(_listed, context, revision) if message.method == LIST else None
    return CallView(message.id, message.progress_token, revision, shown=shown)


def _listed(context: Context, revision: str, result: bytes) -> bytes:
    """What of a tools/list result the client sees. A modern client's headers are compared with all of it."""
    context.services.tool_headers.learn(context.route.version_id, result)
    shown = context.services.tool_policies.shown(context.route, result)
    return offer.listed_2025(context, revision, shown)


def open_call(context: Context, link: RunnerLink, session: Session, message: Call) -> Opened:
    route = context.route
    attachment = context.answer.source = link.attachment(exchange_part(session.id, message.id))
    frame = Open(
        attachment.number,
        attachment.exchange,
        route.deployment_id,
        route.epoch,
        context.owner,
        message.method,
        message.params,
        session.revision,
        EndRule.SESSION,
        session.id,
        wants_progress=bool(message.progress_token),
        trace=message.trace,
        subject=context.subject,
        generation=route.generation,
        personal=context.personal,
    )
    return Opened(context.services.runners, link, route, attachment, frame)


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
