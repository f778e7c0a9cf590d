"""The registry's API over real HTTP, in a thread of the test's process, on the tests' own database."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
import uvicorn
from django.db import DEFAULT_DB_ALIAS, connections
from pytest_django import DjangoDbBlocker

from registry.api.app import Api
from tests.registry import rows
from tests.registry.site import Changes, Site


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        self.ready.set()


@contextmanager
def _served() -> Iterator[Site]:
    """An API with a pool and a cache of its own, as each web process has."""
    began: list[_Server] = []
    apis: list[Api] = []

    async def run() -> None:
        api = Api()
        await api.start()
        while not api.cache.is_trusted:
            api.cache.get("")  # who asks has it proven, and a proof that came late is over
            await asyncio.sleep(0.01)
        apis.append(api)
        began.append(_Server(uvicorn.Config(api, host="127.0.0.1", port=0, lifespan="off", log_config=None)))
        try:
            await began[0].serve()
        finally:
            await api.stop()

    thread = threading.Thread(target=asyncio.run, args=(run(),))
    thread.start()
    while not began:
        thread.join(0.01)
        assert thread.is_alive()
    server = began[0]
    assert server.ready.wait(60)
    port = server.servers[0].sockets[0].getsockname()[1]
    changes = Changes(apis[0].cache)
    yield Site(f"http://127.0.0.1:{port}", changes)
    changes.close()
    server.should_exit = True
    thread.join(60)


@pytest.fixture(scope="session")
def _registry_site(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Site]:
    with django_db_blocker.unblock(), _served() as site:
        yield site


@pytest.fixture
def committed(db: None) -> Iterator[None]:
    """What a test writes is committed, so that the site sees it; the database is as migrations left it after it.

    A connection beside the one of `db`, whose transaction is for tests alone.
    """
    of_db = connections[DEFAULT_DB_ALIAS]
    connections[DEFAULT_DB_ALIAS] = of_db.copy()
    try:
        yield
        rows.empty(connections[DEFAULT_DB_ALIAS])
    finally:
        connections[DEFAULT_DB_ALIAS].close()
        connections[DEFAULT_DB_ALIAS] = of_db


@pytest.fixture
def site(committed: None, _registry_site: Site) -> Iterator[Site]:
    """With an empty registry."""
    with httpx.Client(base_url=_registry_site.url, timeout=60) as client:
        yield Site(_registry_site.url, _registry_site.changes, client)


@pytest.fixture
def others(site: Site) -> Iterator[list[Site]]:
    """Two more web processes' APIs on the same registry, as far as they know of each other."""
    with (
        _served() as one,
        _served() as two,
        httpx.Client(base_url=one.url, timeout=60) as first,
        httpx.Client(base_url=two.url, timeout=60) as second,
    ):
        yield [Site(one.url, one.changes, first), Site(two.url, two.changes, second)]
