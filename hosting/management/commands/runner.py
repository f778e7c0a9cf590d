"""Registers a runner and becomes it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.db import connection

from common.commands import OperatorCommand
from events.actors import OPERATOR
from hosting.fleet.command import runner_command
from hosting.fleet.register import runner_register


class Command(OperatorCommand):
    help = "Run a runner: the process that holds the sandboxed servers of this host."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--name", required=True, help="lower-case letters, digits and hyphens; one name per runner")
        parser.add_argument(
            "--listen", metavar="ADDRESS", help="unix:/path (the default: in the run folder) or tls:host:port"
        )
        for name in ("certificate", "key", "authority"):
            parser.add_argument(f"--{name}", type=Path, help="PEM file, for a tls: address")

        parser.add_argument(
            "--drain-seconds", type=float, default=60.0, help="how long running calls may go on after SIGTERM"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        name: str = options["name"]
        address = options["listen"] or f"unix:{settings.SLIPWAY_RUN / f'runner-{name}.sock'}"
        runner_register(actor=OPERATOR, name=name, address=address)
        connection.close()
        files = {one: str(options[one]) for one in ("certificate", "key", "authority") if options[one]}
        command = runner_command(name, address, options["drain_seconds"], files)
        # The runner is another program: it must hold nothing of Django, and keep the process id its keeper knows.
        os.chdir(settings.BASE_DIR)
        os.execve(command.argv[0], command.argv, {**os.environ, **command.environment})
