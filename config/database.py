"""DATABASE_URL as Django wants it."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict


def database_settings(url: str, pool_size: int) -> dict[str, Any]:
    """One entry of DATABASES. libpq reads the URL, so whatever psql accepts works; `pool_size` 0 means no pool."""
    try:
        parts = {name: str(value) for name, value in conninfo_to_dict(url).items() if value is not None}
    except ProgrammingError:  # its message shows the URL, which may hold a password
        raise ImproperlyConfigured("DATABASE_URL can't be read; use postgresql://user:password@host/name.") from None
    if "dbname" not in parts:
        raise ImproperlyConfigured("DATABASE_URL names no database; add it at the end: postgresql://…/slipway.")
    names = {"NAME": "dbname", "USER": "user", "PASSWORD": "password", "HOST": "host", "PORT": "port"}
    settings: dict[str, Any] = {key: parts.pop(part, "") for key, part in names.items()}
    parts.setdefault("connect_timeout", "5")
    options: dict[str, Any] = dict(parts)
    if pool_size:
        options["pool"] = {"min_size": 1, "max_size": pool_size, "timeout": 10}
    return settings | {
        "ENGINE": "django.db.backends.postgresql",
        "OPTIONS": options,
        "CONN_HEALTH_CHECKS": True,
        "TEST": {"NAME": "test_" + settings["NAME"]},
    }
