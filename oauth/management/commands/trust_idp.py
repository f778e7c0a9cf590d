"""Which identity providers organizations trust."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from accounts.selectors import name_get, user_get
from common.commands import OperatorCommand
from common.errors import BadInput, NotFound
from events.actors import OPERATOR
from oauth import scopes
from oauth.enterprise.trust import identity_link, idp_distrust, idp_trust
from oauth.models import TrustedIdp


class Command(OperatorCommand):
    help = (
        "Let an organization's identity provider decide who may use the organization's servers, with which programs "
        "(enterprise-managed authorization). Run again to change it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--organization", required=True, metavar="NAME")
        parser.add_argument("--issuer", required=True, metavar="URL")
        parser.add_argument("--jwks-uri", metavar="URL", help="of its public keys; by default it is asked")
        parser.add_argument("--scope", default=" ".join(scopes.DEFAULT), help="at most these (default: %(default)s)")
        parser.add_argument("--client", action="append", default=[], metavar="ID", help="only these; all by default")
        parser.add_argument(
            "--email-domain", action="append", default=[], metavar="DOMAIN",
            help="a domain that is the organization's: accounts with a verified address there are linked by it",
        )  # fmt: skip
        parser.add_argument("--create-users", action="store_true", help="make accounts for whom it does not know yet")
        parser.add_argument(
            "--link", action="append", default=[], metavar="SUBJECT=USER", help="who a subject of the provider is here"
        )
        parser.add_argument("--remove", action="store_true", help="trust it no more")

    def handle(self, *args: Any, **options: Any) -> None:
        organization = name_get(options["organization"]).organization
        if organization is None:
            raise NotFound("organization_unknown", f"{options['organization']} is no organization.")
        if options["remove"]:
            for idp in TrustedIdp.objects.filter(organization=organization, issuer=options["issuer"]):
                idp_distrust(actor=OPERATOR, idp=idp)
            return
        idp = idp_trust(
            actor=OPERATOR,
            organization=organization,
            issuer=options["issuer"],
            jwks_uri=options["jwks_uri"] or "",
            scopes=" ".join(scopes.parse(options["scope"])),
            clients=tuple(options["client"]),
            resources=(),
            email_domains=tuple(options["email_domain"]),
            creates_users=options["create_users"],
        )
        for text in options["link"]:
            subject, equals, name = text.rpartition("=")
            if not equals or not subject:
                raise BadInput("link_malformed", f"“{text}” isn't of the form SUBJECT=USER.")
            identity_link(actor=OPERATOR, idp=idp, subject=subject, user=user_get(name))
        self.stderr.write(f"{options['organization']} trusts {idp.issuer} from now on.")
