"""A stateless request whose user lacks credentials: greeted and listed from what is known, asked when it calls.

The question's `requestState` names the page only. The retry is answered by what is stored then: what the client says it
did is no proof of anything.
"""

from __future__ import annotations

import time
from typing import Any, Final

from mcp_endpoint import jsonrpc as j
from mcp_endpoint.context import Context
from mcp_endpoint.modern.messages import ModernCall
from mcp_endpoint.personal import words
from mcp_endpoint.personal.persons import CONNECT, Asked, Brought
from mcp_endpoint.rejection import refuse
from mcp_endpoint.request_state import Wanted, binding
from mcp_endpoint.sealing import BrokenSealError
from mcp_endpoint.tasks.modern import METHODS as OF_TASKS
from mcp_endpoint.tool_policy import called_tool

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
    if message.method in OF_TASKS:
        return False
    if message.method in ("server/discover", "tools/list"):
        await _known(context, message)
    elif not context.subject:
        await _refused(context, message, words.NOBODY)
    else:
        await _ask(context, message, wanted)
    return True


def _taken(context: Context, message: ModernCall) -> str:
    """Our own state and answers, taken out of the request; what the client said it did. Others' are left there."""
    if not message.state:
        return ""
    bound = binding(context.owner, message.method, message.params)
    try:
        state = context.services.states.open(message.state, bound, time.time())
    except BrokenSealError:
        return ""
    if not isinstance(state, Wanted):
        return ""
    action = words.action_of(message.responses)
    message.state, message.responses = "", b""
    return action


async def _known(context: Context, message: ModernCall) -> None:
    services = context.services
    greeting = await services.runners.in_thread(services.persons.greeting, context.route.version_id)
    if message.method == "tools/list":
        result = words.tools(greeting, is_modern=True)
        if greeting.tools is not None:
            result = services.tool_policies.shown(context.route, result)
    else:
        result = words.discovered(greeting, context.route.name)
    await _result(context, message, result)


async def _ask(context: Context, message: ModernCall, action: str) -> None:
    asked: Asked = await context.services.runners.in_thread(
        context.services.persons.ask,
        context.route.deployment_id,
        context.subject,
        context.principal.client_id,
        "",
        "",
    )
    if action in ("decline", "cancel"):
        if action == "decline":
            await context.services.runners.in_thread(context.services.persons.decline, asked.id, context.subject)
        await _refused(context, message, words.DECLINED)
    elif message.method not in _MAY_ASK or not words.asks_by_url(message.capabilities):
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
