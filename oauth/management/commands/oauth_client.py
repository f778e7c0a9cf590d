"""Clients that the operator sets up, blocks and removes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from accounts.selectors import user_get
from common.commands import OperatorCommand
from common.errors import BadInput
from events.actors import OPERATOR
from oauth import scopes
from oauth.clients.metadata import BASIC, CLIENT_CREDENTIALS, CODE, JWT_BEARER, KEY, NONE, POST, REFRESH
from oauth.clients.services import client_block, client_create, client_delete, client_unblock
from oauth.models import Application


class Command(OperatorCommand):
    help = "Set up an OAuth client, list them, block or delete one."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        add = actions.add_parser("add", help="prints the client's id, and its secret on a second line where it has one")
        add.add_argument("--name", required=True)
        add.add_argument("--id", default="", help="by default one that nobody can guess")
        add.add_argument(
            "--redirect-uri", action="append", default=[], metavar="URL", help="where people are sent back"
        )
        add.add_argument("--service-of", metavar="USER", help="acts by itself, as this user (client credentials)")
        add.add_argument("--enterprise", action="store_true", help="exchanges identity providers' assertions")
        add.add_argument("--method", choices=[NONE, BASIC, POST, KEY], help="how it proves who it is")
        add.add_argument("--jwks", type=Path, metavar="FILE", help="its public keys, for private_key_jwt")
        add.add_argument("--scope", default="", help=f"at most these, of {', '.join(scopes.KNOWN)}; all by default")
        actions.add_parser("list")
        for name in ("block", "unblock", "delete"):
            actions.add_parser(name).add_argument("id")

    def handle(self, *args: Any, **options: Any) -> None:
        match options["action"]:
            case "add":
                self._add(options)
            case "list":
                self._list()
            case "block":
                client_block(actor=OPERATOR, client_id=options["id"])
            case "unblock":
                client_unblock(actor=OPERATOR, client_id=options["id"])
            case _:
                client_delete(actor=OPERATOR, client_id=options["id"])

    def _add(self, options: dict[str, Any]) -> None:
        grants = [CODE, REFRESH] if options["redirect_uri"] else []
        grants += [CLIENT_CREDENTIALS] if options["service_of"] else []
        grants += [JWT_BEARER] if options["enterprise"] else []
        if not grants:
            raise BadInput("client_idle", "Say what it does: --redirect-uri, --service-of or --enterprise.")
        given = scopes.parse(options["scope"]) if options["scope"] else ()
        application, secret = client_create(
            actor=OPERATOR,
            name=options["name"],
            client_id=options["id"],
            redirect_uris=options["redirect_uri"],
            grants=grants,
            method=options["method"] or (NONE if grants == [CODE, REFRESH] else BASIC),
            user=user_get(options["service_of"]) if options["service_of"] else None,
            scopes=given,
            jwks=_keys(options["jwks"]) if options["jwks"] else None,
        )
        self.stdout.write(application.client_id)
        if secret:
            self.stdout.write(secret)
            self.stderr.write("The second line is its secret, which is shown only now.")

    def _list(self) -> None:
        for client in Application.objects.order_by("pk"):
            state = "blocked" if client.profile.blocked_at else client.registration_source
            self.stdout.write(f"{client.client_id}\t{client.name}\t{state}\t{client.profile.method}")


def _keys(path: Path) -> Any:
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise BadInput("jwks_unreadable", f"{path} can't be read as JSON.") from error
