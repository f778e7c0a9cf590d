"""A server that is not what it was gets nobody's secrets until they have seen what is different, and confirmed that."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from accounts.models import Membership, User
from accounts.services import organization_create
from common.errors import Conflict
from events.actors import OPERATOR
from events.models import AuditEntry
from hosting.configuration.configuring import deployment_settings_set
from hosting.credentials.bound import differences
from hosting.credentials.eliciting import credentials_put, elicitation_open
from hosting.credentials.personal import brought_for, given_now, personal_for, personal_set
from hosting.credentials.suspension import suspended_confirm, suspended_delete, suspended_of
from hosting.credentials.waiting import asking_words
from hosting.kinds.declared import Declared, to_json
from hosting.models import Deployment, DeploymentMember, DeploymentVersion
from hosting.routing import placement_for
from tests.factories import actor_of, make_deployment, make_runner, make_user, place
from tests.hosting.consent import browser
from vault.models import Secret
from vault.services import Holder, secrets_put

pytestmark = pytest.mark.django_db
KEY, OPTIONAL, VALUE = "env:API_KEY", "env:REGION_KEY", "hunter2-hunter2"
API_KEY = Declared(name="API_KEY", where="env", is_required=True, is_secret=True, description="Its key")
REGION_KEY = Declared(name="REGION_KEY", where="env", is_secret=True)
OLD, NEW = "1" * 64, "2" * 64


@pytest.fixture
def deployment(alice: User, bob: User) -> Deployment:
    made = make_deployment(alice, argv=["run"], declared=to_json([API_KEY, REGION_KEY]))
    DeploymentMember.objects.create(deployment=made, user=bob)
    place(made, make_runner())
    personal_set(actor=OPERATOR, deployment=made, keys=[KEY, OPTIONAL])
    return fresh(made)


def fresh(deployment: Deployment) -> Deployment:
    return Deployment.objects.select_related("owner", "current_version").get(pk=deployment.pk)


def put(deployment: Deployment, user: User, value: str = VALUE, key: str = KEY) -> None:
    assert not credentials_put(actor=actor_of(user), deployment=fresh(deployment), values={key: value})


def become(deployment: Deployment, **version: Any) -> Deployment:
    """Another version of it serves now."""
    assert deployment.current_version is not None
    fields: dict[str, Any] = {"reference": "pypi:demo", "declared": deployment.current_version.declared, **version}
    number = deployment.versions.count() + 1
    built = DeploymentVersion.objects.create(
        deployment=deployment, number=number, environment=deployment.current_version.environment, argv=["run"], **fields
    )
    Deployment.objects.filter(pk=deployment.pk).update(current_version=built)
    return fresh(deployment)


def injected(deployment: Deployment, user: User) -> dict[str, str]:
    return personal_for(deployment.pk, user.pk).personal.env


def missing(deployment: Deployment, user: User) -> list[str]:
    return [one.name for one in brought_for(deployment.pk, user.pk).missing]


# --- what suspends, and what does not


def test_another_version_of_the_same_package_gets_them(deployment: Deployment, bob: User) -> None:
    put(deployment, bob)
    renamed = Declared(**{**API_KEY.__dict__, "description": "The key", "placeholder": "sk-…"})
    now = become(deployment, reference="pypi:Demo==2.0", declared=to_json([renamed, REGION_KEY]))
    assert missing(now, bob) == [] and injected(now, bob) == {"API_KEY": VALUE}


HEADER = Declared(
    name="Authorization", where="header", value_template="Bearer {API_KEY}",
    variables=(Declared(name="API_KEY", where="variable", is_required=True, is_secret=True),),
)  # fmt: skip


@pytest.mark.parametrize(
    "version",
    [
        {"reference": "pypi:demo-evil"},
        {"reference": "npm:demo"},
        {"reference": f"source:{NEW}"},
        {"reference": "remote:https://demo.example/mcp"},
        {"declared": to_json([Declared(name="API_KEY", where="env", is_required=True), REGION_KEY])},
        {"declared": to_json([Declared(**{**API_KEY.__dict__, "format": "filepath"}), REGION_KEY])},
    ],
)
def test_a_server_that_is_something_else_gets_nothing(
    deployment: Deployment, bob: User, version: dict[str, Any]
) -> None:
    put(deployment, bob)
    put(deployment, bob, "for the region", OPTIONAL)
    now = become(deployment, **version)
    waiting = {KEY} if "declared" in version else {KEY, OPTIONAL}
    found = brought_for(now.pk, bob.pk)
    assert {one.name for one in found.suspended} == waiting
    assert {f"env:{one.name}" for one in found.missing} == waiting, "an optional one asks, too"
    assert VALUE not in injected(now, bob).values()
    assert not AuditEntry.objects.filter(action="secret:use", data__secrets__has_key=KEY).exists()


def test_other_source_another_address_and_another_owner_suspend(deployment: Deployment, bob: User) -> None:
    for before, after in (
        ({"reference": f"source:{OLD}"}, {"reference": f"source:{NEW}"}),
        ({"remote": {"url": "https://a.example/mcp"}}, {"remote": {"url": "https://a.example:8443/mcp"}}),
    ):
        deployment = become(deployment, **before)
        put(deployment, bob)
        assert missing(deployment, bob) == []
        deployment = become(deployment, **after)
        assert missing(deployment, bob) == ["API_KEY"]
    put(deployment, bob)
    assert missing(deployment, bob) == []
    Deployment.objects.filter(pk=deployment.pk).update(owner=make_user("mallory").name)
    assert missing(deployment, bob) == ["API_KEY"]
    (change,) = suspended_of(actor_of(bob), fresh(deployment)).waiting[0].changes
    assert change == ("owner", "alice", "mallory")


def test_another_path_at_the_same_address_does_not(deployment: Deployment, bob: User) -> None:
    deployment = become(deployment, remote={"url": "https://a.example/mcp"})
    put(deployment, bob)
    assert missing(become(deployment, remote={"url": "https://a.example/v2/mcp"}), bob) == []


def test_a_header_that_it_becomes_a_part_of_is_another_use(deployment: Deployment, bob: User) -> None:
    other = Declared(**{**HEADER.__dict__, "name": "X-Token"})
    deployment = become(deployment, remote={"url": "https://a.example/mcp"}, declared=to_json([HEADER]))
    personal_set(actor=OPERATOR, deployment=deployment, keys=["variable:API_KEY"])
    deployment = fresh(deployment)
    put(deployment, bob, key="variable:API_KEY")
    assert missing(deployment, bob) == []
    deployment = become(deployment, remote={"url": "https://a.example/mcp"}, declared=to_json([other]))
    (change,) = suspended_of(actor_of(bob), deployment).waiting[0].changes
    assert change == (
        "used as",
        "variable API_KEY in header Authorization, “Bearer {API_KEY}”",
        "variable API_KEY in header X-Token, “Bearer {API_KEY}”",
    )


def test_an_own_one_that_waits_is_not_replaced_by_the_organizations(
    deployment: Deployment, alice: User, bob: User
) -> None:
    organization = organization_create(actor=actor_of(alice), name="acme", owner=alice)
    Membership.objects.create(organization=organization, user=bob, role="member")
    Deployment.objects.filter(pk=deployment.pk).update(owner=organization.name)
    put(deployment, bob)
    now = become(fresh(deployment), reference="pypi:other")
    secrets_put(actor=OPERATOR, holder=Holder.organization(organization.pk), values={KEY: "acmes-own-key"})
    assert missing(now, bob) == ["API_KEY"] and "API_KEY" not in injected(now, bob)


def test_what_nobody_said_is_asked_for(deployment: Deployment, bob: User) -> None:
    put(deployment, bob)
    Secret.objects.update(given_to=None)
    assert missing(deployment, bob) == ["API_KEY"] and injected(deployment, bob) == {}
    changes = suspended_of(actor_of(bob), deployment).waiting[0].changes
    assert ("package", "not known: it was stored before this site kept that", "pypi:demo") in changes


# --- confirming


def test_what_was_seen_is_confirmed_and_nothing_else(deployment: Deployment, bob: User) -> None:
    put(deployment, bob)
    before = brought_for(deployment.pk, bob.pk).mark
    second = become(deployment, reference="pypi:second")
    seen = suspended_of(actor_of(bob), second)
    third = become(second, reference="pypi:third")
    for mark in (seen.mark, "", "x" * 32):
        with pytest.raises(Conflict, match="changed once more"):
            suspended_confirm(actor=actor_of(bob), deployment=third, mark=mark)
    assert missing(third, bob) == ["API_KEY"]
    shown = suspended_of(actor_of(bob), third)
    assert suspended_confirm(actor=actor_of(bob), deployment=third, mark=shown.mark) == [KEY]
    assert missing(third, bob) == [] and injected(third, bob) == {"API_KEY": VALUE}
    assert brought_for(third.pk, bob.pk).mark == before, "it is the same value"
    row = AuditEntry.objects.get(action="secret:confirm")
    assert (row.data["before"]["package"], row.data["now"]["package"]) == ("pypi:demo", "pypi:third")
    with pytest.raises(Conflict):
        suspended_confirm(actor=actor_of(bob), deployment=third, mark=shown.mark)


def test_confirming_what_changes_at_that_moment_gives_nothing_to_the_new_one(deployment: Deployment, bob: User) -> None:
    """The UPDATE writes what was seen: a server that is a third one by then is suspended again."""
    put(deployment, bob)
    second = become(deployment, reference="pypi:second")
    mark = suspended_of(actor_of(bob), second).mark
    become(second, reference="pypi:third")
    assert suspended_confirm(actor=actor_of(bob), deployment=second, mark=mark) == [KEY]  # as it was read before
    assert missing(fresh(deployment), bob) == ["API_KEY"] and injected(deployment, bob) == {}


def test_a_value_that_was_replaced_meanwhile_is_not_confirmed(deployment: Deployment, bob: User) -> None:
    put(deployment, bob)
    second = become(deployment, reference="pypi:second")
    mark = suspended_of(actor_of(bob), second).mark
    Secret.objects.update(version=2)
    with pytest.raises(Conflict):
        suspended_confirm(actor=actor_of(bob), deployment=second, mark=mark)


def test_typing_it_anew_is_as_good_and_deleting_takes_it_away(deployment: Deployment, bob: User) -> None:
    put(deployment, bob)
    second = become(deployment, reference="pypi:second")
    put(second, bob, "another-value")
    assert injected(second, bob) == {"API_KEY": "another-value"}
    third = become(second, reference="pypi:third")
    assert suspended_delete(actor=actor_of(bob), deployment=third) == [KEY]
    assert not Secret.objects.exists() and missing(third, bob) == ["API_KEY"]


def test_administrators_confirm_an_organizations_and_members_do_not(
    deployment: Deployment, alice: User, bob: User
) -> None:
    organization = organization_create(actor=actor_of(alice), name="acme", owner=alice)
    Membership.objects.create(organization=organization, user=bob, role="member")
    Deployment.objects.filter(pk=deployment.pk).update(owner=organization.name)
    deployment = fresh(deployment)
    holder = Holder.organization(organization.pk, deployment.pk)
    secrets_put(actor=OPERATOR, holder=holder, values={KEY: VALUE}, given_to=given_now(deployment))
    now = become(deployment, reference="pypi:other")
    theirs = suspended_of(actor_of(bob), now)
    assert theirs and not theirs.waiting and [one.name for one in theirs.others] == ["API_KEY"]
    with pytest.raises(Conflict):
        suspended_confirm(actor=actor_of(bob), deployment=now, mark=theirs.mark)
    shown = suspended_of(actor_of(alice), now)
    suspended_confirm(actor=actor_of(alice), deployment=now, mark=shown.mark)
    assert injected(now, bob) == {"API_KEY": VALUE}


# --- pages


def mark_in(text: str) -> str:
    found = re.search(r'name="mark" value="([0-9a-f]+)"', text)
    assert found is not None
    return found[1]


def test_the_list_shows_the_difference_and_confirms(deployment: Deployment, alice: User, bob: User) -> None:
    put(deployment, bob)
    assert 'name="mark"' not in browser(bob).get("/credentials/").content.decode()
    become(deployment, reference="pypi:second")
    text = browser(bob).get("/credentials/").content.decode()
    assert "alice/time is not what it was" in text and "pypi:demo" in text and "pypi:second" in text
    where, given = f"/credentials/{deployment.pk}/suspended", {"action": "confirm", "mark": mark_in(text)}
    assert browser(make_user("eve")).post(where, given).status_code == 404
    assert browser(alice).post(where, given, follow=True).status_code == 200
    assert missing(deployment, bob) == ["API_KEY"], "hers, of which there are none"
    assert browser(bob).post(f"/credentials/{uuid4()}/suspended", given).status_code == 404
    assert (browser(bob).get(where).status_code, Client().post(where, given).status_code) == (405, 302)
    answer = browser(bob).post(where, {"action": "confirm", "mark": "0" * 32}, follow=True)
    assert "changed once more" in answer.content.decode() and missing(deployment, bob) == ["API_KEY"]
    assert "Confirmed" in browser(bob).post(where, given, follow=True).content.decode()
    assert missing(deployment, bob) == []


def test_the_page_that_a_call_sends_to_shows_it_too(deployment: Deployment, bob: User) -> None:
    put(deployment, bob)
    become(deployment, reference="pypi:second")
    assert "has changed since you gave it credentials" in asking_words(bob.pk, fresh(deployment))
    page = f"/elicit/{elicitation_open(user_id=bob.pk, client_id='cli', deployment_id=deployment.pk).pk}"
    text = browser(bob).get(page).content.decode()
    assert "pypi:second" in text and "One is stored" not in text
    browser(bob).post(page, {"action": "confirm", "mark": mark_in(text)})  # no runner tries it here
    assert missing(deployment, bob) == []
    become(fresh(deployment), reference="pypi:third")
    assert browser(bob).post(page, {"action": "forget"}).status_code == 302
    assert not Secret.objects.exists()


# --- an owner's own secrets


def test_an_owners_secrets_go_to_another_address_only_when_confirmed(alice: User) -> None:
    here, there = {"url": "https://a.example/mcp"}, {"url": "https://b.example/mcp"}
    made = make_deployment(alice, "far", argv=[], remote=here)
    place(made, make_runner())
    deployment_settings_set(actor=actor_of(alice), deployment=made, secrets={"header:X-Key": VALUE})
    assert placement_for(made.pk)[1].remote.headers == {"X-Key": VALUE}  # type: ignore[union-attr]
    made = become(fresh(made), remote={"url": "https://a.example/v2"})
    assert placement_for(made.pk)[1].remote.headers == {"X-Key": VALUE}  # type: ignore[union-attr]
    become(made, remote=there)
    with pytest.raises(Conflict, match="X-Key of this server waits for its owner"):
        placement_for(made.pk)
    page = browser(alice).get("/d/alice/far/settings").content.decode()
    assert "set for another address" in page and "https://b.example" in page and VALUE not in page
    sent = {"section": "suspended", "mark": mark_in(page)}
    assert browser(make_user("eve")).post("/d/alice/far/settings", sent).status_code == 404
    assert browser(alice).post("/d/alice/far/settings", {**sent, "mark": "0"}, follow=True).status_code == 200
    with pytest.raises(Conflict):
        placement_for(made.pk)
    browser(alice).post("/d/alice/far/settings", sent)
    assert placement_for(made.pk)[1].remote.headers == {"X-Key": VALUE}  # type: ignore[union-attr]


def test_an_owner_who_sets_them_again_need_not_confirm(alice: User) -> None:
    made = make_deployment(alice, "far", argv=[], remote={"url": "https://a.example/mcp"})
    place(made, make_runner())
    deployment_settings_set(actor=actor_of(alice), deployment=made, secrets={"header:X-Key": VALUE})
    made = become(fresh(made), remote={"url": "https://b.example/mcp"})
    deployment_settings_set(actor=actor_of(alice), deployment=made, secrets={"header:X-Key": "for b"})
    assert placement_for(made.pk)[1].remote.headers == {"X-Key": "for b"}  # type: ignore[union-attr]


def test_differences_in_plain_words() -> None:
    before = {"package": "source", "source": OLD, "owner": "alice"}
    now = {"package": "pypi:demo", "owner": "alice"}
    assert list(differences(before, now)) == [
        ("package", "source", "pypi:demo"),
        ("uploaded source", f"SHA-256 {OLD}", "none"),
    ]
