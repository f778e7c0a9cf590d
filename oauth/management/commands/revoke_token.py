"""Revokes tokens of MCP endpoints and of the API."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.management.base import CommandParser

from common.commands import OperatorCommand
from common.errors import NotFound
from events.actors import OPERATOR
from oauth.api_tokens import api_token_revoke
from oauth.services import endpoint_token_revoke


class Command(OperatorCommand):
    help = "Revoke a token that issue_token printed, by the id it named."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("id", type=UUID)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            endpoint_token_revoke(actor=OPERATOR, token_id=options["id"])
        except NotFound:
            api_token_revoke(actor=OPERATOR, token_id=options["id"])
        self.stderr.write("Revoked.")
