"""Where a request meets its user's credentials: looked up for each one, so that what was brought or revoked counts at
once. Only servers to which users bring something pay for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcp_endpoint.legacy.messages import LegacyPost
from mcp_endpoint.modern.messages import ModernCall
from mcp_endpoint.personal import legacy, modern
from mcp_endpoint.personal.asking import brought_now
from mcp_endpoint.personal.holding import GoneError

if TYPE_CHECKING:
    from mcp_endpoint.context import Context
    from mcp_endpoint.wire.inbound import Inbound


async def served(context: Context, inbound: Inbound) -> bool:
    """True where the request was answered here. Otherwise `context.personal` says what its instance is started with."""
    if not isinstance(inbound, ModernCall | LegacyPost):
        return False
    brought = await brought_now(context)
    try:
        if isinstance(inbound, ModernCall):
            return await modern.serve(context, inbound, brought)
        return await legacy.serve(context, inbound, brought)
    except GoneError:
        return True
