"""Deployments: making, deploying again, stopping, starting, deleting; and whose they are."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.services import organization_create
from common import clock
from common.errors import BadInput, Conflict, NotFound
from events.actors import OPERATOR
from events.models import AuditEntry
from hosting import services
from hosting.access.members import member_add
from hosting.building.versions import deployment_rollback
from hosting.configuration import configuring
from hosting.models import Deployment, DeploymentVersion
from hosting.services import deployment_deploy
from hosting.states import State
from oauth import selectors as tokens
from oauth.services import endpoint_token_issue
from tests.factories import actor_of, make_deployment, make_queued, make_runner, make_user, place

pytestmark = pytest.mark.django_db


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any) -> Any:
    """Runs a service as committed; gives the (job, arguments) that were queued, as a worker finds them in Valkey."""
    from celery import current_app

    queued: list[tuple[str, tuple[Any, ...]]] = []
    monkeypatch.setattr(current_app, "send_task", lambda name, args: queued.append((name.rpartition(".")[2], args)))

    def run(service: Any, **arguments: Any) -> list[tuple[str, tuple[Any, ...]]]:
        queued.clear()
        with django_capture_on_commit_callbacks(execute=True):
            service(**arguments)
        return list(queued)

    return run


def state_of(deployment: Deployment) -> tuple[str, str]:
    deployment.refresh_from_db()
    return deployment.state, deployment.wanted


# --- making


def test_create_queues_the_build_of_version_1(sent: Any) -> None:
    alice = make_user()
    jobs = sent(
        services.deployment_create,
        actor=actor_of(alice),
        owner=alice.name,
        name="Time",
        reference="pypi:Mcp_Server_Time",
    )
    deployment = Deployment.objects.get()
    version = DeploymentVersion.objects.get()
    assert jobs == [("build_environment", (str(version.pk),))]
    assert (deployment.name, deployment.folded_name, deployment.reference) == ("Time", "time", "pypi:mcp-server-time")
    assert (deployment.state, deployment.access, version.number) == ("queued", "private", 1)
    assert AuditEntry.objects.get(action="deployment:create").actor == f"user:{alice.pk}"


def test_names_are_unique_for_an_owner_whatever_the_case() -> None:
    alice, bob = make_user("alice"), make_user("bob")
    make_queued(alice, "time")
    with pytest.raises(Conflict, match="alice/TIME already"):
        make_queued(alice, "TIME")
    assert make_queued(bob, "time")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": ".."}, "name"),
        ({"name": "a/b"}, "name"),
        ({"name": "a" * 65}, "name"),
        ({"reference": "mcp-server-time"}, "reference"),
        ({"reference": "pypi:../etc"}, "reference"),
        ({"access": "everyone"}, "access"),
    ],
)
def test_bad_input_is_refused_with_words(changes: dict[str, str], field: str) -> None:
    alice = make_user()
    arguments: dict[str, Any] = {"name": "time", "reference": "pypi:demo", "access": "private", **changes}
    with pytest.raises(BadInput) as caught:
        services.deployment_create(actor=actor_of(alice), owner=alice.name, **arguments)
    assert caught.value.message
    assert caught.value.field == field
    assert not Deployment.objects.exists()


def test_nobody_hosts_for_others_but_members_do_for_their_organization() -> None:
    alice, bob = make_user("alice"), make_user("bob")
    acme = organization_create(actor=OPERATOR, name="acme", owner=alice)
    for name in (alice.name, acme.name):
        with pytest.raises(NotFound):
            services.deployment_create(actor=actor_of(bob), owner=name, name="time", reference="pypi:demo")
    made = services.deployment_create(actor=actor_of(alice), owner=acme.name, name="time", reference="pypi:demo")
    assert made.label == "acme/time"


@pytest.mark.parametrize(
    "service",
    [services.deployment_start, services.deployment_stop, services.deployment_restart, services.deployment_delete],
)
def test_strangers_and_members_change_nothing(service: Any) -> None:
    alice, bob = make_user("alice"), make_user("bob")
    deployment = make_deployment(alice)
    member_add(actor=OPERATOR, deployment=deployment, user=bob)
    with pytest.raises(NotFound):
        service(actor=actor_of(bob), deployment=deployment)
    assert state_of(deployment) == ("ready", "running")


# --- the host command's meaning


def test_hosting_the_same_twice_changes_nothing(sent: Any) -> None:
    alice = make_user()
    arguments = {"actor": OPERATOR, "owner": alice.name, "name": "time", "reference": "pypi:demo"}
    assert [job for job, _ in sent(services.deployment_host, **arguments)] == ["build_environment"]
    assert sent(services.deployment_host, **{**arguments, "name": "TIME", "reference": "pypi:Demo"}) == []
    assert DeploymentVersion.objects.count() == 1


def test_hosting_another_reference_makes_a_new_version(sent: Any) -> None:
    deployment = make_deployment(make_user())
    arguments = {"actor": OPERATOR, "owner": deployment.owner, "name": "time", "reference": "pypi:demo==2.0"}
    (job, (version_id,)), *_ = sent(services.deployment_host, **arguments)
    version = DeploymentVersion.objects.get(pk=version_id)
    assert (job, version.number, version.reference) == ("build_environment", 2, "pypi:demo==2.0")
    assert state_of(deployment)[0] == "queued"
    assert deployment.reference == "pypi:demo==2.0"
    assert deployment.current_version is not None
    assert deployment.current_version.number == 1  # until the new one is built


def test_hosting_again_after_a_failure_tries_again(sent: Any) -> None:
    deployment = make_queued(make_user())
    DeploymentVersion.objects.update(failure="no such package")
    services.deployment_move(deployment.pk, State.FAILED, "no such package")
    arguments = {"actor": OPERATOR, "owner": deployment.owner, "name": "time", "reference": "pypi:demo"}
    assert [job for job, _ in sent(services.deployment_host, **arguments)] == ["build_environment"]
    assert state_of(deployment)[0] == "queued"


def test_hosting_changes_access_only_when_told() -> None:
    deployment = make_deployment(make_user(), access="public")
    arguments: dict[str, Any] = {"actor": OPERATOR, "owner": deployment.owner, "name": "time", "reference": "pypi:demo"}
    services.deployment_host(**arguments)
    deployment.refresh_from_db()
    assert deployment.access == "public"
    services.deployment_host(**arguments, access="private")
    deployment.refresh_from_db()
    assert deployment.access == "private"
    assert AuditEntry.objects.filter(action="deployment:set_access").count() == 1


# --- stopping and starting


def test_stop_takes_it_from_its_runner_and_is_repeatable(sent: Any) -> None:
    alice = make_user()
    deployment = make_deployment(alice, state=State.RUNNING)
    runner = make_runner()
    place(deployment, runner, epoch=4)
    jobs = sent(services.deployment_stop, actor=actor_of(alice), deployment=deployment)
    assert jobs == [("unplace", (str(deployment.pk), runner.address, 4, "stopped by its owner"))]
    assert state_of(deployment) == ("stopped", "stopped")
    placement = deployment.placement
    assert (placement.runner, placement.epoch) == (None, 5)
    assert sent(services.deployment_stop, actor=actor_of(alice), deployment=deployment) == []


def test_start_after_stop_has_a_look_and_builds_only_what_was_never_built(sent: Any) -> None:
    alice = make_user()
    deployment = make_deployment(alice, state=State.STOPPED)
    assert sent(services.deployment_start, actor=actor_of(alice), deployment=deployment) == [
        ("inspect_deployment", (str(deployment.pk),))
    ]
    assert state_of(deployment) == ("ready", "running")
    assert sent(services.deployment_start, actor=actor_of(alice), deployment=deployment) == []

    unbuilt = make_queued(alice, "other")
    services.deployment_stop(actor=OPERATOR, deployment=unbuilt)
    assert [job for job, _ in sent(services.deployment_start, actor=OPERATOR, deployment=unbuilt)] == [
        "build_environment"
    ]
    assert state_of(unbuilt) == ("queued", "running")
    assert unbuilt.versions.count() == 1


def test_restart_moves_the_epoch_on(sent: Any) -> None:
    alice = make_user()
    deployment = make_deployment(alice, state=State.FAILED)
    runner = make_runner()
    place(deployment, runner, epoch=2)
    jobs = sent(services.deployment_restart, actor=actor_of(alice), deployment=deployment)
    assert [job for job, _ in jobs] == ["unplace", "inspect_deployment"]
    assert state_of(deployment)[0] == "ready"
    assert deployment.placement.epoch == 3


def test_restart_during_the_build_is_refused() -> None:
    deployment = make_queued(make_user())
    with pytest.raises(Conflict, match="still being built"):
        services.deployment_restart(actor=OPERATOR, deployment=deployment)


def test_delete_hides_it_revokes_its_tokens_and_keeps_the_name_until_it_is_gone(sent: Any) -> None:
    alice = make_user()
    deployment = make_deployment(alice)
    row, _ = endpoint_token_issue(
        actor=OPERATOR, user=alice, deployment_id=deployment.pk, resource="r", scopes=["mcp:read"], ttl_seconds=60
    )
    jobs = sent(services.deployment_delete, actor=actor_of(alice), deployment=deployment)
    assert ("reconcile", ()) in jobs
    assert tokens.revoked_jtis() == {row.jti}
    with pytest.raises(Conflict):
        make_queued(alice, "time")
    with pytest.raises(NotFound):
        services.deployment_start(actor=OPERATOR, deployment=deployment)
    assert state_of(deployment)[0] == "deleting"


@pytest.mark.parametrize(
    ("reference", "is_kept"),
    [
        ("pypi:demo", True),
        ("pypi:demo==2.0", True),
        ("pypi:other", False),
        ("npm:demo", False),
        ("remote:https://demo.example.org/mcp", False),
    ],
)
def test_the_consent_to_install_code_is_for_one_package(reference: str, is_kept: bool) -> None:
    alice = make_user()
    deployment = make_deployment(alice)
    DeploymentVersion.objects.update(reference="pypi:demo")
    Deployment.objects.update(reference="pypi:demo")
    configuring.install_code_set(actor=actor_of(alice), deployment=deployment, runs_install_code=True)
    version = deployment_deploy(actor=actor_of(alice), deployment=deployment, reference=reference)
    deployment.refresh_from_db()
    assert deployment.runs_install_code is is_kept
    assert any("install code" in words for words in version.notices) is not is_kept
    ended = AuditEntry.objects.filter(action="deployment:set_install_code", data__runs_install_code=False)
    assert ended.exists() is not is_kept


def test_going_back_to_another_package_takes_no_consent_along() -> None:
    alice = make_user()
    deployment = make_deployment(alice)
    DeploymentVersion.objects.update(reference="pypi:first")
    deployment_deploy(actor=actor_of(alice), deployment=deployment, reference="pypi:second")
    Deployment.objects.update(state=State.READY)
    DeploymentVersion.objects.update(built_at=clock.now())
    configuring.install_code_set(actor=actor_of(alice), deployment=deployment, runs_install_code=True)
    latest = deployment.versions.get(number=2)
    Deployment.objects.update(current_version=latest)
    deployment_rollback(actor=actor_of(alice), deployment=deployment, number=1)
    assert not Deployment.objects.get().runs_install_code
