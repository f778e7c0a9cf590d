"""Prints a one-time link for the first administrator."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts import services
from common.errors import AppError
from events.actors import OPERATOR


class Command(BaseCommand):
    help = (
        "Print a one-time link with which the first administrator chooses a name and a password. "
        "It works once and for one hour; an older one stops working."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            url = services.one_time_link_create(actor=OPERATOR, purpose=services.Purpose.FIRST_ADMIN)
        except AppError as error:
            raise CommandError(error.message) from error
        self.stdout.write(url)
