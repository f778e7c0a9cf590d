"""What a web process makes at its start, beside its work."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from config.launch.warming import warm_up
from hosting.api.views import documents

CACHES = (documents.schema, documents._schema_json, documents._reference, documents._body)


@pytest.fixture
def cold() -> Iterator[None]:
    for cache in CACHES:
        cache.cache_clear()
    yield


@pytest.mark.usefixtures("cold")
def test_the_apis_documents_wait_for_their_first_visitor_without_a_database() -> None:
    warm_up().join(200)
    assert [cache.cache_info().currsize for cache in CACHES] == [1] * len(CACHES)
    before = documents._body.cache_info().misses
    assert "<" in documents._body() and documents._body.cache_info().misses == before
