"""Wanted against seen, with real runners."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest

from common import clock
from events.actors import OPERATOR
from events.models import AuditEntry
from hosting import routing, services
from hosting.fleet.reconciling import reconcile
from hosting.fleet.watch import runners_judge
from hosting.looks.inspection import deployment_inspect
from hosting.models import Deployment, DeploymentVersion, Instance, Runner, RunnerPlacement
from hosting.runner import control
from hosting.runner.frames import EndRule, Kind
from hosting.runner.placement import Placement
from hosting.runner.seen import Status
from hosting.states import State
from hosting.stream.links import runner_links
from registry.models import SeenServer
from tests.factories import make_deployment, make_queued, make_runner, make_user, place
from tests.hosting.conftest import READ_ONLY, RunnerProcess, server_argv

pytestmark = pytest.mark.django_db
LONG_AGO = timedelta(minutes=5)


def status(address: str) -> Status:
    async def ask() -> Status:
        async with runner_links() as pool:
            return await (await pool.link(address)).ask(control.GetStatus())

    return asyncio.run(ask())


def ask(address: str, operation: control.Order) -> None:
    async def run() -> None:
        async with runner_links() as pool:
            await (await pool.link(address)).ask(operation)

    asyncio.run(run())


def running(name: str = "time") -> Deployment:
    deployment = make_deployment(make_user(f"owner-{name}"), name, argv=server_argv(), read_only=READ_ONLY)
    deployment_inspect(deployment.pk)
    return deployment


def silence(runner: Runner) -> None:
    """Nobody has heard it for ten seconds."""
    Runner.objects.filter(pk=runner.pk).update(last_seen_at=clock.now() - timedelta(seconds=10))


def test_what_runs_is_written_down(runner_process: RunnerProcess) -> None:
    runner = make_runner(address=runner_process.address)
    silence(runner)
    deployment = running()
    reconcile()
    instance = Instance.objects.get()
    assert (instance.deployment, instance.runner, instance.state) == (deployment, runner, "running")
    assert instance.version_id == deployment.current_version_id
    assert instance.pid
    assert instance.memory_bytes
    runner.refresh_from_db()
    assert runner.boot
    assert clock.now() - runner.last_seen_at < timedelta(seconds=10)
    reconcile()
    assert Instance.objects.count() == 1


def test_search_learns_who_asks_people_and_what_is_hosted_for_all(runner_process: RunnerProcess) -> None:
    make_runner(address=runner_process.address)
    deployment = make_deployment(make_user(), argv=server_argv(), read_only=READ_ONLY, access="public")
    deployment_inspect(deployment.pk)
    reconcile()
    assert (SeenServer.objects.get().uses, SeenServer.objects.get().is_hosted) == ([], True)
    address, placement = routing.placement_for(deployment.pk)

    async def ask() -> None:
        async with runner_links() as pool:
            call = (await pool.link(address)).open(
                deployment=placement.deployment,
                epoch=placement.epoch,
                generation=placement.generation,
                owner="alice",
                method="tools/call",
                params=b'{"name":"ask","arguments":{}}',
                revision="2026-07-28",
                end=EndRule.CANCEL,
                isolation="alice",
                capabilities=b'{"elicitation":{}}',
                native_input=True,
            )
            while (await call.next()).kind is not Kind.RESULT:
                pass

    asyncio.run(ask())
    Deployment.objects.update(access="private")
    reconcile()
    assert (SeenServer.objects.get().uses, SeenServer.objects.get().is_hosted) == ([], False)  # nobody's business
    Deployment.objects.update(access="public")
    reconcile()
    assert (SeenServer.objects.get().uses, SeenServer.objects.get().is_hosted) == (["elicitation"], True)


def test_states_follow_what_is_seen(runner_process: RunnerProcess) -> None:
    make_runner(address=runner_process.address)
    deployment = running()
    Deployment.objects.update(state=State.READY)
    reconcile()
    deployment.refresh_from_db()
    assert deployment.state == "running"
    # Its runner forgets it, as after a restart: asleep, until the next call.
    RunnerPlacement.objects.update(epoch=9)
    Deployment.objects.update(changed_at=clock.now() - LONG_AGO)
    reconcile()
    deployment.refresh_from_db()
    assert (deployment.state, deployment.reason) == ("ready", "asleep")


def test_a_start_that_is_on_its_way_isnt_called_asleep(runner_process: RunnerProcess) -> None:
    runner = make_runner(address=runner_process.address)
    deployment = make_deployment(make_user())
    place(deployment, runner)
    services.deployment_move(deployment.pk, State.STARTING, "starting")
    reconcile()
    deployment.refresh_from_db()
    assert deployment.state == "starting"


@pytest.mark.parametrize("end", [services.deployment_stop, services.deployment_delete])
def test_what_isnt_wanted_is_let_go_even_when_the_job_was_lost(
    runner_process: RunnerProcess, end: Callable[..., None]
) -> None:
    make_runner(address=runner_process.address)
    deployment = running()
    end(actor=OPERATOR, deployment=deployment)
    reconcile()
    assert status(runner_process.address).placements == []
    reconcile()
    assert not Instance.objects.exists()


def test_deleted_ones_go_and_their_name_is_free(runner_process: RunnerProcess) -> None:
    make_runner(address=runner_process.address)
    deployment = running()
    services.deployment_delete(actor=OPERATOR, deployment=deployment)
    reconcile()
    assert not Deployment.objects.exists()
    assert not DeploymentVersion.objects.exists()
    purged = AuditEntry.objects.get(action="deployment:purge")
    assert purged.subject_id == str(deployment.pk)


def test_a_silent_runner_is_dead_and_loses_everything(start_runner: Callable[[str], RunnerProcess]) -> None:
    first, second = start_runner("r1"), start_runner("r2")
    dead = make_runner("r1", address=first.address)
    deployment = running()
    reconcile()
    alive = make_runner("r2", address=second.address)
    first.kill()
    reconcile()
    runners_judge({"r1"})
    dead.refresh_from_db()
    assert dead.state == "live"  # somebody has heard it just now
    silence(dead)
    runners_judge(set())
    dead.refresh_from_db()
    assert dead.state == "live"  # that nobody could ask it proves nothing
    runners_judge({"r1"})
    dead.refresh_from_db()
    route = routing.route_by_id(deployment.pk)
    assert dead.state == "dead"
    assert (route.runner_address, route.epoch, route.state) == (alive.address, 2, "ready")
    assert not Instance.objects.exists()
    deployment_inspect(deployment.pk)
    reconcile()
    assert Instance.objects.get().runner == alive


def test_a_runner_that_comes_back_is_alive_and_gives_way(start_runner: Callable[[str], RunnerProcess]) -> None:
    first, second = start_runner("r1"), start_runner("r2")
    back = make_runner("r1", address=first.address)
    deployment = running()
    make_runner("r2", address=second.address)
    # It was only cut off: everything moved, and it still holds its instance.
    Runner.objects.filter(pk=back.pk).update(state=Runner.Status.DEAD)
    place(deployment, Runner.objects.get(name="r2"), epoch=2)
    reconcile()
    back.refresh_from_db()
    assert back.state == "live"
    assert status(first.address).placements == []


def test_no_runner_left_leaves_placements_waiting() -> None:
    runner = make_runner()
    deployment = make_deployment(make_user(), state=State.RUNNING)
    place(deployment, runner)
    silence(runner)
    runners_judge({"r1"})
    route = routing.route_by_id(deployment.pk)
    assert (route.runner_address, route.state) == ("", "ready")
    assert "r1 doesn't answer" in route.reason


def test_a_runner_under_anothers_address_is_not_heard(runner_process: RunnerProcess) -> None:
    other = make_runner("other", address=runner_process.address)
    silence(other)
    reconcile()
    other.refresh_from_db()
    assert clock.now() - other.last_seen_at >= timedelta(seconds=10)


def test_records_older_than_the_runner_catch_up(runner_process: RunnerProcess) -> None:
    """After a restore from a backup, the runner would refuse every placement as older than its own."""
    make_runner(address=runner_process.address)
    deployment = running()
    _, placement = routing.placement_for(deployment.pk)
    RunnerPlacement.objects.update(epoch=7)
    _, newer = routing.placement_for(deployment.pk)
    ask(runner_process.address, control.Place(newer))
    RunnerPlacement.objects.update(epoch=placement.epoch)
    reconcile()
    assert routing.route_by_id(deployment.pk).epoch == 8


def test_strange_placements_are_let_go(runner_process: RunnerProcess) -> None:
    make_runner(address=runner_process.address)
    strange = Placement(deployment="not-a-uuid", label="x", version="v", epoch=1, argv=["true"])
    ask(runner_process.address, control.Place(strange))
    reconcile()
    assert status(runner_process.address).placements == []


@pytest.mark.parametrize("make", [make_queued, make_deployment])
def test_forgotten_jobs_are_queued_again_but_not_at_once(make: Callable[..., Deployment]) -> None:
    deployment = make(make_user())  # waits for its build, or for its first look
    version = deployment.versions.get()
    DeploymentVersion.objects.update(queued_at=clock.now() - LONG_AGO)
    reconcile()
    version.refresh_from_db()
    queued_at = version.queued_at
    assert clock.now() - queued_at < timedelta(seconds=10)
    reconcile()
    version.refresh_from_db()
    assert version.queued_at == queued_at
