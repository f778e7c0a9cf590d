"""Third parties at which people of the site have accounts."""

from __future__ import annotations

import getpass
import sys
from typing import Any

from django.core.management.base import CommandParser

from common.commands import OperatorCommand
from events.actors import OPERATOR
from oauth.models import Provider
from oauth.outbound import identity
from oauth.outbound.flow import site_peer
from oauth.outbound.providers import Wanted, provider_named, provider_put, provider_remove, providers_of, server_of


class Command(OperatorCommand):
    help = (
        "Set up a third party (GitHub, Google, Slack, Notion, any OAuth 2) at which people may connect accounts for "
        "servers that ask for one. Run again to change it; without a name: lists them. Prints the address to register "
        "this site with there. The client's secret is read from standard input."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", nargs="?", help="short, as servers' settings name it: github")
        parser.add_argument("--kind", choices=Provider.Kind.values, help="by default the name, if it is one of these")
        parser.add_argument("--title", default="", help="what people are shown")
        parser.add_argument("--client-id", default="", metavar="ID")
        parser.add_argument("--secret", action="store_true", help="read its secret; without it the old one stays")
        parser.add_argument("--scope", action="append", default=[], help="asked for where a server names none")
        parser.add_argument("--issuer", default="", metavar="URL", help="of one that describes itself")
        parser.add_argument("--authorize-url", default="", metavar="URL", help="of one that doesn't")
        parser.add_argument("--token-url", default="", metavar="URL")
        parser.add_argument("--revoke-url", default="", metavar="URL")
        parser.add_argument("--remove", action="store_true", help="what is connected there ends")

    def handle(self, *args: Any, **options: Any) -> None:
        name = options["name"]
        if not name:
            for one in providers_of(None):
                self.stdout.write(f"{one.name}\t{one.kind}\t{one.client_id}\t{identity.redirect_uri(server_of(one))}")
            return
        if options["remove"]:
            ended = provider_remove(actor=OPERATOR, provider=provider_named(None, name))
            self.stderr.write(f"{name} was removed; {ended} accounts were connected there.")
            return
        wanted = Wanted(
            name=name,
            kind=options["kind"] or (name if name in Provider.Kind.values else Provider.Kind.DISCOVERED),
            title=options["title"],
            client_id=options["client_id"],
            client_secret=self._secret() if options["secret"] else "",
            scopes=tuple(options["scope"]),
            **{key: options[key] for key in ("issuer", "authorize_url", "token_url", "revoke_url")},
        )
        found = provider_put(site_peer(), actor=OPERATOR, subject_id=None, wanted=wanted)
        self.stderr.write(f"{found.title} is saved. Register this site there with this address:")
        self.stdout.write(identity.redirect_uri(server_of(found)))

    @staticmethod
    def _secret() -> str:
        return getpass.getpass("Client secret: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")
