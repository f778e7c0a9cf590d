"""A stateless request whose user lacks credentials: greeted and listed from what is known, asked when it calls.

The question's `requestState` names the page only. The retry is answered by what is stored then: what the client says it
did is no proof of anything. While the page is open the retry is held; a client that knows tasks is given one at once,
which waits by itself, as does a call that may be handed off by a client that opens no pages.
"""

from __future__ import annotations

import time
from typing import Any, Final, NamedTuple

from hosting.credentials.refusals import OF_ACTIONS
from mcp_endpoint.admission.step_up import check_allowed
from mcp_endpoint.context import Context
from mcp_endpoint.modern.calls import LISTEN, match_headers
from mcp_endpoint.modern.messages import ModernCall
from mcp_endpoint.personal import words
from mcp_endpoint.personal.asking import asked_of, brought_now
from mcp_endpoint.personal.holding import held
from mcp_endpoint.personal.persons import CONNECT, Asking, Brought
from mcp_endpoint.sealed.request_state import Wanted, binding
from mcp_endpoint.sealed.sealing import BrokenSealError
from mcp_endpoint.tasks import declared, listening, offer, wire
from mcp_endpoint.tasks import modern as tasks
from mcp_endpoint.tasks import tools as of_tasks
from mcp_endpoint.tasks.modern import METHODS as OF_TASKS
from mcp_endpoint.tools.tool_policy import called_tool
from mcp_endpoint.wire import jsonrpc as j
from mcp_endpoint.wire.rejection import refuse

CALL: Final = "tools/call"
WANTED_SECONDS: Final = 3600.0
_MAY_ASK: Final = frozenset({CALL, "prompts/get", "resources/read"})  # "Supported Requests"
_URL_CAPABILITY: Final[dict[str, Any]] = {"requiredCapabilities": {"elicitation": {"url": {}}}}


async def serve(context: Context, message: ModernCall, brought: Brought) -> bool:
    """Answers what can't go on without the user's credentials; False where it goes its ordinary way."""
    wanted = _taken(context, message)
    if not brought.missing:
        if message.method == CALL and called_tool(message) == CONNECT:
            await _result(context, message, words.tool_result(words.CONNECTED, is_modern=True, is_error=False))
            return True
        return False
    if message.method in OF_TASKS or _listens_to_tasks_only(message):
        return False
    context.asking = Asking(words.asks_by_url(message.capabilities))
    if message.method in ("server/discover", "tools/list"):
        await _known(context, message)
    elif not context.subject:
        await _refused(context, message, words.NOBODY)
    elif wanted is not None:
        return await _again(context, message, wanted)
    elif message.method != CALL or called_tool(message) == CONNECT:
        await _ask(context, message)
    else:
        await _call(context, message)
    return True


class _Retried(NamedTuple):
    """What a retry brings: the page that its call waits for, and what the client says that its user did."""

    page: str
    action: str


def _taken(context: Context, message: ModernCall) -> _Retried | None:
    """Our own state and answers, taken out of the request. Others' are left there."""
    if not message.state:
        return None
    bound = binding(context.owner, message.method, message.params)
    try:
        state = context.services.states.open(message.state, bound, time.time())
    except BrokenSealError:
        return None
    if not isinstance(state, Wanted):
        return None
    retried = _Retried(state.page, words.action_of(message.responses))
    message.state, message.responses = "", b""
    return retried


def _listens_to_tasks_only(message: ModernCall) -> bool:
    """Its own tasks are nothing of the server's."""
    if message.method != LISTEN or b'"taskIds"' not in message.params:
        return False
    ids, _, has_more = listening.taken_out(message.params)
    return bool(ids) and not has_more


async def _known(context: Context, message: ModernCall) -> None:
    services = context.services
    greeting = await services.runners.in_thread(services.persons.greeting, context.route.version_id)
    if message.method == "tools/list":
        result = words.tools(greeting, is_modern=True)
        if greeting.tools is not None:
            shown = services.tool_policies.shown(context.route, result)
            result = offer.listed_2026(context, message, shown)
    else:
        result = words.discovered(greeting, context.route.name)
        if context.route.has_tasks:
            result = declared.in_discover(result)
    await _result(context, message, result)


async def _again(context: Context, message: ModernCall, retried: _Retried) -> bool:
    """A retry with our state. False where the user has brought by now what was missing."""
    persons, in_thread = context.services.persons, context.services.runners.in_thread
    if retried.action == "decline":
        await in_thread(persons.decline, retried.page, context.subject)
    if refusal := OF_ACTIONS.get(retried.action):
        await _refused(context, message, refusal)
        return True
    page = await held(context, retried.page, message.id)
    if page.refusal:
        await _refused(context, message, page.refusal)
        return True
    if not (await brought_now(context)).missing:
        return False
    await _ask(context, message)
    return True


async def _call(context: Context, message: ModernCall) -> None:
    """A call that comes for the first time: kept as a task where its client can follow one, else its user is asked."""
    check_allowed(context.route, context.principal, message)
    if await offer.own_tool(context, message, message.revision):
        return
    may_ask = context.asking is not None and context.asking.by_url
    tool = offer.tool_of(message.params)
    if offer.knows_tasks(context, message):
        await match_headers(context, message)
        wanted = tasks.wanted_of(context, message, tool=tool, origin=tasks.ORIGIN)
        await _result(context, message, wire.created_2026(await context.services.tasks.create(context, wanted)))
    elif not may_ask and offer.may_hand_off(context, message):
        await match_headers(context, message)
        wanted = tasks.wanted_of(context, message, tool=tool, origin=offer.HANDED_OFF)
        words_of = of_tasks.waiting(await context.services.tasks.create(context, wanted), context.route.names_taken)
        await _result(context, message, j.with_first(words_of, b'"resultType":"complete"'))
    else:
        await _ask(context, message)


async def _ask(context: Context, message: ModernCall) -> None:
    asked = await asked_of(context)
    if message.method not in _MAY_ASK or not words.asks_by_url(message.capabilities):
        await _refused(context, message, words.linked(asked))
    else:
        bound = binding(context.owner, message.method, message.params)
        state = context.services.states.seal(Wanted(time.time() + WANTED_SECONDS, asked.id), bound)
        await _result(context, message, words.input_required(asked, state))


async def _refused(context: Context, message: ModernCall, text: str) -> None:
    if message.method == CALL:
        await _result(context, message, words.tool_result(text, is_modern=True))
        return
    if message.method in _MAY_ASK:
        refuse(j.MISSING_CAPABILITY, text, message.id, data=_URL_CAPABILITY)
    refuse(j.INVALID_REQUEST, text, message.id)


async def _result(context: Context, message: ModernCall, result: bytes) -> None:
    await context.answer.json(200, j.result(message.id, result))
