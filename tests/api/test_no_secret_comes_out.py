"""Threat 26: what was put into the vault comes out of no API, for its owner no more than for others."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from events.actors import OPERATOR
from hosting.api.urls import urlpatterns
from hosting.configuration.configuring import deployment_settings_set
from hosting.credentials.accounts import Chosen, accounts_set
from hosting.credentials.eliciting import credentials_put
from hosting.credentials.personal import personal_for, personal_set
from hosting.kinds.declared import Declared, to_json
from oauth.outbound.flow import site_peer
from oauth.outbound.providers import provider_put
from tests.api.conftest import ApiClient
from tests.factories import actor_of, make_deployment, make_runner, place
from tests.hosting import consent
from tests.oauth.elsewhere import FakeAuthorizationServer

pytestmark = pytest.mark.django_db
OWNERS, USERS = "the-owners-hunter2", "the-users-hunter3"
DECLARED = [Declared(name=name, where="env", is_required=True, is_secret=True) for name in ("OWNERS", "USERS")]
KEY = "env:FORGE_TOKEN"


def readable() -> Iterator[str]:
    """Every address of the API that can be read without naming something further than a deployment."""
    for pattern in urlpatterns:
        path = str(pattern.pattern).replace("<str:owner>/<str:name>", "alice/time").replace("<int:number>", "1")
        if "<" not in path and hasattr(getattr(pattern.callback, "cls", None), "get") and path:
            yield path


PAGES = (
    "",
    "settings",
    "settings/users",
    "settings/running",
    "logs",
    "tools",
    "calls",
    "access",
    "data",
    "versions",
    "account",
    "tasks",
)


@pytest.fixture(autouse=True)
def secrets(alice: User, far: FakeAuthorizationServer) -> list[str]:
    """All that alice's server has of hers: typed in for all and for herself, and an account that she connected."""
    made = make_deployment(alice, argv=["run"], declared=to_json(DECLARED))
    place(made, make_runner())
    deployment_settings_set(actor=actor_of(alice), deployment=made, secrets={"OWNERS": OWNERS})
    personal_set(actor=actor_of(alice), deployment=made, keys=["env:USERS"])
    provider_put(site_peer(), actor=OPERATOR, subject_id=None, wanted=consent.provider_wanted(far))
    accounts_set(actor=OPERATOR, deployment=made, chosen={KEY: Chosen("forge")}, is_own=False)
    made.refresh_from_db()
    consent.connect(made, alice, KEY, far, iss=None)
    assert not credentials_put(actor=actor_of(alice), deployment=made, values={"env:USERS": USERS})
    (access,) = personal_for(made.pk, alice.pk).personal.tokens
    assert access in far.good and far.refresh
    return [OWNERS, USERS, consent.SECRET, access, *far.refresh]


def holds_none(content: bytes, secrets: list[str]) -> bool:
    values = [value.encode() for value in secrets]
    return not any(form in content for form in (*values, *(base64.b64encode(value)[:-4] for value in values)))


def test_threat_26_no_api_gives_a_secret(api: ApiClient, secrets: list[str]) -> None:
    found = [f"/api/{path}" for path in readable()]
    assert len(found) > 15
    assert giving_away(api.client, found, secrets, HTTP_AUTHORIZATION=f"Bearer {api.token}") == {}


def test_threat_26_no_page_shows_a_secret(alice: User, secrets: list[str]) -> None:
    browser = Client()
    browser.force_login(alice, "django.contrib.auth.backends.ModelBackend")
    found = [*(f"/d/alice/time/{page}" for page in PAGES), "/credentials/"]
    assert giving_away(browser, found, secrets) == {}


def giving_away(client: Client, paths: list[str], secrets: list[str], **fields: Any) -> dict[str, int]:
    """Those that have a secret, or do not answer, with their statuses."""
    answers = {path: client.get(path, **fields) for path in paths}
    return {
        path: answer.status_code
        for path, answer in answers.items()
        if answer.status_code != 200 or not holds_none(answer.content, secrets)
    }
