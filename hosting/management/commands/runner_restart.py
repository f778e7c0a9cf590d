"""Restarts a runner in place."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from common.commands import OperatorCommand
from events.actors import OPERATOR
from hosting.fleet.register import runner_restart


class Command(OperatorCommand):
    help = (
        "Have a runner execute itself anew, as after an update. Its servers, sessions and calls go on; if the new code "
        "can't take them over, the runner goes on as it was and this says why."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="the runner's name; that of `make up` is local")
        parser.add_argument(
            "--settings-of-now",
            action="store_true",
            help="with SLIPWAY_EGRESS_PRIVATE and SLIPWAY_EGRESS_PORTS as they are for this command, until its keeper "
            "starts it anew; servers that run already keep what they had",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        runner_restart(actor=OPERATOR, name=options["name"], takes_settings=options["settings_of_now"])
        self.stderr.write(f"{options['name']} was restarted in place.")
