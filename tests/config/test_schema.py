"""A new database gets its tables at once, and they are those that the migrations make."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from django.conf import settings

from config.schema.dump import tables_dump

ROOT = Path(__file__).resolve().parents[2]
STEP_BY_STEP = """
import django
django.setup()
from django.core.management import call_command
from django.core.management.commands.migrate import Command
call_command(Command(), verbosity=0)
"""
BROKEN = """
import sys
from pathlib import Path
import django
django.setup()
from config.schema import load
load.SCHEMA = Path(sys.argv[1])
print(load.schema_load(), load._is_empty())
"""


@pytest.fixture
def make_database() -> Iterator[Callable[[str], str]]:
    made: list[str] = []

    def make(name: str) -> str:
        with psycopg.connect(settings.DATABASE_URL, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        made.append(name)
        return urlsplit(settings.DATABASE_URL)._replace(path=f"/{name}").geturl()

    yield make
    with psycopg.connect(settings.DATABASE_URL, autocommit=True, options="-c statement_timeout=10s") as connection:
        for name in made:
            # Every backend of the server has to agree, and one that another test left waiting does not.
            with suppress(psycopg.errors.QueryCanceled):
                connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def run(url: str, *words: str, code: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, *words],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "config.settings.local"},
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def applied(url: str) -> list[tuple[str, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute("SELECT app, name FROM django_migrations ORDER BY app, name").fetchall()


@pytest.mark.slow
def test_the_same_tables_at_once_and_step_by_step(make_database: Callable[[str], str]) -> None:
    at_once, step_by_step = make_database("at_once"), make_database("step_by_step")
    assert "made all tables" in run(at_once, "manage.py", "migrate")
    run(step_by_step, "-c", STEP_BY_STEP)
    again = make_database("again")  # PostgreSQL says some expressions in other words when it has read its own
    with psycopg.connect(again, autocommit=True) as connection:
        connection.execute(tables_dump(step_by_step).encode())
    assert tables_dump(at_once) == tables_dump(again)
    assert applied(at_once) == applied(step_by_step)
    assert "made all tables" not in run(at_once, "manage.py", "migrate")


def test_a_database_with_something_in_it_goes_step_by_step(make_database: Callable[[str], str]) -> None:
    """What is there may have tables of the same names."""
    url = make_database("somebodys")
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE accounts_user (id int)")
        connection.commit()
    assert "made all tables" not in run(url, "manage.py", "migrate", code=1)
    with psycopg.connect(url) as connection:
        found = connection.execute("SELECT count(*) FROM pg_tables WHERE tablename = 'hosting_task'").fetchone()
    assert found == (0,)


def test_words_that_this_postgresql_does_not_know_leave_nothing_behind(
    make_database: Callable[[str], str], tmp_path: Path
) -> None:
    """Then the migrations make the tables, as they do for every database."""
    broken = tmp_path / "schema.sql"
    broken.write_text("CREATE TABLE public.one (id int);\nCREATE TABLE public.two (id int) WITH (of_tomorrow = 1);\n")
    assert run(make_database("broken"), "-c", BROKEN, str(broken)).splitlines()[-1] == "False True"
