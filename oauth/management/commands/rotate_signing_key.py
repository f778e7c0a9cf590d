"""Rotates the key that signs access tokens. The site does it once a month by itself."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from common.commands import OperatorCommand
from events.actors import OPERATOR
from oauth.rotation import signing_key_activate, signing_key_publish


class Command(OperatorCommand):
    help = (
        "Publish a new key that signs access tokens; it signs ten minutes later, when everybody can know it. "
        "Tokens that the old one signed stay good until they expire."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--now", action="store_true", help="sign with it at once")

    def handle(self, *args: Any, **options: Any) -> None:
        row = signing_key_publish(actor=OPERATOR)
        is_active = options["now"] and signing_key_activate(actor=OPERATOR, is_urgent=True)
        self.stderr.write(f"{row.kid} {'signs now' if is_active else 'is published and signs in ten minutes'}.")
