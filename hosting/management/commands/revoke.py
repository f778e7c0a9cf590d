"""Takes a permission back from an account."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from accounts.selectors import user_get
from common.commands import OperatorCommand
from events.actors import OPERATOR
from hosting.access import grants
from hosting.access.anonymous import anonymous_end_for_owner


class Command(OperatorCommand):
    help = (
        "Take a granted permission back from an account. What it hosts goes on; anonymous access to its own servers "
        "ends with the permission for it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user", help="the account's name")
        parser.add_argument("permission", help=", ".join(grants.ALL))

    def handle(self, *args: Any, **options: Any) -> None:
        user = user_get(options["user"])
        permission = grants.permission_named(options["permission"])
        had_it = grants.permission_revoke(actor=OPERATOR, user=user, permission=permission)
        self.stderr.write(
            f"{user.username} {'may no longer' if had_it else 'was never granted to'} {permission.words}."
        )
        if permission is grants.ANONYMOUS and not user.is_superuser:
            for label in anonymous_end_for_owner(actor=OPERATOR, user=user):
                self.stderr.write(f"{label} needs an account again.")
