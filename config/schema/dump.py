"""Writes down what a database has in it, in an order and in words that don't depend on how it came to be."""

from __future__ import annotations

import re
import subprocess

import psycopg

from config.launch.postgres import binaries

# Tables that Django fills again by itself after every `migrate`.
_FILLED_AFTERWARDS = {"django_content_type", "auth_permission", "django_migrations"}
_SESSION = re.compile(r"^(SET |SELECT pg_catalog\.set_config|\\|--|CREATE SCHEMA public\b)")
_BLANK = re.compile(r"\n{3,}")


class RowsOfMigrations(Exception):
    """A migration fills a table, which tables alone can't say."""


def schema_dump(url: str) -> str:
    """The SQL that makes this database's tables and notes its migrations. Raises RowsOfMigrations."""
    with psycopg.connect(url) as connection:
        if found := sorted(_filled(connection)):
            raise RowsOfMigrations(f"Migrations fill {', '.join(found)}: fill it in code, or extend this module.")
        applied = connection.execute("SELECT app, name FROM django_migrations ORDER BY app, name").fetchall()
    rows = ",\n".join(f"    ('{app}', '{name}', now())" for app, name in applied)
    return f"{tables_dump(url)}\nINSERT INTO public.django_migrations (app, name, applied) VALUES\n{rows};\n"


def tables_dump(url: str) -> str:
    """The tables alone."""
    argv = [str(binaries() / "pg_dump"), "--schema-only", "--no-owner", "--no-privileges", "--no-comments", url]
    text = subprocess.run(argv, check=True, capture_output=True, text=True).stdout
    lines = [line for line in text.splitlines() if not _SESSION.match(line)]
    return _BLANK.sub("\n\n", "\n".join(lines)).strip() + "\n"


def _filled(connection: psycopg.Connection[tuple[str]]) -> set[str]:
    names = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    return {
        name
        for (name,) in names
        if name not in _FILLED_AFTERWARDS and connection.execute(f'SELECT FROM "{name}" LIMIT 1').fetchone() is not None
    }
