"""Alice, whose server it is, and a program that she uses."""

from __future__ import annotations

import pytest
from django.core.cache import cache

from hosting.models import Deployment
from tests.factories import make_deployment, make_user
from tests.oauth.flow import Flow, make_client, resource_of


@pytest.fixture(autouse=True)
def _nothing_counted() -> None:
    """Limits count in Valkey, which outlives a test."""
    cache.clear()


@pytest.fixture
def deployment(db: None) -> Deployment:
    return make_deployment(make_user())


@pytest.fixture
def flow(deployment: Deployment) -> Flow:
    assert deployment.owner.user is not None
    return Flow(deployment.owner.user, make_client().client_id, resource_of(deployment))
