"""Django's `migrate`, which makes a new database in one go."""

from __future__ import annotations

from typing import Any

from django.core.management.commands.migrate import Command as Migrate

from config.schema.load import schema_load

_PARTS = ("app_label", "migration_name", "fake", "fake_initial", "plan", "check_unapplied", "prune")


class Command(Migrate):
    def handle(self, *args: Any, **options: Any) -> None:
        is_whole = options["database"] == "default" and not any(options.get(name) for name in _PARTS)
        if is_whole and schema_load() and options["verbosity"]:
            self.stdout.write("An empty database: made all tables of config/schema/schema.sql at once.")
        super().handle(*args, **options)
