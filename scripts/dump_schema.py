"""Writes config/schema/schema.sql anew, from all migrations run one by one on a database of its own."""

import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    sys.path.insert(0, str(ROOT))
    with tempfile.TemporaryDirectory(prefix="slipway-schema-") as home:
        os.environ |= {"SLIPWAY_HOME": home, "DJANGO_SETTINGS_MODULE": "config.settings.local"}
        for name in ("DATABASE_URL", "REDIS_URL"):
            os.environ.pop(name, None)
        import django

        django.setup()
        from django.conf import settings
        from django.core.management import call_command
        from django.core.management.commands.migrate import Command as Migrate
        from django.db import connections

        from config.schema.dump import schema_dump
        from config.schema.load import SCHEMA
        from tests.services import services

        with services(Path(home)):
            call_command(Migrate(), verbosity=0)
            connections.close_all()
            SCHEMA.write_text(schema_dump(settings.DATABASE_URL), encoding="utf-8")


if __name__ == "__main__":
    main()
