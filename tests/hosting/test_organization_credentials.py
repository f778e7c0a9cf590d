"""What an organization keeps for its members: who may store it, whom it serves, and what is on record of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.models import Organization, User
from accounts.reauthentication import SIGNED_IN_AT
from common import clock
from common.errors import BadInput, Forbidden, NotFound
from events.actors import OPERATOR
from events.models import AuditEntry
from hosting.credentials.eliciting import credentials_put
from hosting.credentials.organizations import (
    organization_credential_delete,
    organization_credential_put,
    organization_credentials,
    server_of,
)
from hosting.credentials.personal import brought_for, personal_for, personal_set
from hosting.credentials.suspension import suspended_of
from hosting.kinds.declared import Declared, to_json
from hosting.models import Deployment, DeploymentVersion
from tests.factories import PASSWORD, actor_of, make_deployment, make_organization, make_runner, make_user, place
from tests.hosting.consent import browser, page_of
from vault.models import Secret

pytestmark = pytest.mark.django_db
KEY, VALUE = "env:API_KEY", "hunter2-hunter2"
DECLARED = [
    Declared(name="API_KEY", where="env", is_required=True, is_secret=True),
    Declared(name="REGION", where="env", choices=("eu", "us")),
]


@pytest.fixture
def alice() -> User:
    return make_user("alice", password=PASSWORD)


@pytest.fixture
def acme(alice: User, bob: User) -> Organization:
    return make_organization(alice, bob)


@pytest.fixture
def deployment(acme: Organization) -> Deployment:
    made = make_deployment(acme, argv=["run"], declared=to_json(DECLARED))
    personal_set(actor=OPERATOR, deployment=made, keys=[KEY, "env:REGION"])
    place(made, make_runner())
    return Deployment.objects.select_related("owner", "current_version").get(pk=made.pk)


def put(acme: Organization, user: User, setting: str = "API_KEY", value: str = VALUE, **more: Any) -> str:
    return organization_credential_put(actor=actor_of(user), organization=acme, setting=setting, value=value, **more)


def test_it_serves_members_and_is_on_record(acme: Organization, deployment: Deployment, alice: User, bob: User) -> None:
    assert put(acme, alice) == KEY
    assert brought_for(deployment.pk, bob.pk).missing == ()
    assert personal_for(deployment.pk, bob.pk).personal.env["API_KEY"] == VALUE
    used = AuditEntry.objects.get(action="secret:use")
    assert used.subject_id == str(deployment.pk) and used.data["user"] == str(bob.pk)
    (row,) = organization_credentials(actor_of(alice), acme)
    assert (row.deployment, row.name, row.uses) == (None, "API_KEY", 1)
    put(acme, alice, value="for-this-one", deployment=deployment)
    assert personal_for(deployment.pk, bob.pk).personal.env["API_KEY"] == "for-this-one"
    for server in (deployment, None):
        organization_credential_delete(actor=actor_of(alice), organization=acme, setting=KEY, deployment=server)
    assert brought_for(deployment.pk, bob.pk).missing
    actions = list(AuditEntry.objects.filter(action__startswith="secret:").values_list("action", flat=True))
    assert actions.count("secret:put") == actions.count("secret:delete") == 2
    assert VALUE not in str(list(AuditEntry.objects.values()))


def test_members_and_strangers_store_nothing(acme: Organization, deployment: Deployment, bob: User) -> None:
    with pytest.raises(Forbidden):
        put(acme, bob)
    with pytest.raises(NotFound):
        put(acme, make_user("eve"))
    with pytest.raises(Forbidden):
        organization_credentials(actor_of(bob), acme)
    for user in (bob, make_user("mallory")):
        client = browser(user)
        assert client.get("/organizations/acme/credentials").status_code == 404
        assert client.post("/organizations/acme/credentials", {"action": "put"}).status_code == 404
    assert Client().get("/organizations/acme/credentials").status_code == 302
    assert not Secret.objects.exists()


def test_what_can_not_be_stored_is_refused_in_words(acme: Organization, deployment: Deployment, alice: User) -> None:
    with pytest.raises(BadInput, match="asks for no OTHER"):
        put(acme, alice, "OTHER", deployment=deployment)
    with pytest.raises(BadInput, match="one of: eu, us"):
        put(acme, alice, "REGION", "mars")
    for bad in ("PATH", "1X", "header:Host", "argument:x", "header:a b"):
        with pytest.raises(BadInput):
            put(acme, alice, bad)
    with pytest.raises(BadInput):
        put(acme, alice, value="x" * 20_000)
    with pytest.raises(BadInput, match="over already"):
        put(acme, alice, expires_at=clock.now() - timedelta(days=1))
    assert put(acme, alice, "OTHER_KEY") == "env:OTHER_KEY", "a server that comes later may ask for it"


def test_another_organizations_server_is_none(acme: Organization, alice: User) -> None:
    theirs = make_deployment(alice, "mine")
    personal_set(actor=OPERATOR, deployment=theirs, keys=[KEY])
    theirs.refresh_from_db()
    with pytest.raises(NotFound):
        put(acme, alice, deployment=theirs)
    with pytest.raises(NotFound):
        server_of(acme, "mine")


def test_the_page_stores_replaces_and_deletes(acme: Organization, deployment: Deployment, alice: User) -> None:
    client, path = browser(alice), "/organizations/acme/credentials"
    assert "None yet" in client.get(path).content.decode()
    given = {"action": "put", "server": "time", "setting": "API_KEY", "value": f" {VALUE}\r\n", "expires": "30"}
    assert client.post(path, given).status_code == 302
    text = client.get(path).content.decode()
    assert "acme/time" in text and "in 30 days" in text and VALUE not in text
    assert client.post(path, {"action": "expire", "name": KEY, "server": "time", "expires": ""}).status_code == 302
    assert Secret.objects.get().expires_at is None
    for bad in ({"server": "none"}, {"setting": "PATH"}, {"value": ""}, {"value": "x" * 20_001}, {"expires": "-1"}):
        refused = client.post(path, {**given, **bad})
        assert refused.status_code == 400 and VALUE not in refused.content.decode()
    assert client.post(path, {"action": "delete", "name": KEY, "server": "time"}).status_code == 302
    assert not Secret.objects.exists()


def long_ago(user: User) -> Client:
    """A browser in which the user signed in some time ago."""
    client = browser(user)
    session = client.session
    session[SIGNED_IN_AT] = 0.0
    session.save()
    return client


def test_storing_asks_who_is_there_once_signing_in_is_long_ago(
    acme: Organization, deployment: Deployment, alice: User
) -> None:
    client, path = long_ago(alice), "/organizations/acme/credentials"
    assert "Confirm that it is you" in client.get(path).content.decode()
    sent = client.post(path, {"action": "put", "setting": "API_KEY", "value": VALUE})
    assert sent.status_code == 302 and "reauthenticate" in sent["Location"]
    assert not Secret.objects.exists() and VALUE not in str(dict(client.session.items()))


@pytest.mark.parametrize("way", ["credentials", "elicit", "api"])
def test_so_does_confirming_what_was_held_back(
    acme: Organization, deployment: Deployment, alice: User, bob: User, way: str
) -> None:
    """It lets the server have it as storing it does, for all members."""
    put(acme, alice, deployment=deployment)
    DeploymentVersion.objects.update(reference="pypi:other")
    deployment = Deployment.objects.select_related("owner", "current_version").get(pk=deployment.pk)
    sent = {"action": "confirm", "mark": suspended_of(actor_of(alice), deployment).mark}
    path = {
        "credentials": f"/credentials/{deployment.pk}/suspended",
        "elicit": page_of(deployment, alice),
        "api": "/api/deployments/acme/time/held-back",
    }[way]

    def confirm(client: Client) -> tuple[int, str]:
        if way == "api":
            answer = client.post(path, {"mark": sent["mark"]}, "application/json")
            return answer.status_code, answer.content.decode()
        answer = client.post(path, sent)
        return answer.status_code, answer["Location"] if answer.status_code == 302 else ""

    status, said = confirm(long_ago(alice))
    assert (status == 403 and "confirm_first" in said) if way == "api" else "reauthenticate" in said
    assert [one.name for one in brought_for(deployment.pk, bob.pk).suspended] == [KEY]
    confirm(browser(alice))
    assert not brought_for(deployment.pk, bob.pk).suspended


def test_confirming_ones_own_asks_nobody_who_they_are(deployment: Deployment, bob: User) -> None:
    """The page shows what was typed in there by the same person, who could type it in again."""
    credentials_put(actor=actor_of(bob), deployment=deployment, values={KEY: VALUE})
    DeploymentVersion.objects.update(reference="pypi:other")
    deployment = Deployment.objects.select_related("owner", "current_version").get(pk=deployment.pk)
    sent = {"action": "confirm", "mark": suspended_of(actor_of(bob), deployment).mark}
    assert long_ago(bob).post(f"/credentials/{deployment.pk}/suspended", sent)["Location"] == "/credentials/"
    assert not brought_for(deployment.pk, bob.pk).suspended
