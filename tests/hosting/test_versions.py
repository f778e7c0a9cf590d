"""Going back to an earlier version."""

from __future__ import annotations

import pytest

from common import clock
from common.errors import Conflict, NotFound
from events.models import AuditEntry
from hosting.building.versions import deployment_rollback, deployment_update
from hosting.models import Deployment, DeploymentVersion
from hosting.routing import placement_for
from hosting.states import State
from hosting.tools.records import policy_of, tools_seen
from tests.factories import actor_of, make_deployment, make_runner, make_user, owner_of, place

pytestmark = pytest.mark.django_db
OLD = {"name": "read", "description": "old"}
NEW = {"name": "read", "description": "new"}


@pytest.fixture
def deployment() -> Deployment:
    """Version 2 serves, version 1 is built, version 3 failed."""
    made = make_deployment(make_user("alice"), argv=["one"])
    first = made.versions.get()
    tools_seen(made.pk, [OLD])
    DeploymentVersion.objects.filter(pk=first.pk).update(tools=[OLD], reference="pypi:demo==1")
    second = DeploymentVersion.objects.create(
        deployment=made,
        number=2,
        reference="pypi:demo",
        environment=first.environment,
        argv=["two"],
        built_at=clock.now(),
    )
    tools_seen(made.pk, [NEW])
    DeploymentVersion.objects.filter(pk=second.pk).update(tools=[NEW])
    DeploymentVersion.objects.create(deployment=made, number=3, reference="pypi:demo==3", failure="no such release")
    Deployment.objects.filter(pk=made.pk).update(current_version=second)
    made.refresh_from_db()
    place(made, make_runner())
    return made


def test_roll_back_serves_the_earlier_version_and_what_was_approved_of_it(deployment: Deployment) -> None:
    before = placement_for(deployment.pk)[1]
    assert policy_of(deployment.pk).held == {"read"}
    actor = actor_of(owner_of(deployment))
    for _ in range(2):
        assert deployment_rollback(actor=actor, deployment=deployment, number=1).number == 1
    after = placement_for(deployment.pk)[1]
    assert (before.argv, after.argv) == (["two"], ["one"])
    assert (after.epoch, after.generation) == (before.epoch, before.generation + 1)
    assert policy_of(deployment.pk).held == frozenset()
    deployment.refresh_from_db()
    assert deployment.reference == "pypi:demo==1"
    assert AuditEntry.objects.get(action="deployment:roll_back").data == {"before": 2, "after": 1}


@pytest.mark.parametrize("state", [State.FAILED, State.STOPPED])
def test_rolling_back_starts_what_did_not_run(deployment: Deployment, state: State) -> None:
    Deployment.objects.filter(pk=deployment.pk).update(state=state)
    deployment_rollback(actor=actor_of(owner_of(deployment)), deployment=deployment, number=1)
    deployment.refresh_from_db()
    assert (deployment.state, deployment.reason) == (State.READY, "rolled back to version 1")


def test_what_cant_serve_is_refused(deployment: Deployment) -> None:
    actor = actor_of(owner_of(deployment))
    with pytest.raises(Conflict, match="never built"):
        deployment_rollback(actor=actor, deployment=deployment, number=3)
    with pytest.raises(NotFound, match="no version 9"):
        deployment_rollback(actor=actor, deployment=deployment, number=9)
    Deployment.objects.filter(pk=deployment.pk).update(state=State.BUILDING)
    deployment.refresh_from_db()
    with pytest.raises(Conflict, match="being built"):
        deployment_rollback(actor=actor, deployment=deployment, number=1)
    with pytest.raises(Conflict, match="being built"):
        deployment_update(actor=actor, deployment=deployment)


def test_update_resolves_the_same_reference_again(deployment: Deployment) -> None:
    version = deployment_update(actor=actor_of(owner_of(deployment)), deployment=deployment)
    assert (version.number, version.reference) == (4, "pypi:demo")


def test_others_change_nothing(deployment: Deployment) -> None:
    bob = actor_of(make_user("bob"))
    with pytest.raises(NotFound):
        deployment_rollback(actor=bob, deployment=deployment, number=1)
    with pytest.raises(NotFound):
        deployment_update(actor=bob, deployment=deployment)
