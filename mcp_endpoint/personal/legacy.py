"""A handshake client's request whose user lacks credentials: its session is opened without an instance, which starts
with the first call that can be served.

A call that is to be a task, or may be handed off, waits as one. For others 2025-11-25 clients that open pages get
-32042, the rest words with a link; a call that comes again while its user is at the page is held before that.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from hosting.runner.control import OpenSession
from hosting.runner.frames import Reason
from hosting.stream.stream import DetachedError
from mcp_endpoint.admission.step_up import check_allowed
from mcp_endpoint.context import Context
from mcp_endpoint.legacy.initialize import greeted
from mcp_endpoint.legacy.messages import Call, LegacyPost
from mcp_endpoint.legacy.sessions import SESSION_HEADER, found
from mcp_endpoint.personal import words
from mcp_endpoint.personal.asking import asked_of, brought_now
from mcp_endpoint.personal.holding import held
from mcp_endpoint.personal.persons import CONNECT, Asking, Brought
from mcp_endpoint.sealed.sessions import Session, Sessions
from mcp_endpoint.tasks import declared, offer
from mcp_endpoint.tasks import legacy as tasks
from mcp_endpoint.tasks import tools as of_tasks
from mcp_endpoint.tools.tool_policy import called_tool
from mcp_endpoint.wire import jsonrpc as j
from mcp_endpoint.wire.rejection import refuse

CALL: Final = "tools/call"
URL_SINCE: Final = "2025-11-25"


async def serve(context: Context, post: LegacyPost, brought: Brought) -> bool:
    """Answers what can't go on without the user's credentials; False where it goes its ordinary way."""
    calls = [message for message in post.messages if isinstance(message, Call)]
    if not calls:
        return False
    message = calls[0]
    if not brought.missing:
        if not post.is_batch and message.method == CALL and called_tool(message) == CONNECT:
            await _result(context, message, words.tool_result(words.CONNECTED, is_modern=False, is_error=False))
            return True
        return False
    if message.method == "initialize":
        await _initialize(context, message)
        return True
    session = found(context, message.id)
    by_url = session.asks_by_url
    context.asking = Asking(by_url, session.id if by_url else "", session.runner if by_url else "")
    if not post.is_batch:
        return await _one(context, post, message, session)
    if not context.subject:
        refuse(j.INVALID_REQUEST, words.NOBODY)
    refuse(j.INVALID_REQUEST, words.linked(await asked_of(context)), status=200)


async def _one(context: Context, post: LegacyPost, message: Call, session: Session) -> bool:
    if message.method == "ping":
        await _result(context, message, b"{}")
    elif message.method == "tools/list":
        await _list(context, message, session)
    elif not context.subject:
        await _refused(context, message, words.NOBODY)
    else:
        if message.method == CALL and called_tool(message) != CONNECT:
            check_allowed(context.route, context.principal, post)
        return await _serve(context, message, session)
    return True


async def _serve(context: Context, message: Call, session: Session) -> bool:
    """False where the user has brought by now what was missing."""
    if tasks.is_for_tasks(session, message) and await tasks.serve(context, session, message):
        return True
    if message.method == CALL and await offer.own_tool(context, message, session.revision):
        return True
    is_kept = not session.asks_by_url and called_tool(message) != CONNECT and offer.may_hand_off(context, message)
    if is_kept:
        await _keep(context, message, session)
        return True
    asked = await asked_of(context)
    if asked.is_known:
        page = await held(context, asked.id, message.id)
        if page.refusal:
            await _refused(context, message, page.refusal)
            return True
        if not (await brought_now(context)).missing:
            return False
        asked = await asked_of(context)
    if session.asks_by_url:
        await context.answer.json(200, j.error(message.id, words.url_required(asked)))
    else:
        await _refused(context, message, words.linked(asked))
    return True


async def _keep(context: Context, message: Call, session: Session) -> None:
    """The call waits as a task. Its session has the server's state for this client, so it runs there."""
    tool = offer.tool_of(message.params)
    wanted = tasks.wanted_of(
        context, message, tool=tool, params=message.params, origin=offer.HANDED_OFF, session=session.id
    )
    task = await context.services.tasks.create(context, replace(wanted, revision=session.revision))
    await _result(context, message, of_tasks.waiting(task, context.route.names_taken))


async def _list(context: Context, message: Call, session: Session) -> None:
    services = context.services
    greeting = await services.runners.in_thread(services.persons.greeting, context.route.version_id)
    result = words.tools(greeting, is_modern=False)
    if greeting.tools is not None:
        shown = services.tool_policies.shown(context.route, result)
        result = offer.listed_2025(context, session.revision, shown)
    await _result(context, message, result)


async def _initialize(context: Context, message: Call) -> None:
    asked = greeted(message)
    if context.principal.is_anonymous:
        refuse(j.INVALID_REQUEST, words.NOBODY, message.id, status=200)
    session_id, services = Sessions.new_id(), context.services
    opened = OpenSession(
        session=session_id,
        owner=context.owner,
        deployment=context.route.deployment_id,
        revision=asked.revision,
        capabilities=asked.capabilities,
        client=asked.client,
        subject=context.subject,
    )
    link, route = await services.runners.link_for(context.route)
    address = route.runner_address
    try:
        await link.ask(opened)
    except DetachedError as error:
        if error.reason not in (Reason.UNPLACED, Reason.DRAINING):
            raise
        address, link, _ = await services.runners.place(route, address if error.reason == Reason.DRAINING else "")
        await link.ask(opened)
    by_url = asked.revision == URL_SINCE and words.asks_by_url(asked.capabilities)
    session = Session(session_id, address, link.boot, route.deployment_id, asked.revision, by_url)
    context.answer.add_header(SESSION_HEADER, services.sessions.seal(session, context.owner).encode())
    greeting = await services.runners.in_thread(services.persons.greeting, route.version_id)
    result = words.initialized(greeting, asked.revision, route.name)
    if asked.revision == tasks.REVISION and route.has_tasks:
        result = declared.in_initialize(result, has_list=True)
    await _result(context, message, result)


async def _refused(context: Context, message: Call, text: str) -> None:
    if message.method == CALL:
        await _result(context, message, words.tool_result(text, is_modern=False))
    else:
        refuse(j.INVALID_REQUEST, text, message.id, status=200)


async def _result(context: Context, message: Call, result: bytes) -> None:
    await context.answer.json(200, j.result(message.id, result))
