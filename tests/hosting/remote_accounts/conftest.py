"""A remote server of alice's that wants an account, and alice in her browser."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import User
from hosting.building import builds
from hosting.fleet.placing import placement_ensure
from hosting.models import Deployment
from tests.factories import make_queued, make_runner
from tests.oauth.elsewhere import FakeAuthorizationServer


@pytest.fixture
def deployment(alice: User, far: FakeAuthorizationServer) -> Deployment:
    found = make_queued(alice, "far", reference=f"remote:{far.resource}")
    builds.version_build(found.versions.get().pk)
    make_runner()
    placement_ensure(found.pk)
    return Deployment.objects.select_related("owner", "current_version").get(pk=found.pk)


@pytest.fixture
def alices(alice: User, deployment: Deployment) -> Client:
    made = Client()
    made.force_login(alice)
    return made
