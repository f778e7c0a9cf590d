"""GET: the session's own stream, or the rest of a stream that broke off (2025-11-25 basic/transports)."""

from __future__ import annotations

from functools import partial

from hosting.runner.control import GetRequest
from hosting.runner.frames import UNDELIVERED
from mcp_endpoint.context import Context
from mcp_endpoint.legacy import event_ids
from mcp_endpoint.legacy.event_ids import Position
from mcp_endpoint.legacy.messages import Call
from mcp_endpoint.legacy.sessions import found, link_of
from mcp_endpoint.legacy.views import CallView, ChannelView
from mcp_endpoint.sealed.sessions import exchange_part
from mcp_endpoint.sources import Followed, Source
from mcp_endpoint.tasks import offer
from mcp_endpoint.wire import headers as h
from mcp_endpoint.wire import jsonrpc as j
from mcp_endpoint.wire.rejection import refuse


async def listen(context: Context) -> None:
    session = found(context)
    position = None
    last = h.text(context.fields.get(h.LAST_EVENT_ID))
    if last:
        position = event_ids.parse(last)
        if position is None:
            refuse(j.INVALID_REQUEST, "The Last-Event-ID header holds no event id of this server")
    link = await link_of(context, session)
    runners = context.services.runners
    if position is None or not position.request_id:
        after = position.seq if position is not None else UNDELIVERED
        source = await runners.follow(link, session.channel, context.owner, after)
        context.answer.source = source.attachment
        await context.deliver(source, ChannelView(after, session.revision), None)
        return
    exchange = link.exchange_id(exchange_part(session.id, position.request_id))
    source = await runners.follow(link, exchange, context.owner, position.seq, address=session.runner)
    context.answer.source = source.attachment
    view = CallView(
        position.request_id,
        position.progress_token,
        session.revision,
        resumed_after=position.seq,
        shown=partial(context.services.tool_policies.shown_resumed, context.route),
    )
    await context.deliver(await _resumed(context, source, position), view, None)


async def _resumed(context: Context, source: Followed, position: Position) -> Source:
    """The rest of a call; of one that runs, until it is handed off at its deployment's limit, counted from its begin.

    Raises RefusedError and RunnerUnavailableError.
    """
    if not context.route.hand_off_seconds:
        return source
    request = await source.link.ask(GetRequest(source.attachment.exchange, context.owner))
    if request.is_done or not request.params:
        return source
    message = Call(position.request_id, request.method, request.params, position.progress_token)
    where = lambda: (source.link, source.address, source.attachment.exchange)
    return offer.converting_2025(context, message, source, where, age=request.age_seconds, after=position.seq)
