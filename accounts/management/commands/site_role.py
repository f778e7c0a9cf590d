"""Says what an account is on this site."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from accounts.people import ROLES, site_role_set
from accounts.selectors import user_get
from common.commands import OperatorCommand
from events.actors import OPERATOR


class Command(OperatorCommand):
    help = (
        "Make an account an operator, moderator, publisher or member of this site. Publishers host and make "
        "organizations; moderators also decide about the registry; operators may everything."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("user", metavar="NAME")
        parser.add_argument("role", choices=ROLES)

    def handle(self, *args: Any, **options: Any) -> None:
        site_role_set(actor=OPERATOR, user=user_get(options["user"]), role=options["role"])
