"""Beginning, finding and ending a legacy client's session (2025-11-25 basic/transports, "Session Management")."""

from __future__ import annotations

from typing import Final

import msgspec

from hosting.runner.control import EndSession
from hosting.runner.frames import EndRule, Event, Kind, Open
from hosting.stream.stream import RunnerLink, RunnerUnavailableError
from mcp_endpoint.admission import anonymous
from mcp_endpoint.admission.limits import JSON_SECONDS
from mcp_endpoint.context import Context
from mcp_endpoint.delivery import while_starting
from mcp_endpoint.legacy.initialize import greeted
from mcp_endpoint.legacy.messages import Call
from mcp_endpoint.legacy.views import CallView
from mcp_endpoint.personal.words import asks_by_url
from mcp_endpoint.records.metrics import LIVE
from mcp_endpoint.sealed.sealing import BrokenSealError
from mcp_endpoint.sealed.sessions import Session, Sessions, exchange_part
from mcp_endpoint.sources import Opened
from mcp_endpoint.tasks import declared
from mcp_endpoint.wire import headers as h
from mcp_endpoint.wire import jsonrpc as j
from mcp_endpoint.wire.rejection import refuse

TASKS_SINCE: Final = "2025-11-25"
SESSION_HEADER: Final = b"mcp-session-id"


class _InitializeView(CallView):
    has_tasks = False
    has_list = True

    def message(self, event: Event) -> bytes | None:
        if event.kind is Kind.RESULT and self.has_tasks:
            return j.result(self.request_id, declared.in_initialize(event.data, has_list=self.has_list))
        return super().message(event)


class _Initialized(msgspec.Struct):
    version: str = msgspec.field(name="protocolVersion", default="")


_decode_initialized = msgspec.json.Decoder(_Initialized).decode


async def initialize(context: Context, call: Call) -> None:
    """Open a session: an instance is started or found, and its InitializeResult comes back with the session's id."""
    asked = greeted(call)
    session_id = Sessions.new_id()
    link, route = await context.services.runners.link_for(context.route)
    attachment = context.answer.source = link.attachment(exchange_part(session_id, call.id))
    frame = Open(
        attachment=attachment.number,
        exchange=attachment.exchange,
        deployment=route.deployment_id,
        epoch=route.epoch,
        owner=context.owner,
        method=call.method,
        params=call.params,
        revision=asked.revision,
        end=EndRule.SESSION,
        session=session_id,
        capabilities=asked.capabilities,
        client=asked.client,
        wants_progress=bool(call.progress_token),
        trace=call.trace,
        subject=context.subject,
        generation=route.generation,
        personal=context.personal,
    )
    source = Opened(context.services.runners, link, route, attachment, frame)
    first = await source.get(JSON_SECONDS)
    if first is not None and first.kind is Kind.STATUS:
        context.answer.was_cold = True
        if not call.progress_token:
            first = await while_starting(source)
    revision = asked.revision
    if first is not None and first.kind is Kind.RESULT:
        revision = _negotiated(first.data) or revision
    if first is None or first.kind is not Kind.ERROR:
        by_url = revision == TASKS_SINCE and asks_by_url(asked.capabilities)
        session = Session(session_id, source.address, source.link.boot, route.deployment_id, revision, by_url)
        LIVE.sessions_opened += 1
        token = context.services.sessions.seal(session, context.owner)
        context.answer.add_header(SESSION_HEADER, anonymous.named(context.principal, token).encode())
    view = _InitializeView(call.id, call.progress_token, revision)
    view.has_tasks = revision == TASKS_SINCE and route.has_tasks
    view.has_list = not context.principal.is_anonymous
    view.polls = False  # nobody comes back to a session that is only being opened
    await context.deliver(source, view, first)


def _negotiated(result: bytes) -> str:
    try:
        return _decode_initialized(result).version
    except msgspec.DecodeError:
        return ""


def found(context: Context, request_id: bytes = b"") -> Session:
    """The session named by the request. Raises RefusedError (none named) and BrokenSealError (not this client's)."""
    token = h.text(context.fields.get(h.SESSION))
    if token is None:
        refuse(j.INVALID_REQUEST, "The Mcp-Session-Id header is missing: send initialize first", request_id)
    session = context.services.sessions.open(token, context.owner)
    if session.deployment != context.route.deployment_id:
        raise BrokenSealError
    return session


async def link_of(context: Context, session: Session) -> RunnerLink:
    """The link to the session's runner.

    A runner that does not answer is waited for. Raises BrokenSealError when the session can't live any more: its runner
    was started anew, or does not answer and the deployment is placed elsewhere by now. Raises RunnerUnavailableError
    when it may still be there.
    """
    runners = context.services.runners
    link = runners.pool.link_now(session.runner)
    if link is None:
        link = await _link_again(context, session)
    if link is None or link.boot != session.boot:
        raise BrokenSealError
    return link


async def _link_again(context: Context, session: Session) -> RunnerLink | None:
    is_elsewhere = context.route.runner_address != session.runner
    try:
        if is_elsewhere:
            return await context.services.runners.pool.link(session.runner)
        return await context.services.runners.link_again(session.runner, session.boot)
    except RunnerUnavailableError:
        if is_elsewhere:
            return None
        raise


async def end(context: Context) -> None:
    """DELETE: what runs in the session is cancelled, and its id is unknown from now on."""
    session = found(context)
    link = await link_of(context, session)
    await link.ask(EndSession(session=session.id, owner=context.owner))
    await context.answer.empty(204)
