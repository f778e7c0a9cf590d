"""The cache of a web process: it hears of changes always, and proves that it does only while somebody asks."""

from __future__ import annotations

import asyncio

import psycopg
import pytest

from registry.api.cache import CHANNEL, PROOF_SECONDS, TRUST_SECONDS, Cache
from registry.api.database import conninfo


async def _body() -> bytes:
    return b"body"


async def _until_trusted(cache: Cache) -> None:
    """As whoever goes on asking makes it: a proof that came late is over."""
    async with asyncio.timeout(60):
        while not cache.is_trusted:
            cache.get("")
            await asyncio.sleep(0.01)


@pytest.mark.django_db
async def test_nothing_is_proven_while_nobody_asks_and_who_asks_brings_it_back() -> None:
    cache = Cache()
    async with await psycopg.AsyncConnection.connect(conninfo(), autocommit=True) as writer:
        cache.start()
        try:
            await _until_trusted(cache)
            await cache.made("key", _body)
            await asyncio.sleep(TRUST_SECONDS + 2 * PROOF_SECONDS)  # the last asking may have been after a proof
            assert not cache.is_trusted, "nobody asked"

            assert cache.get("key") is None, "nobody knows whether it is still true"
            await _until_trusted(cache)
            assert cache.get("key") is not None, "nothing has changed meanwhile"

            await asyncio.sleep(TRUST_SECONDS + 2 * PROOF_SECONDS)
            await writer.execute("SELECT pg_notify(%s, '')", (CHANNEL,))
            cache.get("key")
            await _until_trusted(cache)
            assert cache.get("key") is None, "a change was told while nobody asked"
        finally:
            await cache.stop()


@pytest.mark.django_db
async def test_it_stays_proven_while_it_is_asked() -> None:
    cache = Cache()
    cache.start()
    try:
        await _until_trusted(cache)
        await cache.made("key", _body)
        loop = asyncio.get_running_loop()
        end = loop.time() + 3 * TRUST_SECONDS
        missed = 0
        while loop.time() < end:
            missed += cache.get("key") is None
            await asyncio.sleep(0.02)
        assert missed < 15, "at most a busy machine's"
    finally:
        await cache.stop()
