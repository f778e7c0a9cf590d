"""What all tests share. Parts are real: PostgreSQL, Valkey, and where a test asks for `stack`, the whole site."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest
from django.conf import settings
from django.core.cache import cache

from tests import scheduling
from tests.oauth.elsewhere import FakeAuthorizationServer
from tests.services import services
from tests.stack import Stack

# Deadlines of milliseconds measure how busy the machine is, and nothing of ours.
hypothesis.settings.register_profile("slipway", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("slipway")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> scheduling.SiteScheduling:
    return scheduling.SiteScheduling(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """After pytest-randomly has shuffled them. The order of what remains equal is random."""
    scheduling.check(items)
    items.sort(key=scheduling.longest_first)


@pytest.fixture(scope="session", autouse=True)
def _services() -> Iterator[None]:
    with services(settings.SLIPWAY_HOME):
        yield


@pytest.fixture(scope="session")
def django_db_modify_db_settings(_services: None) -> None:
    """pytest-django asks for this before it makes its database; the server must run by then."""


@pytest.fixture(scope="session")
def django_db_keepdb() -> bool:
    """A cluster of our own goes as a whole; dropping its database first would fail where a thread still asks it."""
    return not os.environ.get("DATABASE_URL")


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The whole site, shared by all tests that only use it. A test that breaks something starts a Stack of its own."""
    site = Stack(tmp_path_factory.mktemp("site"), WEB_PROCESSES="2")
    try:
        yield site.start()
    finally:
        site.stop()


@pytest.fixture
def far(settings: Any) -> Iterator[FakeAuthorizationServer]:
    """A site elsewhere that this one may reach. How often it is asked is counted in Valkey, which outlives a test."""
    cache.clear()
    with FakeAuthorizationServer() as server:
        settings.SLIPWAY_EGRESS_PRIVATE = ["127.0.0.0/8"]
        settings.SLIPWAY_EGRESS_PORTS = [server.port]
        yield server
