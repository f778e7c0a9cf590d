"""Who waits goes on as soon as nothing is missing any more, whoever saw to that and wherever: the page that asked is
done, and the task that waited for it is to start. One test for each way there is (`queue.settle_waiting`)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest

from accounts.models import Organization, User
from common import clock
from events.actors import OPERATOR
from hosting import jobs
from hosting.credentials.accounts import accounts_set
from hosting.credentials.eliciting import credentials_revoke
from hosting.credentials.organizations import (
    organization_credential_delete,
    organization_credential_expire,
    organization_credential_put,
)
from hosting.credentials.personal import given_now, personal_set
from hosting.credentials.suspension import suspended_delete, suspended_of
from hosting.credentials.waiting import credential_put
from hosting.kinds.declared import Declared, to_json
from hosting.models import Deployment, DeploymentVersion, Elicitation, Task
from tests.factories import actor_of, make_deployment, make_organization
from tests.hosting.consent import browser
from tests.hosting.waiting import KEY, wait
from vault.services import Holder, secrets_put

pytestmark = pytest.mark.django_db
OPTIONAL, TOKEN, VALUE = "env:REGION_KEY", "env:TOKEN", "hunter2-hunter2"
DECLARED = [Declared(name="API_KEY", where="env", is_required=True), Declared(name="REGION_KEY", where="env")]
Capture = Callable[..., AbstractContextManager[Any]]


@pytest.fixture
def acme(alice: User, bob: User) -> Organization:
    return make_organization(alice, bob)


@pytest.fixture
def deployment(acme: Organization) -> Deployment:
    """Nobody brings anything yet."""
    return make_deployment(acme, argv=["run"], declared=to_json(DECLARED))


def fresh(deployment: Deployment) -> Deployment:
    return Deployment.objects.select_related("owner", "current_version").get(pk=deployment.pk)


def asks(deployment: Deployment, key: str) -> Deployment:
    personal_set(actor=OPERATOR, deployment=deployment, keys=[key])
    return fresh(deployment)


def held_back(deployment: Deployment, holder: Holder, key: str) -> Deployment:
    """That holder has given it a value, and it is another server since."""
    found = asks(deployment, key)
    secrets_put(actor=OPERATOR, holder=holder, values={key: VALUE}, given_to=given_now(found))
    DeploymentVersion.objects.update(reference="pypi:other")
    return fresh(found)


@pytest.fixture
def goes_on(
    deployment: Deployment,
    bob: User,
    queued: list[tuple[str, list[Any]]],
    django_capture_on_commit_callbacks: Capture,
) -> Callable[[Callable[[], object]], bool]:
    """Whether Bob's call goes on with what is done then, and the jobs that follow from it."""

    def goes_on(deed: Callable[[], object]) -> bool:
        task = wait(fresh(deployment), bob)
        page = Elicitation.objects.get(pk=task.elicitation_id)
        with django_capture_on_commit_callbacks(execute=True):
            deed()
        for name, arguments in queued:
            if name == "settle_waiting":
                jobs.settle_waiting(*arguments)
        task.refresh_from_db()
        page.refresh_from_db()
        assert (task.state, page.state) in (("accepted", "done"), ("lacking", "open"))
        return page.state == "done"

    return goes_on


Goes = Callable[[Callable[[], object]], bool]


def test_a_value_that_is_stored_over_the_api(deployment: Deployment, bob: User, goes_on: Goes) -> None:
    asked = asks(deployment, KEY)
    assert goes_on(lambda: credential_put(actor=actor_of(bob), deployment=asked, key=KEY, value=VALUE))


def test_what_is_confirmed_on_the_page_credentials(deployment: Deployment, bob: User, goes_on: Goes) -> None:
    changed = held_back(deployment, Holder.personal(bob.pk, deployment.pk), KEY)
    mark = suspended_of(actor_of(bob), changed).mark
    where = f"/credentials/{deployment.pk}/suspended"
    assert not goes_on(lambda: browser(bob).post(where, {"action": "confirm", "mark": "0" * 32}))
    Task.objects.all().delete()
    assert goes_on(lambda: browser(bob).post(where, {"action": "confirm", "mark": mark}))


@pytest.mark.parametrize("deed", ["service", "page", "revoke"])
def test_what_was_held_back_and_is_not_needed_is_deleted(
    deployment: Deployment, bob: User, goes_on: Goes, deed: str
) -> None:
    changed = held_back(deployment, Holder.personal(bob.pk, deployment.pk), OPTIONAL)
    where = f"/credentials/{deployment.pk}/suspended"
    if deed == "page":
        assert goes_on(lambda: browser(bob).post(where, {"action": "forget"}))
    elif deed == "revoke":
        assert goes_on(lambda: credentials_revoke(actor=actor_of(bob), deployment_id=deployment.pk))
    else:
        assert goes_on(lambda: suspended_delete(actor=actor_of(bob), deployment=changed))


@pytest.mark.parametrize("is_for_all", [False, True])
def test_a_value_that_the_organization_keeps_for_its_members(
    deployment: Deployment, acme: Organization, alice: User, goes_on: Goes, is_for_all: bool
) -> None:
    asked = asks(deployment, KEY)
    for_one = None if is_for_all else asked
    assert goes_on(
        lambda: organization_credential_put(
            actor=actor_of(alice), organization=acme, setting=KEY, value=VALUE, deployment=for_one
        )
    )


def test_the_organizations_that_was_held_back_is_deleted(
    deployment: Deployment, acme: Organization, alice: User, goes_on: Goes
) -> None:
    changed = held_back(deployment, Holder.organization(acme.pk, deployment.pk), OPTIONAL)
    assert goes_on(
        lambda: organization_credential_delete(
            actor=actor_of(alice), organization=acme, setting=OPTIONAL, deployment=changed
        )
    )


def test_an_owner_who_asks_for_it_no_more(deployment: Deployment, alice: User, goes_on: Goes) -> None:
    asked = asks(deployment, KEY)
    assert goes_on(lambda: personal_set(actor=actor_of(alice), deployment=asked, keys=[]))


def test_an_owner_who_wants_no_account_any_more(deployment: Deployment, alice: User, goes_on: Goes) -> None:
    kept = {TOKEN: {"provider": "gone", "scopes": []}}
    Deployment.objects.filter(pk=deployment.pk).update(personal_inputs=[TOKEN], personal_accounts=kept)
    asked = fresh(deployment)
    assert goes_on(lambda: accounts_set(actor=actor_of(alice), deployment=asked, chosen={}, is_own=False))


def over(holder: Holder) -> None:
    """What it has stored counts no more."""
    holder.secrets.update(expires_at=clock.now() - timedelta(seconds=1))


@pytest.mark.parametrize("way", ["page", "api"])
@pytest.mark.parametrize("span", [None, timedelta(days=1)])
def test_an_expiry_that_is_taken_back_or_changed(
    deployment: Deployment, bob: User, goes_on: Goes, way: str, span: timedelta | None
) -> None:
    asked = asks(deployment, KEY)
    holder = Holder.personal(bob.pk, deployment.pk)
    secrets_put(actor=OPERATOR, holder=holder, values={KEY: VALUE}, given_to=given_now(asked))
    over(holder)
    if way == "page":
        sent = {"name": KEY, "expires": "1" if span else ""}
        assert goes_on(lambda: browser(bob).post(f"/credentials/{deployment.pk}/expire", sent))
    else:
        path = f"/api/deployments/acme/time/credentials/{KEY}"
        body = {"expires_at": (clock.now() + span).isoformat() if span else None}
        assert goes_on(lambda: browser(bob).patch(path, body, "application/json"))


@pytest.mark.parametrize("is_for_all", [False, True])
def test_an_organizations_expiry_that_is_taken_back(
    deployment: Deployment, acme: Organization, alice: User, goes_on: Goes, is_for_all: bool
) -> None:
    asked = asks(deployment, KEY)
    for_one = None if is_for_all else asked
    whose: dict[str, Any] = {"actor": actor_of(alice), "organization": acme, "deployment": for_one}
    organization_credential_put(**whose, setting=KEY, value=VALUE)
    over(Holder.organization(acme.pk, None if is_for_all else asked.pk))
    assert goes_on(lambda: organization_credential_expire(**whose, setting=KEY, expires_at=None))


def test_somebody_elses_value_ends_nobodys_waiting(deployment: Deployment, alice: User, goes_on: Goes) -> None:
    asked = asks(deployment, KEY)
    assert not goes_on(lambda: credential_put(actor=actor_of(alice), deployment=asked, key=KEY, value=VALUE))
