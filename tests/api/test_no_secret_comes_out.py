"""Threat 26: what was put into the vault comes out of no API, for its owner no more than for others."""

from __future__ import annotations

import base64

import pytest
from django.test import Client

from accounts.models import User
from hosting.configuration.configuring import deployment_settings_set
from hosting.credentials.eliciting import credentials_put
from hosting.credentials.personal import personal_set
from hosting.kinds.declared import Declared, to_json
from tests.api.conftest import ApiClient
from tests.factories import actor_of, make_deployment, make_runner, place

pytestmark = pytest.mark.django_db
OWNERS, USERS = "the-owners-hunter2", "the-users-hunter3"
DECLARED = [Declared(name=name, where="env", is_required=True, is_secret=True) for name in ("OWNERS", "USERS")]
# Of a deployment, and what lists them: every address that can be read without naming something further.
PATHS = (
    "deployments", "deployments/alice/time", "deployments/alice/time/versions", "deployments/alice/time/versions/1",
    "deployments/alice/time/settings", "deployments/alice/time/tools", "deployments/alice/time/members",
    "deployments/alice/time/tokens", "deployments/alice/time/credentials", "deployments/alice/time/data",
    "deployments/alice/time/calls", "deployments/alice/time/stats", "deployments/alice/time/egress", "credentials",
    "servers", "quota", "tasks",
)  # fmt: skip
PAGES = ("", "settings", "logs", "tools", "calls", "access", "data", "versions", "account", "tasks")


@pytest.fixture(autouse=True)
def deployment(alice: User) -> None:
    made = make_deployment(alice, argv=["run"], declared=to_json(DECLARED))
    place(made, make_runner())
    deployment_settings_set(actor=actor_of(alice), deployment=made, secrets={"OWNERS": OWNERS})
    personal_set(actor=actor_of(alice), deployment=made, keys=["env:USERS"])
    made.refresh_from_db()
    assert not credentials_put(actor=actor_of(alice), deployment=made, values={"env:USERS": USERS})


def holds_none(content: bytes) -> bool:
    values = [OWNERS.encode(), USERS.encode()]
    return not any(form in content for form in (*values, *(base64.b64encode(value)[:-4] for value in values)))


@pytest.mark.parametrize("path", PATHS)
def test_threat_26_no_api_gives_a_secret(api: ApiClient, path: str) -> None:
    answer = api.client.get(f"/api/{path}", HTTP_AUTHORIZATION=f"Bearer {api.token}")
    assert answer.status_code == 200 and holds_none(answer.content)


@pytest.mark.parametrize("path", [*(f"/d/alice/time/{page}" for page in PAGES), "/credentials/"])
def test_threat_26_no_page_shows_a_secret(alice: User, path: str) -> None:
    browser = Client()
    browser.force_login(alice, "django.contrib.auth.backends.ModelBackend")
    answer = browser.get(path)
    assert answer.status_code == 200 and holds_none(answer.content)
