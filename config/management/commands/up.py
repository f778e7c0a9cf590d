from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config.launch.site import UpError, run_site


class Command(BaseCommand):
    help = (
        "Run the whole site on this machine: PostgreSQL and Valkey (unless DATABASE_URL and REDIS_URL name yours), "
        "web, worker, beat and runner. Ctrl-C or SIGTERM stops all of it."
    )
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            run_site()
        except UpError as error:
            raise CommandError(f"Slipway could not start. {error}") from error
