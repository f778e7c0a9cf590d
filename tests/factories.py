"""Rows that tests need, made by the services where there is one."""

from __future__ import annotations

from typing import Any

from accounts.models import Membership, Organization, User
from accounts.services import organization_create, user_create
from common import clock
from events.actors import OPERATOR, Actor, person
from hosting.fleet.register import runner_register
from hosting.models import Deployment, DeploymentVersion, Environment, Runner, RunnerPlacement
from hosting.services import deployment_create
from hosting.states import State

PASSWORD = "correct horse battery"


def make_user(name: str = "alice", *, password: str | None = None, **fields: Any) -> User:
    return user_create(actor=OPERATOR, name=name, password=password, **fields)


def owner_of(deployment: Deployment) -> User:
    """Whose it is. Fails for an organization's."""
    assert deployment.owner.user is not None
    return deployment.owner.user


def actor_of(user: User) -> Actor:
    return person(user.pk)


def make_organization(owner: User, *members: User, name: str = "acme") -> Organization:
    made = organization_create(actor=actor_of(owner), name=name, owner=owner)
    for user in members:
        Membership.objects.create(organization=made, user=user, role=Membership.Role.MEMBER)
    return made


def make_queued(
    owner: User | Organization, name: str = "time", *, reference: str = "pypi:demo", access: str = "private"
) -> Deployment:
    """As `host` leaves it: version 1 waits for its build."""
    return deployment_create(actor=OPERATOR, owner=owner.name, name=name, reference=reference, access=access)


def make_deployment(
    owner: User | Organization,
    name: str = "time",
    *,
    state: State = State.READY,
    argv: list[str] | None = None,
    **version: Any,
) -> Deployment:
    """Built, and in `state`. `version` are fields of its version; `argv` is what an instance runs."""
    access = version.pop("access", "private")
    deployment = make_queued(owner, name, access=access)
    environment, _ = Environment.objects.get_or_create(digest="0" * 64, defaults={"kind": "pypi", "path": "/nowhere"})
    built = DeploymentVersion.objects.get(deployment=deployment)
    for field, value in {
        "environment": environment,
        "resolved": "demo 1.0",
        "argv": argv or ["true"],
        **version,
    }.items():
        setattr(built, field, value)
    built.built_at = clock.now()
    built.save()
    Deployment.objects.filter(pk=deployment.pk).update(current_version=built, state=state, reason="")
    return Deployment.objects.select_related("owner", "current_version").get(pk=deployment.pk)


def make_runner(name: str = "r1", *, address: str = "", **fields: Any) -> Runner:
    runner = runner_register(actor=OPERATOR, name=name, address=address or f"unix:/nowhere/{name}.sock")
    Runner.objects.filter(pk=runner.pk).update(**fields)
    runner.refresh_from_db()
    return runner


def place(deployment: Deployment, runner: Runner | None, epoch: int = 1) -> RunnerPlacement:
    placement, _ = RunnerPlacement.objects.update_or_create(
        deployment=deployment, defaults={"runner": runner, "epoch": epoch}
    )
    return placement
