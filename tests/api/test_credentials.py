"""Credentials over the API: values go in and never come out."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from accounts.models import Membership, Organization, User
from accounts.services import organization_create
from common import clock
from events.actors import OPERATOR
from hosting.credentials.personal import personal_set
from hosting.kinds.declared import Declared, to_json
from hosting.models import Deployment, DeploymentMember
from tests.api.conftest import ApiClient, token_of
from tests.api.described import CheckedClient
from tests.factories import actor_of, make_deployment, make_user
from vault.models import Secret

pytestmark = pytest.mark.django_db
KEY, VALUE = "env:API_KEY", "hunter2-hunter2"
AT = f"deployments/alice/time/credentials/{KEY}"
OF_ACME = "organizations/acme/credentials"


@pytest.fixture
def deployment(alice: User, bob: User) -> Deployment:
    declared = [Declared(name="API_KEY", where="env", is_required=True, is_secret=True)]
    made = make_deployment(alice, declared=to_json(declared))
    DeploymentMember.objects.create(deployment=made, user=bob)
    personal_set(actor=OPERATOR, deployment=made, keys=[KEY])
    made.refresh_from_db()
    return made


@pytest.fixture
def acme(alice: User) -> Organization:
    return organization_create(actor=actor_of(alice), name="acme", owner=alice)


def as_user(user: User, *scopes: str) -> ApiClient:
    return CheckedClient(token_of(user, *scopes))


def test_one_is_stored_seen_and_deleted_by_its_user(deployment: Deployment, bob: User) -> None:
    api = as_user(bob, "credentials:read", "credentials:write")
    before = api("GET", "deployments/alice/time/credentials").body["items"]
    assert [(one["key"], one["is_missing"], one["sources"]) for one in before] == [(KEY, True, [])]
    until = (clock.now() + timedelta(days=3)).isoformat()
    assert api("PUT", AT, {"value": VALUE, "expires_at": until}).status == 204
    (one,) = api("GET", "credentials").body["items"]
    assert (one["server"], one["key"], one["is_expired"], one["uses"]) == ("alice/time", KEY, False, 0)
    (source,) = api("GET", "deployments/alice/time/credentials").body["items"][0]["sources"]
    assert (source["scope"], source["counts"]) == ("personal", True)
    assert api("PATCH", AT, {"expires_at": None}).status == 204
    assert api("GET", "credentials").body["items"][0]["expires_at"] is None
    assert VALUE not in str([api("GET", path).body for path in ("credentials", "deployments/alice/time/credentials")])
    assert [api("DELETE", AT).status for _ in range(2)] == [204, 204]
    assert api("GET", "credentials").body == {"items": []}


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        (AT, {}, 400, "invalid"),
        (AT, {"value": ""}, 400, "invalid"),
        (AT, {"value": "x" * 20_000}, 400, "invalid"),
        (AT, {"value": "x" * 600_000}, 413, "too_large"),
        (AT, {"value": VALUE, "other": 1}, 400, "invalid"),
        (AT, {"value": VALUE, "expires_at": "soon"}, 400, "invalid"),
        (AT, {"value": VALUE, "expires_at": "2001-01-01T00:00:00Z"}, 400, "expiry_over"),
        ("deployments/alice/time/credentials/env:OTHER", {"value": VALUE}, 400, "credential_unknown"),
        ("deployments/alice/none/credentials/env:API_KEY", {"value": VALUE}, 404, "deployment_unknown"),
    ],
)
def test_bad_ones_are_refused(deployment: Deployment, bob: User, path: str, body: Any, status: int, code: str) -> None:
    answer = as_user(bob)("PUT", path, body)
    assert (answer.status, answer.code) == (status, code)
    assert not Secret.objects.exists() and VALUE not in str(answer.body)


def test_nobody_reaches_anothers(deployment: Deployment, alice: User, bob: User) -> None:
    assert as_user(bob)("PUT", AT, {"value": VALUE}).status == 204
    assert as_user(alice)("GET", "credentials").body == {"items": []}, "the server's owner neither"
    assert as_user(alice)("DELETE", AT).status == 204 and Secret.objects.count() == 1
    assert as_user(alice)("PATCH", AT, {"expires_at": None}).code == "credential_missing"
    stranger = as_user(make_user("eve"))
    for method, body in (("PUT", {"value": VALUE}), ("PATCH", {"expires_at": None}), ("DELETE", None)):
        assert stranger(method, AT, body).code == "deployment_unknown"
    reader = as_user(bob, "credentials:read")
    assert reader("PUT", AT, {"value": VALUE}).code == "insufficient_scope"
    assert as_user(bob, "deployments:write")("DELETE", AT).code == "insufficient_scope"


def test_an_organizations_are_its_administrators(deployment: Deployment, acme: Organization, alice: User) -> None:
    Deployment.objects.update(owner=acme.name)
    api, path = as_user(alice), f"{OF_ACME}/{KEY}"
    assert api("PUT", path, {"value": VALUE}).status == 204
    assert api("PUT", path, {"value": VALUE, "server": "time"}).status == 204
    found = api("GET", OF_ACME).body["items"]
    assert [(one["server"], one["key"]) for one in found] == [(None, KEY), ("acme/time", KEY)]
    assert VALUE not in str(found)
    member = make_user("carol")
    Membership.objects.create(organization=acme, user=member, role=Membership.Role.MEMBER)
    for user, code in ((member, "administrators_only"), (make_user("eve"), "organization_unknown")):
        for method, body in (("PUT", {"value": VALUE}), ("DELETE", None)):
            assert as_user(user)(method, path, body).code == code
        assert as_user(user)("GET", OF_ACME).code == code
    assert api("PUT", f"{OF_ACME}/env:PATH", {"value": VALUE}).code == "credential_unknown"
    assert api("PUT", path, {"value": VALUE, "server": "none"}).code == "deployment_unknown"
    assert api("DELETE", f"{path}?server=time").status == 204
    assert api("DELETE", path).status == 204
    assert not Secret.objects.exists()


def test_owners_say_over_the_api_what_each_user_brings(deployment: Deployment, alice: User) -> None:
    api = as_user(alice)
    given = {"personal_inputs": ["API_KEY", "env:ZONE"], "check_tool": "whoami", "check_arguments": {"a": 1}}
    shown = api("PATCH", "deployments/alice/time", given).body["configuration"]
    assert shown["personal_inputs"] == ["env:API_KEY", "env:ZONE"]
    assert (shown["check_tool"], shown["check_arguments"], shown["check_confirmed"]) == ("whoami", {"a": 1}, False)
    assert api("PATCH", "deployments/alice/time", {"personal_inputs": ["PATH"]}).code == "personal_unknown"
    large = {"check_arguments": {"a": "x" * 5000}}
    assert api("PATCH", "deployments/alice/time", large).code == "check_arguments_invalid"
