"""Gives an empty database its tables. Everything else is left to the migrations."""

from __future__ import annotations

from pathlib import Path

import structlog
from django.db import DatabaseError, connection, transaction

log = structlog.get_logger(__name__)

SCHEMA = Path(__file__).with_name("schema.sql")
_LOCK = 0x534C5343  # two hosts may start on one new database


def schema_load() -> bool:
    """True when the database was empty and has all tables of `schema.sql` now. All of them come, or none."""
    if not _is_empty():
        return False
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
            if not _is_empty():
                return False
            cursor.execute(SCHEMA.read_text(encoding="utf-8"))
    except DatabaseError as error:
        # A PostgreSQL older than the one that wrote it may not know all of its words. The migrations are for all.
        log.warning("schema_not_loaded", error=str(error).strip())
        return False
    return True


def _is_empty() -> bool:
    """Nothing of anybody's, in the schema that the file names."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_schema() = 'public' AND NOT EXISTS"
            " (SELECT FROM pg_class WHERE relnamespace = 'public'::regnamespace)"
        )
        (is_empty,) = cursor.fetchone() or (False,)
    return bool(is_empty)
