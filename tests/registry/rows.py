"""What lies in the tests' database beside what migrations put there, and a way to be rid of it."""

from __future__ import annotations

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

_OF_MIGRATIONS = {"auth_permission", "django_content_type", "django_migrations"}
_UNDELETABLE = {"accounts_name", "events_auditentry"}  # to all others: by triggers


def filled(database: BaseDatabaseWrapper) -> set[str]:
    """The tables that hold rows of tests."""
    with database.cursor() as cursor:
        tables = set(database.introspection.table_names(cursor)) - _OF_MIGRATIONS
        cursor.execute(" UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT FROM {name})" for name in tables))
        return {name for (name,) in cursor.fetchall()}


def empty(database: BaseDatabaseWrapper) -> None:
    """As after migrating. A flush of all tables takes longer than most tests; these few rows are quickly deleted,
    in any order, as Django's foreign keys are checked when the transaction ends."""
    tables = filled(database)
    guarded = tables & _UNDELETABLE
    with transaction.atomic(using=database.alias), database.cursor() as cursor:
        for name in guarded:
            cursor.execute(f"ALTER TABLE {name} DISABLE TRIGGER USER")
        for name in tables:
            cursor.execute(f"DELETE FROM {name}")
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # no table is altered while checks of it wait
        for name in guarded:
            cursor.execute(f"ALTER TABLE {name} ENABLE TRIGGER USER")
