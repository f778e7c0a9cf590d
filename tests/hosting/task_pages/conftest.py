"""A server that everybody may call."""

from __future__ import annotations

import pytest

from accounts.models import User
from hosting.models import Deployment
from tests.factories import make_deployment


@pytest.fixture
def deployment(alice: User) -> Deployment:
    return make_deployment(alice, access="public")
