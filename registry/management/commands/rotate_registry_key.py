"""Puts a new key in the place of the one that signs registry tokens."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from common.commands import OperatorCommand
from registry.proofs import keys


class Command(OperatorCommand):
    help = (
        "Sign registry tokens with a new key from now on. The site may run meanwhile; tokens of the old key are good "
        "for their five minutes. On several hosts, copy secrets/registry_key.pem to the others."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--now", action="store_true", help="refuse tokens of the old key at once")

    def handle(self, *args: Any, **options: Any) -> None:
        kid = keys.rotate(keep_before=not options["now"])
        self.stdout.write(kid)
