"""Prints a link that brings one person in."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from accounts.invitations import invitation_create
from accounts.models import Membership, User
from accounts.selectors import organization_get
from common.commands import OperatorCommand
from events.actors import OPERATOR


class Command(OperatorCommand):
    help = "Print a link with which one person makes an account, joins an organization, or both. It is good for a week."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--organization", metavar="NAME")
        parser.add_argument("--role", choices=Membership.Role.values, default=Membership.Role.MEMBER)
        parser.add_argument("--site-role", choices=User.SiteRole.values, default=User.SiteRole.MEMBER)
        parser.add_argument("--note", default="", help="for whom it is")

    def handle(self, *args: Any, **options: Any) -> None:
        organization = organization_get(options["organization"]) if options["organization"] else None
        self.stdout.write(
            invitation_create(
                actor=OPERATOR,
                organization=organization,
                role=options["role"],
                site_role=options["site_role"],
                note=options["note"],
            )
        )
