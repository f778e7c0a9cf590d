"""Over the API: what waits because a server has changed is seen, confirmed and deleted by whose it is, as on pages."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from accounts.models import Membership, User
from accounts.reauthentication import SIGNED_IN_AT
from accounts.services import organization_create
from events.actors import OPERATOR
from events.models import AuditEntry
from hosting.configuration.configuring import deployment_settings_set
from hosting.credentials.personal import given_now, personal_set
from hosting.kinds.declared import Declared, to_json
from hosting.models import Deployment, DeploymentMember, DeploymentVersion
from tests.api.conftest import ApiClient, token_of
from tests.api.described import CheckedClient
from tests.factories import PASSWORD, actor_of, make_deployment, make_user
from vault.models import Secret
from vault.services import Holder, secrets_put

pytestmark = pytest.mark.django_db
KEY, VALUE = "env:API_KEY", "hunter2-hunter2"
AT, SETTINGS = "deployments/alice/time/held-back", "deployments/alice/far/settings/held-back"


@pytest.fixture
def deployment(alice: User, bob: User) -> Deployment:
    """One that Bob gave a key to."""
    declared = [Declared(name="API_KEY", where="env", is_required=True, is_secret=True)]
    made = make_deployment(alice, declared=to_json(declared))
    DeploymentMember.objects.create(deployment=made, user=bob)
    personal_set(actor=OPERATOR, deployment=made, keys=[KEY])
    assert as_user(bob)("PUT", f"deployments/alice/time/credentials/{KEY}", {"value": VALUE}).status == 204
    return made


def as_user(user: User, *scopes: str) -> ApiClient:
    return CheckedClient(token_of(user, *scopes))


def become(reference: str) -> None:
    DeploymentVersion.objects.update(reference=reference)


def is_missing(user: User) -> bool:
    (one,) = as_user(user)("GET", "deployments/alice/time/credentials").body["items"]
    return bool(one["is_missing"])


def test_what_is_different_is_seen_and_confirmed(deployment: Deployment, bob: User) -> None:
    api = as_user(bob)
    assert api("GET", AT).body["items"] == []
    become("pypi:other")
    found = api("GET", AT).body
    (one,) = found["items"]
    assert (one["key"], one["is_organizations"], one["is_yours_to_confirm"]) == (KEY, False, True)
    assert one["changes"][0]["what"] == "package" and one["changes"][0]["now"] == "pypi:other"
    assert VALUE not in str(found) and is_missing(bob)
    assert api("POST", AT, {"mark": found["mark"]}).status == 204
    assert api("GET", AT).body["items"] == [] and not is_missing(bob)
    assert AuditEntry.objects.filter(action="secret:confirm", subject_id=str(deployment.pk)).count() == 1
    assert api("POST", AT, {"mark": found["mark"]}).code == "suspension_changed", "once"


def test_what_nobody_has_seen_is_not_confirmed(deployment: Deployment, bob: User) -> None:
    api = as_user(bob)
    become("pypi:other")
    mark = api("GET", AT).body["mark"]
    become("pypi:third")
    answer = api("POST", AT, {"mark": mark})
    assert (answer.status, answer.code) == (409, "suspension_changed") and is_missing(bob)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 400, "invalid"),
        ({"mark": ""}, 400, "invalid"),
        ({"mark": "x" * 65}, 400, "invalid"),
        ({"mark": "a\0b"}, 400, "parse_error"),
        ({"mark": "x", "value": VALUE}, 400, "invalid"),
        (["x"], 400, "invalid"),
        ({"mark": "x"}, 409, "suspension_changed"),
        ({"mark": "x" * 600_000}, 413, "too_large"),
    ],
)
def test_bad_ones_are_refused(deployment: Deployment, bob: User, body: Any, status: int, code: str) -> None:
    become("pypi:other")
    answer = as_user(bob)("POST", AT, body)
    assert (answer.status, answer.code) == (status, code) and is_missing(bob)


def test_nobody_confirms_or_deletes_anothers(deployment: Deployment, alice: User, bob: User) -> None:
    become("pypi:other")
    mark = as_user(bob)("GET", AT).body["mark"]
    assert as_user(alice)("GET", AT).body["items"] == [], "the server's owner neither"
    assert as_user(alice)("POST", AT, {"mark": mark}).code == "suspension_changed"
    assert as_user(alice)("DELETE", AT).status == 204 and Secret.objects.count() == 1
    stranger = as_user(make_user("eve"))
    for method, body in (("GET", None), ("POST", {"mark": mark}), ("DELETE", None)):
        assert stranger(method, AT, body).code == "deployment_unknown"
        assert as_user(bob)(method, AT.replace("time", "none"), body).code == "deployment_unknown"
    reader = as_user(bob, "credentials:read")
    assert reader("POST", AT, {"mark": mark}).code == "insufficient_scope"
    assert reader("DELETE", AT).code == "insufficient_scope" and is_missing(bob)
    DeploymentMember.objects.all().delete()
    assert as_user(bob)("POST", AT, {"mark": mark}).code == "deployment_unknown", "not a member any more"


def test_those_that_wait_are_deleted(deployment: Deployment, bob: User) -> None:
    api = as_user(bob)
    assert api("DELETE", AT).status == 204 and Secret.objects.exists(), "none waits"
    become("pypi:other")
    assert [api("DELETE", AT).status for _ in range(2)] == [204, 204] and not Secret.objects.exists()


def test_an_organizations_are_confirmed_by_its_administrators(deployment: Deployment, alice: User, bob: User) -> None:
    acme = organization_create(actor=actor_of(alice), name="acme", owner=alice)
    Membership.objects.create(organization=acme, user=bob, role=Membership.Role.MEMBER)
    Deployment.objects.update(owner=acme.name)
    Secret.objects.all().delete()
    given = given_now(Deployment.objects.select_related("owner", "current_version").get())
    secrets_put(actor=OPERATOR, holder=Holder.organization(acme.pk, deployment.pk), values={KEY: VALUE}, given_to=given)
    become("pypi:other")
    at = AT.replace("alice", "acme")
    found = as_user(bob)("GET", at).body
    assert [(one["is_organizations"], one["is_yours_to_confirm"]) for one in found["items"]] == [(True, False)]
    assert as_user(bob)("POST", at, {"mark": found["mark"]}).code == "suspension_changed"
    found = as_user(alice)("GET", at).body
    assert [one["is_yours_to_confirm"] for one in found["items"]] == [True]
    assert as_user(alice)("POST", at, {"mark": found["mark"]}).status == 204
    assert as_user(bob)("GET", at).body["items"] == []


def test_an_owners_go_to_another_address_when_confirmed(alice: User, bob: User) -> None:
    made = make_deployment(alice, "far", argv=[], remote={"url": "https://a.example/mcp"})
    deployment_settings_set(actor=actor_of(alice), deployment=made, secrets={"header:X-Key": VALUE})
    api = as_user(alice)
    assert api("GET", SETTINGS).body["items"] == []
    DeploymentVersion.objects.update(remote={"url": "https://b.example/mcp"})
    found = api("GET", SETTINGS).body
    assert [one["key"] for one in found["items"]] == ["header:X-Key"] and VALUE not in str(found)
    assert found["items"][0]["changes"] == [
        {"what": "address", "before": "https://a.example", "now": "https://b.example"}
    ]
    for body, status in (({}, 400), ({"mark": "x" * 65}, 400), ({"mark": "x" * 600_000}, 413), ({"mark": "x"}, 409)):
        assert api("POST", SETTINGS, body).status == status
    DeploymentMember.objects.create(deployment=made, user=bob)
    for method, sent in (("GET", None), ("POST", {"mark": found["mark"]})):
        assert as_user(bob)(method, SETTINGS, sent).code == "deployment_unknown", "who may call it may not manage it"
    assert as_user(alice, "deployments:read")("POST", SETTINGS, sent).code == "insufficient_scope"
    assert api("POST", SETTINGS, sent).status == 204
    assert api("GET", SETTINGS).body["items"] == []


def test_an_owner_in_a_browser_proves_who_they_are_first(alice: User) -> None:
    make_deployment(alice, "far", argv=[], remote={"url": "https://a.example/mcp"})
    alice.set_password(PASSWORD)
    alice.save()
    client = Client()
    client.force_login(alice)
    session = client.session
    session[SIGNED_IN_AT] = 0.0  # long ago
    session.save()
    answer = client.post(f"/api/{SETTINGS}", {"mark": "x"}, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (403, "confirm_first")
