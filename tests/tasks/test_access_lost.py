"""A task outlives its client and its token, but not the right to call its server: the sweep ends it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from accounts.models import Membership, Name, Organization, User
from events.actors import OPERATOR
from hosting.access.members import member_add, member_remove
from hosting.models import Deployment, DeploymentMember, Task
from hosting.services import deployment_delete, deployment_stop
from hosting.tasks.running import sweep
from hosting.tasks.selectors import tasks_without_access
from hosting.tasks.states import Outcome, State
from tests.factories import make_deployment, make_user

pytestmark = pytest.mark.django_db

Change = Callable[[Deployment, User], object]


def make_task(deployment: Deployment, user: User | None, **fields: object) -> Task:
    named = {"principal": str(user.pk) if user else "visitor", "origin": Task.Origin.MODERN, "tool": "work"}
    return Task.objects.create(deployment=deployment, user=user, params="{}", **{**named, **fields})


def outcome_after_sweep(task: Task) -> tuple[str, str]:
    sweep()
    task.refresh_from_db()
    return task.state, task.outcome


CHANGES: dict[str, Change] = {
    "account": lambda deployment, user: User.objects.filter(pk=user.pk).update(is_active=False),
    "membership": lambda deployment, user: member_remove(actor=OPERATOR, deployment=deployment, user=user),
    "stopped": lambda deployment, user: deployment_stop(actor=OPERATOR, deployment=deployment),
    "deleted": lambda deployment, user: deployment_delete(actor=OPERATOR, deployment=deployment),
}


@pytest.mark.parametrize("how", CHANGES)
def test_it_is_cancelled_with_the_reason(how: str) -> None:
    bob = make_user("bob")
    deployment = make_deployment(make_user("alice"))
    member_add(actor=OPERATOR, deployment=deployment, user=bob)
    task = make_task(deployment, bob, state=State.WORKING)
    assert tasks_without_access(10) == []
    CHANGES[how](deployment, bob)
    if how in ("stopped", "deleted"):  # at once, before its instance is gone
        task.refresh_from_db()
        assert task.state == State.ENDED
    assert outcome_after_sweep(task) == (State.ENDED, Outcome.CANCELLED)
    assert task.reason.endswith(".")


def test_who_was_let_in_because_it_was_public_is_not_when_it_is_private() -> None:
    bob, alice = make_user("bob"), make_user("alice")
    deployment = make_deployment(alice, access="public")
    task, own, visitors = make_task(deployment, bob), make_task(deployment, alice), make_task(deployment, None)
    Deployment.objects.update(is_anonymous=True)
    assert tasks_without_access(10) == []
    Deployment.objects.update(is_anonymous=False)
    assert [found for found, _ in tasks_without_access(10)] == [visitors]
    Deployment.objects.update(access="private")
    assert {found.pk for found, _ in tasks_without_access(10)} == {task.pk, visitors.pk}
    assert own.state == State.ACCEPTED


def test_members_of_the_organization_that_owns_it_keep_theirs() -> None:
    alice, bob = make_user("alice"), make_user("bob")
    organization = Organization.objects.create()
    name = Name.objects.create(display="Acme", folded="acme", organization=organization)
    deployment = make_deployment(alice)
    Deployment.objects.update(owner=name)
    Membership.objects.create(organization=organization, user=bob)
    make_task(deployment, bob)
    assert tasks_without_access(10) == []
    Membership.objects.all().delete()
    assert len(tasks_without_access(10)) == 1
    DeploymentMember.objects.create(deployment=deployment, user=bob)
    assert tasks_without_access(10) == []


def test_what_was_accepted_for_a_server_that_is_stopped_is_never_started() -> None:
    alice = make_user("alice")
    deployment = make_deployment(alice)
    deployment_stop(actor=OPERATOR, deployment=deployment)
    assert outcome_after_sweep(make_task(deployment, alice)) == (State.ENDED, Outcome.CANCELLED)


def test_what_is_over_stays_as_it_ended() -> None:
    bob = make_user("bob")
    deployment = make_deployment(make_user("alice"))
    task = make_task(deployment, bob, state=State.ENDED, outcome=Outcome.RESULT)
    assert outcome_after_sweep(task) == (State.ENDED, Outcome.RESULT)


def test_it_is_one_query(django_assert_num_queries: Callable[..., object]) -> None:
    deployment = make_deployment(make_user("alice"))
    for i in range(3):
        make_task(deployment, make_user(f"user{i}"))
    with django_assert_num_queries(1):  # type: ignore[attr-defined]
        assert len(tasks_without_access(10)) == 3
