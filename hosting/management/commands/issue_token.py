"""Issues a token for one MCP endpoint from a shell."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from accounts.selectors import user_get
from common.commands import OperatorCommand
from common.errors import BadInput, Forbidden, NotFound
from events.actors import OPERATOR
from hosting.models import Deployment
from hosting.permissions import is_member
from hosting.routing import resource_url
from hosting.selectors import deployment_get
from oauth import scopes
from oauth.services import MAX_TTL_SECONDS, endpoint_token_issue


class Command(OperatorCommand):
    help = "Print a bearer token with which a user may call one deployment. It is written to an audited, revocable row."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--user", required=True, metavar="NAME", help="whom the token acts for; must exist")
        parser.add_argument("--deployment", required=True, metavar="OWNER/NAME")
        parser.add_argument(
            "--ttl",
            type=int,
            default=3600,
            metavar="SECONDS",
            help=f"lifetime: 3600 by default, {MAX_TTL_SECONDS} at most",
        )
        parser.add_argument(
            "--scope", default=" ".join(scopes.DEFAULT), help=f"separated by spaces, of {', '.join(scopes.KNOWN)}"
        )
        parser.add_argument("--note", default="", help="what it is for; shown in lists")

    def handle(self, *args: Any, **options: Any) -> None:
        user = user_get(options["user"])
        deployment = _deployment(options["deployment"])
        if deployment.access == Deployment.Access.PRIVATE and not is_member(user.pk, deployment):
            raise Forbidden(
                "not_a_member",
                f"{deployment.label} is private, and {user.username} is neither its owner nor a member.",
            )
        row, token = endpoint_token_issue(
            actor=OPERATOR,
            user=user,
            deployment_id=deployment.pk,
            resource=resource_url(deployment.owner.folded, deployment.folded_name),
            scopes=scopes.parse(options["scope"]),
            ttl_seconds=options["ttl"],
            note=options["note"],
        )
        self.stdout.write(token)
        self.stderr.write(
            f"Valid until {row.expires_at:%Y-%m-%d %H:%M:%S} UTC. To revoke it: ./manage.py revoke_token {row.pk}"
        )


def _deployment(text: str) -> Deployment:
    owner, slash, name = text.partition("/")
    if not slash or not owner or not name or "/" in name:
        raise BadInput("deployment_malformed", f"“{text}” isn't of the form OWNER/NAME, for example alice/time.")
    try:
        return deployment_get(owner, name)
    except NotFound:
        raise NotFound("not_found", f"There is no server {text}. To host one: ./manage.py host --help") from None
