"""Four permissions of a site: what members may by the settings, what operators grant, and who is told what."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.services import organization_create
from common.errors import BadInput, Conflict, Forbidden, NotFound
from events.actors import ANONYMOUS, OPERATOR
from events.models import AuditEntry
from hosting import services
from hosting.access import anonymous, grants
from hosting.access.anonymous import ENDED_BY_SECRETS, anonymous_set
from hosting.access.permissions import check_may_host
from hosting.configuration.configuring import deployment_settings_set
from hosting.models import Deployment
from hosting.store.sources import source_store
from tests.factories import actor_of, make_deployment, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def strict(settings: Any) -> None:
    """A site whose members may nothing by themselves."""
    settings.SLIPWAY_MEMBERS_MAY = frozenset()


def test_members_may_what_the_setting_says() -> None:
    actor = actor_of(make_user())
    assert [one.name for one in grants.ALL.values() if grants.may(actor, one)] == ["packages", "source", "remotes"]
    assert not any(grants.may(ANONYMOUS, one) for one in grants.ALL.values())
    assert all(grants.may(OPERATOR, one) for one in grants.ALL.values())
    boss = actor_of(make_user("boss", is_superuser=True))
    assert all(grants.may(boss, one) for one in grants.ALL.values())
    gone = make_user("gone", is_superuser=True)
    type(gone).objects.filter(pk=gone.pk).update(is_active=False)
    assert not grants.may(actor_of(gone), grants.PACKAGES)


@pytest.mark.usefixtures("strict")
def test_each_kind_asks_for_its_permission() -> None:
    alice = make_user()
    for kind, name in (
        ("pypi", "packages"),
        ("npm", "packages"),
        ("registry", "packages"),
        ("source", "source"),
        ("remote", "remotes"),
    ):  # noqa: E501
        with pytest.raises(Forbidden, match=f"./manage.py grant alice {name}"):
            check_may_host(actor_of(alice), alice.name, kind)
        grants.permission_grant(actor=OPERATOR, user=alice, permission=grants.ALL[name])
        check_may_host(actor_of(alice), alice.name, kind)
        grants.permission_revoke(actor=OPERATOR, user=alice, permission=grants.ALL[name])


@pytest.mark.usefixtures("strict")
def test_services_refuse_without_it_and_leave_nothing() -> None:
    alice = make_user()
    deployment = make_deployment(alice)  # an operator's doing
    values: dict[str, Any] = {"actor": actor_of(alice), "owner": alice.name, "name": "x", "reference": "pypi:demo"}
    with pytest.raises(Forbidden):
        services.deployment_create(**values)
    with pytest.raises(Forbidden):
        services.deployment_deploy(actor=actor_of(alice), deployment=deployment, reference="npm:demo")
    with pytest.raises(Forbidden):
        source_store(actor=actor_of(alice), owner=alice.name, filename="a.py", content=b"print(1)")
    assert Deployment.objects.count() == 1 and deployment.versions.count() == 1
    grants.permission_grant(actor=OPERATOR, user=alice, permission=grants.PACKAGES)
    assert services.deployment_create(**values)


@pytest.mark.usefixtures("strict")
def test_an_organizations_member_needs_it_too() -> None:
    alice, bob = make_user("alice"), make_user("bob")
    team = organization_create(actor=OPERATOR, name="crew", owner=alice)
    team.members.add(bob, through_defaults={"role": "publisher"})
    grants.permission_grant(actor=OPERATOR, user=alice, permission=grants.PACKAGES)
    values: dict[str, Any] = {"owner": team.name, "name": "x", "reference": "pypi:demo"}
    with pytest.raises(Forbidden):
        services.deployment_create(actor=actor_of(bob), **values)
    assert services.deployment_create(actor=actor_of(alice), **values)


def test_only_operators_grant() -> None:
    alice = make_user()
    for change in (grants.permission_grant, grants.permission_revoke):
        with pytest.raises(Forbidden):
            change(actor=actor_of(alice), user=alice, permission=grants.ANONYMOUS)
    with pytest.raises(Conflict, match="SLIPWAY_MEMBERS_MAY"):
        grants.permission_revoke(actor=OPERATOR, user=alice, permission=grants.PACKAGES)
    with pytest.raises(BadInput):
        grants.permission_named("everything")


def test_commands(capsys: Any) -> None:
    alice = make_user()
    deployment = make_deployment(alice)
    call_command("grant", "alice", "anonymous")
    call_command("grant", "alice")
    assert capsys.readouterr().out.split() == ["packages", "source", "remotes", "anonymous"]
    assert AuditEntry.objects.filter(action="permission:grant", actor="operator").count() == 1
    anonymous_set(actor=actor_of(alice), deployment=deployment, is_on=True)
    call_command("revoke", "alice", "anonymous")
    assert "alice/time needs an account again" in capsys.readouterr().err
    deployment.refresh_from_db()
    assert not deployment.is_anonymous
    with pytest.raises(CommandError):
        call_command("grant", "nobody", "anonymous")
    with pytest.raises(CommandError):
        call_command("grant", "alice", "everything")


# --- anonymous access


def is_anonymous(deployment: Deployment) -> tuple[bool, bool]:
    deployment.refresh_from_db()
    return deployment.is_anonymous, deployment.shares_credentials


def test_anonymous_access_of_an_organization_lasts_while_somebody_there_may_give_it() -> None:
    alice, bob = make_user("alice"), make_user("bob")
    team = organization_create(actor=OPERATOR, name="crew", owner=alice)
    team.members.add(bob, through_defaults={"role": "publisher"})
    deployment = make_deployment(alice)
    Deployment.objects.filter(pk=deployment.pk).update(owner=team.name, is_anonymous=True)
    for user in (alice, bob):
        grants.permission_grant(actor=OPERATOR, user=user, permission=grants.ANONYMOUS)
    for user, is_left in ((alice, True), (bob, False)):
        call_command("revoke", user.username, "anonymous")
        deployment.refresh_from_db()
        assert deployment.is_anonymous is is_left


def test_anonymous_access_is_the_operators_to_grant() -> None:
    alice, eve = make_user("alice"), make_user("eve")
    deployment = make_deployment(alice)
    with pytest.raises(Forbidden, match="./manage.py grant alice anonymous"):
        anonymous_set(actor=actor_of(alice), deployment=deployment, is_on=True)
    with pytest.raises(NotFound):
        anonymous_set(actor=actor_of(eve), deployment=deployment, is_on=True)
    grants.permission_grant(actor=OPERATOR, user=alice, permission=grants.ANONYMOUS)
    for _ in range(2):
        anonymous_set(actor=actor_of(alice), deployment=deployment, is_on=True)
    assert is_anonymous(deployment) == (True, False)
    assert anonymous.anonymous_keys() == {("alice", "time")}
    assert AuditEntry.objects.filter(action="deployment:set_anonymous").count() == 1
    grants.permission_revoke(actor=OPERATOR, user=alice, permission=grants.ANONYMOUS)
    anonymous_set(actor=actor_of(alice), deployment=deployment, is_on=False)  # switching off needs none
    assert anonymous.anonymous_keys() == frozenset()


def test_secrets_need_a_confirmation_of_their_own() -> None:
    deployment = make_deployment(make_user())
    deployment_settings_set(actor=OPERATOR, deployment=deployment, secrets={"env:TOKEN": "s3cret"})
    with pytest.raises(Conflict, match="Confirm that they may"):
        anonymous_set(actor=OPERATOR, deployment=deployment, is_on=True)
    assert is_anonymous(deployment) == (False, False)
    anonymous_set(actor=OPERATOR, deployment=deployment, is_on=True, shares_credentials=True)
    assert is_anonymous(deployment) == (True, True)
    deployment_settings_set(actor=OPERATOR, deployment=deployment, secrets={"env:TOKEN": "another"})
    assert is_anonymous(deployment) == (True, True)
    with pytest.raises(Conflict):  # a confirmation is for good only while it is on
        anonymous_set(actor=OPERATOR, deployment=deployment, is_on=True)
    anonymous_set(actor=OPERATOR, deployment=deployment, is_on=False)
    assert is_anonymous(deployment) == (False, False)


def test_a_secret_that_is_set_later_ends_it() -> None:
    deployment = make_deployment(make_user())
    anonymous_set(actor=OPERATOR, deployment=deployment, is_on=True)
    deployment_settings_set(actor=OPERATOR, deployment=deployment, values={"env:PLAIN": "x"})
    assert is_anonymous(deployment) == (True, False)
    deployment_settings_set(actor=OPERATOR, deployment=deployment, secrets={"env:TOKEN": "s3cret"})
    assert is_anonymous(deployment) == (False, False)
    assert deployment.current_version is not None
    deployment.current_version.refresh_from_db()
    assert deployment.current_version.notices == [ENDED_BY_SECRETS]
