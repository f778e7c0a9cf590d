"""The token with which the page of a deployment speaks to its endpoint, as the person who looks at it.

/mcp accepts no cookie, so the page gets a token as any other client does: an audited row that is listed and revoked
beside the others. Nobody is asked who they are again, as for other tokens: it lives ten minutes, stays in the page, and
opens no more than the session that asks for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext

from accounts.models import User
from common import limits
from common.errors import Forbidden
from events.actors import Actor
from hosting.access.endpoint_tokens import deployment_token_issue
from hosting.access.permissions import may_call
from hosting.models import Deployment
from oauth import scopes
from oauth.services import PLAYGROUND_CLIENT

TTL_SECONDS: Final = 600
NOTE: Final = "Playground"  # kept in English; the list of tokens says it in the reader's language
LIMIT: Final = 60  # tokens of one person in the time that one lives


@dataclass(frozen=True)
class PlaygroundToken:
    """`value` is the bearer token; it is good for `seconds`."""

    value: str
    seconds: int


def playground_token_issue(*, actor: Actor, user: User, deployment: Deployment) -> PlaygroundToken:
    """Raises Forbidden for who may see the deployment and not call it, and TooMany."""
    if not may_call(actor, deployment):
        raise Forbidden(
            "call_forbidden", gettext("You may look at this server, but not call it. Its owner can let you.")
        )
    limits.count("playground_token", str(user.pk), limit=LIMIT, seconds=TTL_SECONDS)
    _, value = deployment_token_issue(
        actor=actor,
        user=user,
        deployment=deployment,
        scopes=scopes.DEFAULT,
        ttl_seconds=TTL_SECONDS,
        note=NOTE,
        client=PLAYGROUND_CLIENT,
    )
    return PlaygroundToken(value, TTL_SECONDS)
