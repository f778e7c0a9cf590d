"""What all tests share. Parts are real: PostgreSQL, Valkey, and where a test asks for `stack`, the whole site."""

from __future__ import annotations

from collections.abc import Iterator

import hypothesis
import pytest
from django.conf import settings

from tests.services import services
from tests.stack import Stack

# Deadlines of milliseconds measure how busy the machine is, and nothing of ours.
hypothesis.settings.register_profile("slipway", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("slipway")


# Whole sites, each started once: files that use the same one go to the same process of `pytest -n`.
SITES = ("stack", "local_site", "clients_site", "hosted")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Groups for `--dist loadgroup`: the files of a site, or one file. What starts sites goes first."""
    groups: dict[str, str] = {}
    for item in items:
        used = getattr(item, "fixturenames", ())
        for site in SITES:
            if site in used:
                groups.setdefault(_file(item), site)
    for item in items:
        item.add_marker(pytest.mark.xdist_group(groups.get(_file(item), _file(item))))
    items.sort(key=lambda item: (_file(item) not in groups, not hasattr(getattr(item, "module", None), "Stack")))


def _file(item: pytest.Item) -> str:
    return item.nodeid.partition("::")[0]


@pytest.fixture(scope="session", autouse=True)
def _services() -> Iterator[None]:
    with services(settings.SLIPWAY_HOME):
        yield


@pytest.fixture(scope="session")
def django_db_modify_db_settings(_services: None) -> None:
    """pytest-django asks for this before it makes its database; the server must run by then."""


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The whole site, shared by all tests that only use it. A test that breaks something starts a Stack of its own."""
    site = Stack(tmp_path_factory.mktemp("site"), WEB_PROCESSES="2")
    try:
        yield site.start()
    finally:
        site.stop()
