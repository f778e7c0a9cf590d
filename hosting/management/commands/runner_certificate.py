"""Issues the certificate with which a runner on another host is admitted to the stream."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from common.commands import OperatorCommand
from hosting.stream.certificates import issue


class Command(OperatorCommand):
    help = (
        "Write a certificate, its key and the authority's certificate for a runner on another host. Copy the folder "
        "there and start: ./manage.py runner --name NAME --listen tls:HOST:PORT --certificate … --key … --authority …"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="the runner's name")
        parser.add_argument(
            "--host", action="append", required=True, help="name or address the site reaches it by; repeatable"
        )
        parser.add_argument("--into", type=Path, required=True, help="folder to write to")

    def handle(self, *args: Any, name: str, host: list[str], into: Path, **options: Any) -> None:
        identity = issue(settings.SLIPWAY_SECRETS / "runners", name, host, into)
        for path in (identity.certificate, identity.key, identity.authority):
            self.stdout.write(str(path))
