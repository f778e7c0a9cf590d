"""Lets an account do what not every member may."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from accounts.selectors import user_get
from common.commands import OperatorCommand
from events.actors import OPERATOR
from hosting.access import grants


class Command(OperatorCommand):
    help = "Grant an account a permission of this site. Without one, say which it has. To take it back: revoke."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user", help="the account's name")
        parser.add_argument(
            "permission", nargs="?", help=", ".join(f"{p.name}: {p.words}" for p in grants.ALL.values())
        )

    def handle(self, *args: Any, **options: Any) -> None:
        user = user_get(options["user"])
        if options["permission"] is None:
            for permission in grants.permissions_of(user):
                self.stdout.write(permission.name)
            return
        permission = grants.permission_named(options["permission"])
        is_new = grants.permission_grant(actor=OPERATOR, user=user, permission=permission)
        self.stderr.write(f"{user.username} {'may now' if is_new else 'was granted before to'} {permission.words}.")
