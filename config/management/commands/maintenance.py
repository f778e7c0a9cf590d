"""Closes the site for a while, and opens it again."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from common.commands import OperatorCommand
from config import maintenance


class Command(OperatorCommand):
    help = (
        "Close the pages and APIs of this host's web processes: they answer 503 and say when to come back. Hosted "
        "servers go on. It counts within a second, needs no restart, and lasts until it is switched off."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("state", choices=["on", "off", "status"])
        parser.add_argument("--minutes", type=float, help="how long it will take; visitors are told")
        parser.add_argument("--message", default="", help="what visitors are told instead of the usual words")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["state"] == "on":
            maintenance.switch_on(words=options["message"], minutes=options["minutes"])
        elif options["state"] == "off":
            maintenance.switch_off()
        found = maintenance.current()
        until = f" until {found.until:%Y-%m-%d %H:%M} UTC" if found and found.until else ""
        self.stdout.write(f"on{until}" if found else "off")
