"""Prints a one-time link with which one account's owner can sign in."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from accounts import selectors, services
from common.commands import OperatorCommand
from events.actors import OPERATOR


class Command(OperatorCommand):
    help = (
        "Print a one-time link with which the owner of an account sets a password and signs in. "
        "It works once and for one hour; an older one stops working."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--user", required=True, metavar="NAME", help="the account's name")

    def handle(self, *args: Any, **options: Any) -> None:
        user = selectors.user_get(options["user"])
        url = services.one_time_link_create(actor=OPERATOR, purpose=services.Purpose.SIGN_IN, user=user)
        self.stdout.write(url)
