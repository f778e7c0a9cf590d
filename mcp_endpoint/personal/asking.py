"""What both eras ask the site about a user who lacks something."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mcp_endpoint.context import Context
    from mcp_endpoint.personal.persons import Asked, Brought


async def brought_now(context: Context) -> Brought:
    """What the caller's user has brought by now; from then on the request's instance is started with that."""
    services = context.services
    brought: Brought = await services.runners.in_thread(
        services.persons.brought, context.route.deployment_id, context.subject
    )
    context.personal = brought.mark
    if not brought.missing:
        context.asking = None
    return brought


async def asked_of(context: Context) -> Asked:
    """The page that waits for the caller's user."""
    assert context.asking is not None and context.subject
    services = context.services
    asked: Asked = await services.runners.in_thread(
        services.persons.ask,
        context.route.deployment_id,
        context.subject,
        context.principal.client_id,
        context.asking,
    )
    return asked
