"""Credentials: which value counts and why, how often it was used, how long it is kept, and what waits for whom."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client

from accounts.models import Organization, User
from accounts.services import organization_create
from common import clock
from events.actors import OPERATOR
from events.models import AuditEntry
from hosting.configuration.configuring import deployment_settings_set
from hosting.credentials.eliciting import credentials_put, elicitation_open
from hosting.credentials.overview import Setting, credentials_of
from hosting.credentials.personal import given_now, personal_for, personal_set
from hosting.kinds.declared import Declared, to_json
from hosting.models import Deployment, Elicitation
from hosting.waiting.selectors import waiting_count, waiting_of
from tests.factories import actor_of, make_deployment, make_runner, make_user, place
from tests.hosting.consent import browser
from vault.models import Secret
from vault.services import Holder, secrets_put

pytestmark = pytest.mark.django_db
KEY, ZONE, VALUE = "env:API_KEY", "env:ZONE", "hunter2-hunter2"
DECLARED = [
    Declared(name="API_KEY", where="env", is_required=True, is_secret=True),
    Declared(name="ZONE", where="env", default="UTC"),
]


@pytest.fixture
def acme(alice: User) -> Organization:
    return organization_create(actor=actor_of(alice), name="acme", owner=alice)


@pytest.fixture
def deployment(alice: User, acme: Organization) -> Deployment:
    """Of acme, whose owner alice is."""
    made = make_deployment(alice, argv=["run"], declared=to_json(DECLARED))
    Deployment.objects.filter(pk=made.pk).update(owner=acme.name)
    made.refresh_from_db()
    place(made, make_runner())
    personal_set(actor=OPERATOR, deployment=made, keys=[KEY, ZONE])
    made.refresh_from_db()
    return made


def put(deployment: Deployment, user: User, value: str = VALUE) -> None:
    assert credentials_put(actor=actor_of(user), deployment=deployment, values={KEY: value}) == {}


def setting(deployment: Deployment, user: User, key: str = KEY) -> Setting:
    found = credentials_of(actor_of(user), deployment)
    return next(one for one in found.settings if one.key == key)


def counting(found: Setting) -> list[str]:
    return [source.words for source in found.sources if source.counts]


# --- which counts


def test_the_nearest_value_counts_and_says_so(deployment: Deployment, acme: Organization, alice: User) -> None:
    assert setting(deployment, alice).is_missing
    secrets_put(actor=OPERATOR, holder=Holder.organization(acme.pk), values={KEY: "for-all-servers"})
    assert counting(setting(deployment, alice)) == ["acme’s, for all of its servers"]
    ours = Holder.organization(acme.pk, deployment.pk)
    secrets_put(actor=OPERATOR, holder=ours, values={KEY: "for-this-one"}, given_to=given_now(deployment))
    assert counting(setting(deployment, alice)) == ["acme’s, for this server"]
    put(deployment, alice)
    found = setting(deployment, alice)
    assert counting(found) == ["yours"] and len(found.sources) == 3 and "before everything else" in found.why
    assert personal_for(deployment.pk, alice.pk).personal.env["API_KEY"] == VALUE, "as it is said, so it is done"
    Secret.objects.filter(scope="personal").update(expires_at=clock.now() - timedelta(seconds=1))
    found = setting(deployment, alice)
    assert counting(found) == ["acme’s, for this server"] and "yours has expired" in found.why
    assert personal_for(deployment.pk, alice.pk).personal.env["API_KEY"] == "for-this-one"


def test_the_owners_value_counts_for_what_is_optional_only(deployment: Deployment, alice: User) -> None:
    values = {KEY: "the-owners-key", ZONE: "Europe/Rome"}
    deployment_settings_set(actor=actor_of(alice), deployment=deployment, secrets=values)
    deployment.refresh_from_db()
    found = setting(deployment, alice)
    assert found.is_missing and counting(found) == [] and "does not stand in" in found.why
    assert counting(setting(deployment, alice, ZONE)) == ["acme’s, in the server’s settings"]
    text = browser(alice).get("/credentials/").content.decode()
    assert "Something is missing" in text and "the-owners-key" not in text and "Europe/Rome" not in text


def test_a_default_counts_where_nothing_else_does(deployment: Deployment, alice: User) -> None:
    assert counting(setting(deployment, alice, ZONE)) == ["the default"]


def test_what_was_given_to_another_package_is_held_back_and_nothing_stands_in(
    deployment: Deployment, acme: Organization, alice: User
) -> None:
    secrets_put(actor=OPERATOR, holder=Holder.organization(acme.pk), values={KEY: "for-all-servers"})
    put(deployment, alice)
    Secret.objects.filter(scope="personal").update(given_to={"package": "pypi:another"})
    found = setting(deployment, alice)
    assert found.is_missing and counting(found) == [] and "held back" in found.why
    assert "API_KEY" not in personal_for(deployment.pk, alice.pk).personal.env


# --- expiry


def test_an_expiry_is_set_later_and_what_expired_is_asked_for_again(deployment: Deployment, alice: User) -> None:
    put(deployment, alice)
    client, path = browser(alice), f"/credentials/{deployment.pk}/expire"
    assert client.post(path, {"name": KEY, "expires": "30"}).status_code == 302
    row = Secret.objects.get()
    assert row.expires_at is not None and timedelta(days=29) < row.expires_at - clock.now() <= timedelta(days=30)
    assert "in 30 days" in client.get("/credentials/").content.decode()
    for bad in ({"name": KEY, "expires": "-1"}, {"name": "env:NONE", "expires": "1"}, {}):
        client.post(path, bad)
    others = browser(make_user("eve"))
    assert others.post(path, {"name": KEY, "expires": ""}).status_code == 302
    row.refresh_from_db()
    assert row.expires_at is not None, "nobody else's form changes it"
    Secret.objects.update(expires_at=clock.now() - timedelta(days=2))
    text = client.get("/credentials/").content.decode()
    assert "expired" in text and "Yours has expired. The next call asks for it again." in text
    assert client.post(path, {"name": KEY, "expires": ""}).status_code == 302
    assert not setting(deployment, alice).is_missing, "without an end it counts again"
    assert AuditEntry.objects.filter(action="secret:expire").count() == 2


# --- one, or all


def test_one_is_deleted_or_all(deployment: Deployment, alice: User) -> None:
    put(deployment, alice)
    credentials_put(actor=actor_of(alice), deployment=deployment, values={ZONE: "UTC"})
    client, path = browser(alice), f"/credentials/{deployment.pk}/revoke"
    client.post(path, {"name": KEY})
    assert [row.name for row in Secret.objects.all()] == [ZONE]
    client.post(path)
    assert not Secret.objects.exists()


def test_what_is_asked_for_no_more_can_be_deleted(deployment: Deployment, alice: User) -> None:
    put(deployment, alice)
    personal_set(actor=OPERATOR, deployment=deployment, keys=[ZONE])
    client = browser(alice)
    assert "the server asks for it no more" in client.get("/credentials/").content.decode()
    client.post(f"/credentials/{deployment.pk}/revoke", {"name": KEY})
    assert not Secret.objects.exists()


# --- uses


def test_uses_are_counted_and_listed_for_their_user_only(
    deployment: Deployment, acme: Organization, alice: User
) -> None:
    put(deployment, alice)
    secrets_put(actor=OPERATOR, holder=Holder.organization(acme.pk), values={ZONE: "Europe/Rome"})
    for _ in range(3):
        personal_for(deployment.pk, alice.pk)
    assert [source.uses for source in setting(deployment, alice).sources] == [3]
    assert [source.uses for source in setting(deployment, alice, ZONE).sources][0] == 3
    client, path = browser(alice), f"/credentials/{deployment.pk}/uses"
    assert "3 uses by you" in client.get("/credentials/").content.decode()
    shown = client.get(path, {"name": KEY}).content.decode()
    assert shown.count("was started for you</span>") == 3
    assert "No more is on record" in client.get(path, {"name": "env:OTHER", "before": "junk"}).content.decode()
    assert browser(make_user("eve")).get(path, {"name": KEY}).status_code == 404
    assert client.get(f"/credentials/{uuid4()}/uses", {"name": KEY}).status_code == 404
    assert Client().get(path).status_code == 302


# --- action required


def test_what_waits_is_listed_and_counted_together(deployment: Deployment, alice: User) -> None:
    found = elicitation_open(user_id=alice.pk, client_id="cli", deployment_id=deployment.pk)
    elicitation_open(user_id=alice.pk, client_id="site", deployment_id=deployment.pk)
    assert waiting_count(alice.pk) == 1, "the form that she opened herself asks nothing of her"
    text = browser(alice).get("/waiting/").content.decode()
    assert f"/elicit/{found.pk}" in text and "acme/time asks for credentials of yours" in text
    assert "1 thing waits for you" in text
    stranger = make_user("eve")
    assert waiting_of(stranger.pk) == []
    assert "Nothing waits for you" in browser(stranger).get("/waiting/").content.decode()
    assert Client().get("/waiting/").status_code == 302
    Elicitation.objects.update(expires_at=clock.now() - timedelta(seconds=1))
    assert waiting_count(alice.pk) == 0


def test_who_lost_access_waits_for_nothing(deployment: Deployment, acme: Organization, alice: User) -> None:
    bob = make_user("bob")
    elicitation_open(user_id=bob.pk, client_id="cli", deployment_id=deployment.pk)
    assert waiting_of(bob.pk) == []
