"""Prints a one-time link for the first administrator."""

from __future__ import annotations

from typing import Any

from accounts import services
from common.commands import OperatorCommand
from events.actors import OPERATOR


class Command(OperatorCommand):
    help = (
        "Print a one-time link with which the first administrator chooses a name and a password. "
        "It works once and for one hour; an older one stops working."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        url = services.one_time_link_create(actor=OPERATOR, purpose=services.Purpose.FIRST_ADMIN)
        self.stdout.write(url)
