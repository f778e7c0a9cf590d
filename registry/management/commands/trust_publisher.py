"""Says whose ID tokens may publish, lists them, and takes it back."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import CommandParser

from common.commands import OperatorCommand
from common.errors import BadInput
from events.actors import OPERATOR
from registry.models import TrustedPublisher
from registry.proofs.publishers import publisher_distrust, publisher_trust


class Command(OperatorCommand):
    help = (
        "Trust an OpenID Connect issuer to publish: its tokens for this site's address, with these claims, may publish "
        "to these names. Without arguments, list what is trusted. Example: trust_publisher acme-ci --issuer "
        "https://gitlab.com --claim namespace_path=acme --claim ref_protected=true --allow 'com.acme/*'"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("label", nargs="?", help="what you call it")
        parser.add_argument("--issuer", help="its address, exactly as its tokens say it")
        parser.add_argument("--audience", default="", help="what tokens must be for (default: SLIPWAY_URL)")
        parser.add_argument(
            "--claim", action="append", default=[], metavar="NAME=VALUE",
            help="that a token must have; the same name again for another allowed value; VALUE may be JSON",
        )  # fmt: skip
        parser.add_argument("--allow", action="append", default=[], metavar="PATTERN", help="org.example/* or such")
        parser.add_argument("--edit", action="store_true", help="may correct published versions instead of publishing")
        parser.add_argument("--remove", action="store_true", help="trust it no longer")

    def handle(self, *args: Any, **options: Any) -> None:
        label = options["label"]
        if label is None:
            for each in TrustedPublisher.objects.all():
                names = " ".join(each.resources)
                self.stdout.write(f"{each.label}: {each.issuer} {json.dumps(each.claims)} may {each.action} {names}")
        elif options["remove"]:
            publisher_distrust(actor=OPERATOR, label=label)
            self.stderr.write("Removed.")
        else:
            publisher_trust(
                actor=OPERATOR,
                label=label,
                issuer=options["issuer"] or "",
                audience=options["audience"],
                claims=claims_of(options["claim"]),
                resources=options["allow"],
                action="edit" if options["edit"] else "publish",
            )
            self.stderr.write("Trusted.")


def claims_of(texts: list[str]) -> dict[str, Any]:
    """`a=1 a=2 b=x` → {"a": [1, 2], "b": "x"}: a value that is a JSON number or truth value is one."""
    found: dict[str, list[Any]] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise BadInput("claim_invalid", f"“{text}” is no claim: write NAME=VALUE.", field="claim")
        found.setdefault(name, []).append(_value(value))
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def _value(text: str) -> Any:
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, str | int | bool) else text
