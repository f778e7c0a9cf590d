"""What all tests share. Parts are real: PostgreSQL, Valkey, and where a test asks for `stack`, the whole site."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.conf import settings

from tests.services import services


@pytest.fixture(scope="session", autouse=True)
def _services() -> Iterator[None]:
    with services(settings.SLIPWAY_HOME):
        yield


@pytest.fixture(scope="session")
def django_db_modify_db_settings(_services: None) -> None:
    """pytest-django asks for this before it makes its database; the server must run by then."""
