"""Tools that their owner wants asked for by themselves: a call without the scope is answered with what to ask for.

2026-07-28 basic/authorization, "Scope Challenge Handling": 403 with all scopes of this operation in one challenge, so
that the client's next authorization is the last one. Without an account there is nothing to step up from: 401.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from mcp_endpoint.admission.auth import BASIC, Challenge, Principal
from mcp_endpoint.legacy.messages import Call, LegacyPost
from mcp_endpoint.modern.messages import ModernCall
from mcp_endpoint.tools.tool_policy import CALL, called_tool, check_tool
from mcp_endpoint.wire import jsonrpc as j
from mcp_endpoint.wire.protected_resource import PREFIX, metadata_url
from mcp_endpoint.wire.rejection import RefusedError, Rejection

if TYPE_CHECKING:
    from hosting.routing import Route
    from mcp_endpoint.wire.inbound import Inbound

SCOPE: Final = f"{BASIC} mcp:admin"
LACKING: Final = Challenge(
    403, "insufficient_scope", "The token lacks the scope mcp:admin, which this tool needs.", SCOPE
)
NOBODY: Final = Challenge(401, "", "This tool needs a bearer token with the scope mcp:admin.", SCOPE)


def check_allowed(route: Route, principal: Principal, inbound: Inbound) -> None:
    """What a call passes before anything is done for it: its owner's policy, and the scope of a guarded tool.

    Raises RefusedError.
    """
    if not route.policy.is_open:
        check_tool(route, inbound)
    if route.policy.guarded and "mcp:admin" not in principal.scopes:
        check_guarded(route, principal, inbound)


def check_guarded(route: Route, principal: Principal, inbound: Inbound) -> None:
    """Raises RefusedError for a guarded tool, and for a call whose tool readers could see differently. A batch with one
    such call is refused as a whole: its challenge is the request's."""
    for message in _calls(inbound):
        name = called_tool(message)
        if name is None:
            words = "Invalid params: name must stand once, as a string"
            status = 400 if isinstance(message, ModernCall) else 200
            raise RefusedError(Rejection(status, j.INVALID_PARAMS, words, message.id))
        if name in route.policy.guarded:
            raise RefusedError(_challenge(route, principal, message.id))


def _calls(inbound: Inbound) -> list[ModernCall | Call]:
    if isinstance(inbound, ModernCall):
        return [inbound] if inbound.method == CALL else []
    if isinstance(inbound, LegacyPost):
        return [message for message in inbound.messages if isinstance(message, Call) and message.method == CALL]
    return []


def _challenge(route: Route, principal: Principal, request_id: bytes) -> Rejection:
    said = NOBODY if principal.is_anonymous else LACKING
    site, _, path = route.resource.partition(PREFIX)
    header = (b"www-authenticate", said.header(metadata_url(site, PREFIX + path)))
    message = f"{HTTPStatus(said.status).phrase}: {said.description}"
    return Rejection(said.status, j.INVALID_REQUEST, message, request_id, headers=(header,))
