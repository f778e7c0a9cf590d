"""Settings that each user brings: who may say which, what a user lacks, and the pages without a runner."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from accounts.models import User
from accounts.services import organization_create
from common import clock
from common.errors import BadInput, NotFound
from events.actors import OPERATOR
from events.models import AuditEntry
from hosting.configuration.configuring import deployment_settings_set
from hosting.credentials import eliciting, personal
from hosting.credentials.eliciting import credentials_put, elicitation_open
from hosting.credentials.personal import brought_for, personal_for, personal_set
from hosting.kinds.declared import Declared, to_json
from hosting.models import Deployment, DeploymentMember, Elicitation, RunnerPlacement
from hosting.routing import placement_for, route_by_id
from hosting.services import deployment_delete
from tests.factories import actor_of, make_deployment, make_runner, make_user, place
from tests.hosting.consent import browser
from vault.models import Secret
from vault.services import Holder, secrets_put

pytestmark = pytest.mark.django_db
KEY, VALUE = "env:API_KEY", "hunter2-hunter2"
DECLARED = [
    Declared(name="API_KEY", where="env", is_required=True, is_secret=True, description="Its <b>key</b>"),
    Declared(name="REGION", where="env", choices=("eu", "us"), default="eu"),
    Declared(name="root", where="argument", flag="--root", position=0),
]


@pytest.fixture
def deployment(alice: User, bob: User) -> Deployment:
    made = make_deployment(alice, argv=["run"], declared=to_json(DECLARED))
    DeploymentMember.objects.create(deployment=made, user=bob)
    place(made, make_runner(), epoch=3)
    set_personal(made, KEY, "env:REGION")
    return made


def set_personal(deployment: Deployment, *keys: str) -> None:
    personal_set(actor=OPERATOR, deployment=deployment, keys=keys)
    deployment.refresh_from_db()


def put(deployment: Deployment, user: User, **values: str) -> dict[str, str]:
    given = {f"env:{name}": value for name, value in values.items()}
    return credentials_put(actor=actor_of(user), deployment=deployment, values=given)


def page_for(deployment: Deployment, user: User) -> str:
    found = elicitation_open(user_id=user.pk, client_id="cli", deployment_id=deployment.pk)
    return f"/elicit/{found.pk}"


# --- which


def test_only_who_manages_says_what_each_user_brings(deployment: Deployment, alice: User, bob: User) -> None:
    with pytest.raises(NotFound):
        personal_set(actor=actor_of(bob), deployment=deployment, keys=[])
    before = RunnerPlacement.objects.get(deployment=deployment).generation
    personal_set(actor=actor_of(alice), deployment=deployment, keys=[KEY])
    assert RunnerPlacement.objects.get(deployment=deployment).generation == before + 1
    assert AuditEntry.objects.filter(action="deployment:set_personal").last() is not None


@pytest.mark.parametrize("key", ["env:PATH", "env:1X", "argument:other", "nowhere:X", "variable:x", ""])
def test_what_nobody_can_bring_is_refused(deployment: Deployment, key: str) -> None:
    with pytest.raises(BadInput):
        set_personal(deployment, key)


def test_a_variable_may_not_move_a_remote_server(alice: User) -> None:
    variables = [Declared(name=name, where="variable") for name in ("tenant", "room")]
    remote = {"url": "https://{tenant}.example.org/{room}/mcp"}
    made = make_deployment(alice, argv=[], declared=to_json(variables), remote=remote)
    set_personal(made, "variable:room")
    with pytest.raises(BadInput, match="tenant is a part of the address"):
        set_personal(made, "variable:tenant")


def test_what_one_user_brings_is_never_shared(deployment: Deployment) -> None:
    Deployment.objects.filter(pk=deployment.pk).update(isolation="shared")
    route = route_by_id(deployment.pk)
    assert route.is_personal and route.isolation == "principal"
    assert placement_for(deployment.pk)[1].isolation == "principal"


# --- whose


def test_each_user_has_their_own(deployment: Deployment, alice: User, bob: User) -> None:
    """Threat 26."""
    assert [one.name for one in brought_for(deployment.pk, bob.pk).missing] == ["API_KEY"]
    assert put(deployment, bob, API_KEY=VALUE) == {}
    assert brought_for(deployment.pk, bob.pk).missing == () != brought_for(deployment.pk, alice.pk).missing
    own = personal_for(deployment.pk, bob.pk)
    assert own.personal.env == {"API_KEY": VALUE, "REGION": "eu"} and own.personal.masked == [VALUE]
    assert (own.epoch, own.personal.subject) == (3, str(bob.pk)) and VALUE not in repr(own)
    assert "API_KEY" not in personal_for(deployment.pk, alice.pk).personal.env
    assert "API_KEY" not in placement_for(deployment.pk)[1].env
    assert AuditEntry.objects.get(action="secret:use").data["user"] == str(bob.pk)


def test_an_owners_value_does_not_stand_in(deployment: Deployment, alice: User, bob: User) -> None:
    deployment_settings_set(actor=actor_of(alice), deployment=deployment, secrets={KEY: "the-owners-key"})
    assert brought_for(deployment.pk, bob.pk).missing
    put(deployment, bob, API_KEY=VALUE)
    assert personal_for(deployment.pk, bob.pk).personal.env["API_KEY"] == VALUE


def test_an_organizations_value_counts_for_its_members_only(alice: User, bob: User) -> None:
    organization = organization_create(actor=actor_of(alice), name="acme", owner=alice)
    made = make_deployment(alice, "theirs", argv=["run"], declared=to_json(DECLARED), access="public")
    Deployment.objects.filter(pk=made.pk).update(owner=organization.name)
    made.refresh_from_db()
    set_personal(made, KEY)
    secrets_put(actor=OPERATOR, holder=Holder.organization(organization.pk), values={KEY: "acmes-own-key"})
    assert brought_for(made.pk, alice.pk).missing == ()
    assert brought_for(made.pk, bob.pk).missing
    place(made, make_runner())
    assert personal_for(made.pk, alice.pk).personal.env["API_KEY"] == "acmes-own-key"


def test_replacing_changes_the_mark(deployment: Deployment, bob: User) -> None:
    put(deployment, bob, API_KEY=VALUE)
    before = brought_for(deployment.pk, bob.pk).mark
    put(deployment, bob, API_KEY=VALUE)
    assert brought_for(deployment.pk, bob.pk).mark not in ("", before)


def test_what_is_wrong_is_said_and_the_rest_kept(deployment: Deployment, bob: User) -> None:
    assert put(deployment, bob, API_KEY=VALUE, REGION="mars") == {"env:REGION": "This is one of: eu, us."}
    assert Secret.objects.get().name == KEY
    with pytest.raises(BadInput, match="asks for no"):
        put(deployment, bob, OTHER="x")
    assert "characters" in put(deployment, bob, API_KEY="x" * 20_000)[KEY]


def test_a_deleted_server_keeps_nobodys_secrets(deployment: Deployment, alice: User, bob: User) -> None:
    put(deployment, bob, API_KEY=VALUE)
    deployment_delete(actor=actor_of(alice), deployment=deployment)
    assert not Secret.objects.exists()


# --- the page


def test_the_page_says_who_asks_for_what(deployment: Deployment, bob: User) -> None:
    page = browser(bob).get(page_for(deployment, bob))
    text = page.content.decode()
    assert page.status_code == 200 and "alice/time" in text and "API_KEY" in text and "REGION" in text
    assert "<q>Its &lt;b&gt;key&lt;/b&gt;</q>" in text and "--root" not in text
    assert "<strong>alice</strong>" in text and "without API_KEY." in text and "pypi:demo" in text
    assert page["Cache-Control"].count("no-store") == 1


def test_a_publishers_words_are_words_only(alice: User) -> None:
    bad = "<a href=https://evil.example>click</a>"
    variable = Declared(name="token", where="variable", is_required=True, is_secret=True, description=bad)
    declared = [
        Declared(name="ZONE", where="env", default=bad, placeholder=bad, description=bad),
        Declared(name="Authorization", where="header", value_template="Bearer {token}", variables=(variable,)),
        Declared(name="MODE", where="env", choices=(bad, "b"), default="b"),
    ]
    remote = {"url": "https://keys.example.org/mcp"}
    made = make_deployment(alice, "far", argv=[], declared=to_json(declared), remote=remote)
    set_personal(made, "env:ZONE", "variable:token", "env:MODE")
    text = browser(alice).get(page_for(made, alice)).content.decode()
    assert "evil.example" in text and "<a href=https://evil" not in text
    assert "the header Authorization: Bearer {token}" in text and "https://keys.example.org/mcp" in text
    assert 'href="https://keys' not in text, "an address of somebody else's is no link"


def test_what_the_organization_has_is_not_asked_for(alice: User) -> None:
    organization = organization_create(actor=actor_of(alice), name="acme", owner=alice)
    made = make_deployment(alice, "theirs", argv=["run"], declared=to_json(DECLARED))
    Deployment.objects.filter(pk=made.pk).update(owner=organization.name)
    made.refresh_from_db()
    set_personal(made, KEY)
    secrets_put(actor=OPERATOR, holder=Holder.organization(organization.pk), values={KEY: "acmes-own-key"})
    text = browser(alice).get(page_for(made, alice)).content.decode()
    assert "There is one already: acme’s, for all of its servers." in text and "acmes-own-key" not in text
    assert "All that it needs is there." in text


def test_who_may_be_kept_for_a_while_only(deployment: Deployment, bob: User) -> None:
    client, path = browser(bob), page_for(deployment, bob)
    client.post(path, {"v0": VALUE, "expires": "7"})
    row = Secret.objects.get()
    assert row.expires_at is not None and row.expires_at - clock.now() <= timedelta(days=7)
    assert client.post(path, {"v0": VALUE, "expires": "0"}).status_code == 400


def test_nobody_else_learns_that_there_is_a_page(deployment: Deployment, alice: User, bob: User) -> None:
    path = page_for(deployment, bob)
    for who in (alice, make_user("eve")):
        for each in (path, "/elicit/" + "A" * 22, path + "x", "/elicit/%00"):
            assert browser(who).get(each).status_code == 404
            assert browser(who).post(each, {"v0": VALUE}).status_code == 404
    anonymous = Client().get(path)
    assert anonymous.status_code == 302 and "/login/" in anonymous["Location"]
    assert not Secret.objects.exists()


def test_a_user_who_lost_access_has_no_page_either(deployment: Deployment, bob: User) -> None:
    path = page_for(deployment, bob)
    DeploymentMember.objects.all().delete()
    assert browser(bob).get(path).status_code == 404


def test_bad_and_large_bodies_are_refused(deployment: Deployment, bob: User) -> None:
    client, path = browser(bob), page_for(deployment, bob)
    for body in ({}, {"v0": ""}, {"v0": VALUE, "v1": "mars"}, {"v0": "x" * 20_001}):
        response = client.post(path, body)
        assert response.status_code == 400 and VALUE not in response.content.decode()
    assert client.post(path, {"v0": "x" * 3_000_000}).status_code in (400, 413)
    assert client.put(path).status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(bob, "django.contrib.auth.backends.ModelBackend")
    assert strict.post(path, {"v0": VALUE}).status_code == 403
    assert Elicitation.objects.get().state == "open"


def test_an_expired_page_is_over(deployment: Deployment, bob: User) -> None:
    path = page_for(deployment, bob)
    Elicitation.objects.update(expires_at=clock.now() - timedelta(seconds=1))
    client = browser(bob)
    assert (client.get(path).status_code, client.post(path, {"v0": VALUE}).status_code) == (410, 410)
    assert page_for(deployment, bob) != path, "the next call is given a new one"
    assert not Secret.objects.exists()


def test_a_thousand_pages_expire_cleanly(deployment: Deployment, bob: User) -> None:
    then = clock.now() - timedelta(days=2)
    whose: dict[str, Any] = {"user": bob, "deployment": deployment, "expires_at": then}
    Elicitation.objects.bulk_create([Elicitation(client_id=f"c{n}", **whose) for n in range(1000)])
    kept = page_for(deployment, bob)
    eliciting.elicitations_purge()
    assert [f"/elicit/{one.pk}" for one in Elicitation.objects.all()] == [kept]


# --- Credentials


def test_the_list_shows_what_is_stored_and_never_a_value(deployment: Deployment, alice: User, bob: User) -> None:
    put(deployment, bob, API_KEY=VALUE)
    text = browser(bob).get("/credentials/").content.decode()
    assert "alice/time" in text and ">API_KEY</code>" in text and "not used yet" in text
    assert VALUE not in text
    assert "Delete all of yours" not in text, "there is a button beside the one value"
    put(deployment, bob, REGION="eu")
    assert browser(bob).get("/credentials/").content.decode().count("Delete all of yours") == 1
    others = browser(alice).get("/credentials/").content.decode()
    assert "Nothing is stored" in others and "alice/time" not in others
    assert Client().get("/credentials/").status_code == 302


def test_replacing_opens_the_form_and_revoking_deletes(deployment: Deployment, alice: User, bob: User) -> None:
    put(deployment, bob, API_KEY=VALUE)
    client = browser(bob)
    form = client.post(f"/credentials/{deployment.pk}/replace", follow=True)
    assert form.status_code == 200 and "One is stored" in form.content.decode() and VALUE not in form.content.decode()
    assert browser(make_user("eve")).post(f"/credentials/{deployment.pk}/replace").status_code == 404
    assert client.post(f"/credentials/{uuid4()}/replace").status_code == 404
    browser(alice).post(f"/credentials/{deployment.pk}/revoke")
    assert Secret.objects.count() == 1, "hers, of which there are none"
    assert client.get(f"/credentials/{deployment.pk}/revoke").status_code == 405
    assert client.post(f"/credentials/{deployment.pk}/revoke", follow=True).status_code == 200
    assert not Secret.objects.exists()


def test_the_owner_chooses_on_the_settings_page(deployment: Deployment, alice: User) -> None:
    client = browser(alice)
    where = "/d/alice/time/settings/users"
    set_personal(deployment, KEY, "env:MINE")
    text = client.get(where).content.decode()
    assert 'value="env:API_KEY" id="personal_declared_0" checked' in text and "MINE</textarea>" in text
    assert 'value="env:REGION"' in text and "API_KEY – required, secret" in text
    given = {"section": "personal", "declared": ["env:REGION", KEY], "others": "MY_OWN\r\n \r\n"}
    assert client.post(where, given).status_code == 302
    deployment.refresh_from_db()
    assert deployment.personal_inputs == ["env:API_KEY", "env:MY_OWN", "env:REGION"]
    assert client.post(where, {"section": "personal", "others": "PATH"}).status_code == 400
    assert client.post(where, {"section": "personal", "declared": ["env:NONE"]}).status_code == 400


def test_names_of_settings_are_those_that_people_see(deployment: Deployment) -> None:
    assert personal.keys_of(deployment, ["root", "OTHER"]) == ["argument:root", "env:OTHER"]
