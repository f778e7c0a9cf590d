"""The reads' pool: connections that PostgreSQL has ended meanwhile are replaced before anybody reads through them."""

from __future__ import annotations

import asyncio

import psycopg
import pytest

from registry.api.database import POOL, Database, conninfo

_END_ALL = """
    SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity
    WHERE application_name = 'slipway registry' AND pid <> pg_backend_pid() AND datname = current_database()
"""


@pytest.mark.django_db
async def test_connections_that_were_ended_are_not_read_through() -> None:
    database = Database()
    await database.start()
    try:
        together = [database.row("SELECT pg_backend_pid(), pg_sleep(0.5)") for _ in range(POOL)]
        before = {pid for pid, _ in await asyncio.gather(*together)}
        async with await psycopg.AsyncConnection.connect(conninfo(), autocommit=True) as other:
            found = await (await other.execute(_END_ALL)).fetchone()
        assert found is not None and found[0] == len(before) > 1

        after = [(await database.row("SELECT pg_backend_pid()"))[0] for _ in range(POOL)]

        assert before.isdisjoint(after)
    finally:
        await database.stop()
