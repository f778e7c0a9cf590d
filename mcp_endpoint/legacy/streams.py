"""GET: the session's own stream, or the rest of a stream that broke off (2025-11-25 basic/transports)."""

from __future__ import annotations

from functools import partial

from hosting.runner.frames import UNDELIVERED
from mcp_endpoint import headers as h
from mcp_endpoint import jsonrpc as j
from mcp_endpoint.context import Context
from mcp_endpoint.legacy import event_ids
from mcp_endpoint.legacy.sessions import found, link_of
from mcp_endpoint.legacy.views import CallView, ChannelView
from mcp_endpoint.rejection import refuse
from mcp_endpoint.sessions import exchange_part


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
    source = await runners.follow(link, exchange, context.owner, position.seq)
    context.answer.source = source.attachment
    view = CallView(
        position.request_id,
        position.progress_token,
        session.revision,
        resumed_after=position.seq,
        shown=partial(context.services.tool_policies.shown_resumed, context.route),
    )
    await context.deliver(source, view, None)
