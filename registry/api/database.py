"""The reads' own way to PostgreSQL: a small pool of asynchronous connections, and one that listens for changes.

Django's connections belong to threads, and going to one and back costs a read more than its query.
"""

from __future__ import annotations

import select
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from django.db import connections
from psycopg.conninfo import make_conninfo
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from registry.api.problems import Problem

POOL = 8
WAIT_SECONDS = 5.0

Pool = AsyncConnectionPool[psycopg.AsyncConnection[Any]]
AWAY = (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout)


def conninfo() -> str:
    """Of Django's default database, for libpq."""
    parameters = connections["default"].get_connection_params()
    wanted = {
        name: str(value)
        for name, value in parameters.items()
        if isinstance(value, str | int) and name not in ("context", "cursor_factory", "pool", "prepare_threshold")
    }
    return make_conninfo(**{**wanted, "application_name": "slipway registry"})


class Database:
    """`start` and `stop` by the web process. Raises Problem 503 while PostgreSQL is away."""

    def __init__(self) -> None:
        self._pool: Pool | None = None

    async def start(self) -> None:
        options = {"autocommit": True, "options": "-c TimeZone=UTC", "prepare_threshold": 2}
        self._pool = AsyncConnectionPool(
            conninfo(), min_size=1, max_size=POOL, open=False, timeout=WAIT_SECONDS, kwargs=options
        )
        await self._pool.open(wait=False)

    async def stop(self) -> None:
        pool, self._pool = self._pool, None
        if pool is not None:
            await pool.close()

    @asynccontextmanager
    async def cursor(self) -> AsyncIterator[psycopg.AsyncCursor[Any]]:
        if self._pool is None:
            raise _away()
        try:
            async with _living(self._pool) as connection, connection.cursor(binary=True) as cursor:
                yield cursor
        except AWAY as error:
            raise _away() from error

    async def row(self, sql: str, parameters: tuple[Any, ...] = (), *, is_planned_anew: bool = False) -> Any:
        """The first one, or None. `is_planned_anew`: where the best way depends on the parameters, which a plan that
        is made once for all of them does not know."""
        async with self.cursor() as cursor:
            await cursor.execute(sql, parameters, prepare=False if is_planned_anew else None)
            return await cursor.fetchone()


@asynccontextmanager
async def _living(pool: Pool) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
    """One that PostgreSQL has not ended meanwhile; the pool makes new ones for those. The pool's own check would ask a
    question each time, and wait a second after each that fails."""
    while True:
        async with pool.connection() as connection:
            if not _is_ended(connection):
                yield connection
                return
            await connection.close()


def _is_ended(connection: psycopg.AsyncConnection[Any]) -> bool:
    """Nobody has asked through it, so whatever there is to read tells of its end, or that a setting of PostgreSQL's has
    changed; then it is given up in vain."""
    poller = select.poll()
    poller.register(connection.fileno(), select.POLLIN)
    return bool(poller.poll(0))


def _away() -> Problem:
    return Problem(503, "The registry's database does not answer. Try again shortly.", headers={"Retry-After": "5"})
