"""The reads' pool: connections that PostgreSQL has ended meanwhile are replaced before anybody reads through them."""

from __future__ import annotations

import asyncio

import psycopg
import pytest

from registry.api.database import POOL, Database, conninfo

_END = "SELECT count(*) FROM unnest(%s::int[]) AS pid WHERE pg_terminate_backend(pid, 5000)"


@pytest.mark.django_db
async def test_connections_that_were_ended_are_not_read_through() -> None:
    database = Database()
    await database.start()
    try:
        together = [database.row("SELECT pg_backend_pid(), pg_sleep(0.5)") for _ in range(POOL)]
        before = {pid for pid, _ in await asyncio.gather(*together)}
        async with await psycopg.AsyncConnection.connect(conninfo(), autocommit=True) as other:
            ended = await (await other.execute(_END, [list(before)])).fetchone()
        assert ended == (len(before),) and len(before) > 1

        after = [(await database.row("SELECT pg_backend_pid()"))[0] for _ in range(POOL)]

        assert before.isdisjoint(after)
    finally:
        await database.stop()
