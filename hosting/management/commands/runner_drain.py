"""Empties a runner."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from common.commands import OperatorCommand
from events.actors import OPERATOR
from hosting.fleet.register import runner_drain


class Command(OperatorCommand):
    help = "Have a runner take nothing new: what it held is placed on others, what runs there goes on until it ends."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="the runner's name; that of `make up` is local")
        parser.add_argument("--undo", action="store_true", help="let it take servers again")

    def handle(self, *args: Any, **options: Any) -> None:
        name = options["name"]
        moved = runner_drain(actor=OPERATOR, name=name, is_on=not options["undo"])
        if options["undo"]:
            self.stderr.write(f"{name} takes servers again.")
        else:
            self.stderr.write(f"{name} takes nothing new; {len(moved)} servers were placed on other runners.")
