"""Issues a token for one MCP endpoint, or one for the platform API, from a shell."""

from __future__ import annotations

from typing import Any, TypeVar

from django.core.management.base import CommandParser

from accounts.models import User
from accounts.selectors import user_get
from common.commands import OperatorCommand
from common.errors import BadInput, Forbidden, NotFound
from events.actors import OPERATOR
from hosting.access.permissions import is_member
from hosting.models import Deployment
from hosting.routing import resource_url
from hosting.selectors import deployment_get
from oauth import api_tokens, scopes
from oauth.models import ApiToken, EndpointToken
from oauth.services import MAX_TTL_SECONDS, endpoint_token_issue

ENDPOINT_TTL_SECONDS = 3600
T = TypeVar("T")


class Command(OperatorCommand):
    help = (
        "Print a bearer token with which a user may call one deployment (--deployment) or the platform API (--api). "
        "It is written to an audited, revocable row."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--user", required=True, metavar="NAME", help="whom the token acts for; must exist")
        target = parser.add_mutually_exclusive_group(required=True)
        target.add_argument("--deployment", metavar="OWNER/NAME")
        target.add_argument("--api", action="store_true", help="a token for /api instead")
        days = api_tokens.DEFAULT_TTL_SECONDS // api_tokens.DAY_SECONDS
        parser.add_argument(
            "--ttl",
            type=int,
            metavar="SECONDS",
            help=f"lifetime: {ENDPOINT_TTL_SECONDS} by default, {MAX_TTL_SECONDS} at most; with --api {days} days by "
            f"default, 365 days ({api_tokens.MAX_TTL_SECONDS}) at most",
        )
        parser.add_argument(
            "--scope",
            help=f"separated by spaces, of {', '.join(scopes.KNOWN)} ({' '.join(scopes.DEFAULT)} by default); with "
            f"--api of {', '.join(scopes.API_KNOWN)} (all by default)",
        )
        parser.add_argument("--note", default="", help="what it is for; shown in lists")

    def handle(self, *args: Any, **options: Any) -> None:
        user = user_get(options["user"])
        row, token = _api_token(user, options) if options["api"] else _endpoint_token(user, options)
        self.stdout.write(token)
        self.stderr.write(
            f"Valid until {row.expires_at:%Y-%m-%d %H:%M:%S} UTC. To revoke it: ./manage.py revoke_token {row.pk}"
        )


def _api_token(user: User, options: dict[str, Any]) -> tuple[ApiToken, str]:
    return api_tokens.api_token_issue(
        actor=OPERATOR,
        user=user,
        scopes=scopes.parse(_or(options["scope"], " ".join(scopes.API_KNOWN)), scopes.API_KNOWN),
        ttl_seconds=_or(options["ttl"], api_tokens.DEFAULT_TTL_SECONDS),
        note=options["note"],
    )


def _endpoint_token(user: User, options: dict[str, Any]) -> tuple[EndpointToken, str]:
    deployment = _deployment(options["deployment"])
    if deployment.access == Deployment.Access.PRIVATE and not is_member(user.pk, deployment):
        raise Forbidden(
            "not_a_member",
            f"{deployment.label} is private, and {user.username} is neither its owner nor a member.",
        )
    return endpoint_token_issue(
        actor=OPERATOR,
        user=user,
        deployment_id=deployment.pk,
        resource=resource_url(deployment.owner.folded, deployment.folded_name),
        scopes=scopes.parse(_or(options["scope"], " ".join(scopes.DEFAULT))),
        ttl_seconds=_or(options["ttl"], ENDPOINT_TTL_SECONDS),
        note=options["note"],
    )


def _or(given: T | None, default: T) -> T:
    return default if given is None else given


def _deployment(text: str) -> Deployment:
    owner, slash, name = text.partition("/")
    if not slash or not owner or not name or "/" in name:
        raise BadInput("deployment_malformed", f"“{text}” isn't of the form OWNER/NAME, for example alice/time.")
    try:
        return deployment_get(owner, name)
    except NotFound:
        raise NotFound("not_found", f"There is no server {text}. To host one: ./manage.py host --help") from None
