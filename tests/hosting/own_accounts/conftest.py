"""alice's server, of which bob is a member, and the Forge."""

from __future__ import annotations

import pytest

from accounts.models import User
from events.actors import OPERATOR
from hosting.models import Deployment, DeploymentMember
from oauth.models import Provider
from oauth.outbound.flow import site_peer
from oauth.outbound.providers import provider_put
from tests.factories import make_deployment, make_runner, place
from tests.hosting.consent import provider_wanted as wanted
from tests.hosting.own_accounts.choosing import choose
from tests.oauth.elsewhere import FakeAuthorizationServer


@pytest.fixture
def forge(far: FakeAuthorizationServer) -> FakeAuthorizationServer:
    return far


@pytest.fixture
def provider(forge: FakeAuthorizationServer) -> Provider:
    return provider_put(site_peer(), actor=OPERATOR, subject_id=None, wanted=wanted(forge))


@pytest.fixture
def deployment(alice: User, bob: User, provider: Provider) -> Deployment:
    made = make_deployment(alice, argv=["run"])
    DeploymentMember.objects.create(deployment=made, user=bob)
    place(made, make_runner())
    choose(made)
    return made
