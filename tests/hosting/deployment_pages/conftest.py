"""alice's server, and alice in her browser."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import User
from hosting.kinds.declared import to_json
from hosting.models import Deployment, DeploymentVersion
from hosting.tools.records import tools_seen
from tests.factories import make_deployment
from tests.hosting.consent import browser
from tests.hosting.deployment_pages.forms import DECLARED, EVIL, TOOL


@pytest.fixture
def client(alice: User) -> Client:
    return browser(alice)


@pytest.fixture
def deployment(alice: User) -> Deployment:
    return make_deployment(alice, declared=to_json(DECLARED))


@pytest.fixture
def held(deployment: Deployment) -> Deployment:
    """With a tool that changed since it was approved."""
    tools_seen(deployment.pk, [TOOL, {"name": "write"}])
    DeploymentVersion.objects.update(tools=[TOOL])
    tools_seen(deployment.pk, [{**TOOL, "description": f"Reads.\u200b {EVIL}"}, {"name": "write"}])
    return deployment
