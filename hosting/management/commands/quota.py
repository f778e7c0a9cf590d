"""Shows and sets how much an owner may use."""

from __future__ import annotations

from argparse import ArgumentTypeError
from typing import Any

from django.core.management.base import CommandParser

from accounts.selectors import name_get
from common.commands import OperatorCommand
from events.actors import OPERATOR
from hosting.quotas import quotas
from hosting.quotas.changes import FIELDS, quota_set

_UNITS = {"K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4}


class Command(OperatorCommand):
    help = (
        "Show what an account or organization uses and may use; with options, set it. An amount is a number, in bytes "
        "also with K, M, G or T; “default” takes the site's default (SLIPWAY_QUOTA_…)."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("owner", help="the account's or organization's name")
        for field in FIELDS:
            kind = byte_count if field.endswith("_bytes") else count
            parser.add_argument(f"--{option(field)}", dest=field, type=kind, metavar="AMOUNT")

    def handle(self, *args: Any, **options: Any) -> None:
        owner = name_get(options["owner"])
        chosen = {field: options[field] for field in FIELDS if options[field] is not None}
        if chosen:
            amounts = {field: None if amount == "default" else amount for field, amount in chosen.items()}
            quota_set(actor=OPERATOR, owner=owner, **amounts)
        used, allowed = quotas.used(owner), quotas.allowed(owner)
        for name, title in quotas.NAMES.items():
            now, most = (quotas.words(name, getattr(amounts, name)) for amounts in (used, allowed))
            self.stdout.write(f"{title}: {now} of {most}")


def option(field: str) -> str:
    return field.removesuffix("_bytes").replace("_", "-")


def count(text: str) -> int | str:
    if text == "default":
        return text
    if not text.isascii() or not text.isdigit():
        raise ArgumentTypeError(f"“{text}” is no amount")
    return int(text)


def byte_count(text: str) -> int | str:
    unit = _UNITS.get(text[-1:].upper())
    number = count(text[:-1] if unit else text)
    return number * unit if unit and isinstance(number, int) else number
