from __future__ import annotations

import socket
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from config.launch.serve import listening_socket, serve


class Command(BaseCommand):
    help = "Run one web process. `up` starts as many as WEB_PROCESSES says; by hand it opens BIND and PORT itself."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        where = parser.add_mutually_exclusive_group()
        where.add_argument("--fd", type=int, help="a listening socket that was handed down")
        where.add_argument("--port", type=int, default=settings.PORT, help="port to open (default: PORT)")

    def handle(self, *args: Any, fd: int | None, port: int, **options: Any) -> None:
        try:
            listener = socket.socket(fileno=fd) if fd is not None else listening_socket(settings.BIND, port)
        except OSError as error:
            raise CommandError(f"The address {settings.BIND}:{port} can't be opened: {error.strerror}.") from error
        if not serve(listener):
            raise CommandError("The web process could not start; the lines above say why.")
