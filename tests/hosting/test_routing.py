"""Routes, placements and their epochs."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

from accounts.models import Membership
from accounts.services import organization_create
from common import ids
from common.errors import NotFound, Unavailable
from events.actors import OPERATOR
from hosting import routing
from hosting.access.members import member_add
from hosting.fleet.placing import placement_ensure, placement_renew, placements_drain, placements_move_from
from hosting.models import Deployment, DeploymentVersion, Environment, Runner
from hosting.services import deployment_deploy
from hosting.states import State
from tests.factories import make_deployment, make_queued, make_runner, make_user, place

pytestmark = pytest.mark.django_db


def test_route_says_what_a_call_needs() -> None:
    alice, bob = make_user("Alice"), make_user("bob")
    deployment = make_deployment(alice, "Time")
    member_add(actor=OPERATOR, deployment=deployment, user=bob)
    runner = make_runner()
    place(deployment, runner, epoch=3)
    route = routing.route_for("aLICE", "TIME")
    assert route == routing.Route(
        deployment_id=str(deployment.pk),
        version_id=str(deployment.current_version_id),
        owner="Alice",
        name="Time",
        access="private",
        member_ids=frozenset({str(alice.pk), str(bob.pk)}),
        state="ready",
        reason="",
        epoch=3,
        runner_address=runner.address,
        resource=f"{settings.SLIPWAY_URL}/mcp/alice/time",
        isolation="session",
        has_tasks=True,
        hand_off_seconds=deployment.hand_off_seconds,
        serves_meanwhile=True,
    )
    assert route.is_callable


def test_members_of_an_organization_are_members_of_its_deployments() -> None:
    alice, bob = make_user("alice"), make_user("bob")
    acme = organization_create(actor=OPERATOR, name="acme", owner=alice)
    Membership.objects.create(organization=acme, user=bob)
    deployment = make_deployment(alice)
    Deployment.objects.filter(pk=deployment.pk).update(owner=acme.name)
    route = routing.route_for("acme", "time")
    assert route is not None
    assert route.member_ids == {str(alice.pk), str(bob.pk)}
    bob.is_active = False
    bob.save()
    again = routing.route_for("acme", "time")
    assert again is not None
    assert again.member_ids == {str(alice.pk)}


@pytest.mark.parametrize(
    ("owner", "name"), [("alice", "other"), ("bob", "time"), ("", ""), ("alice\0", "time"), ("é", "ß")]
)
def test_unknown_routes_are_none(owner: str, name: str) -> None:
    make_deployment(make_user("alice"))
    assert routing.route_for(owner, name) is None


def test_deleted_ones_have_no_route() -> None:
    deployment = make_deployment(make_user(), state=State.DELETING)
    assert routing.route_for("alice", "time") is None
    for find in (routing.route_by_id, routing.placement_for, placement_ensure):
        with pytest.raises(NotFound):
            find(deployment.pk)


@pytest.mark.parametrize(
    ("state", "code", "words"),
    [
        (State.QUEUED, "building", "still being built"),
        (State.BUILDING, "building", "still being built"),
        (State.STOPPED, "stopped", "stopped by its owner"),
    ],
)
def test_what_cant_be_called_says_why(state: State, code: str, words: str) -> None:
    deployment = make_deployment(make_user(), state=state)
    DeploymentVersion.objects.update(built_at=None)
    make_runner()
    for find in (routing.placement_for, placement_ensure):
        with pytest.raises(Unavailable, match=words) as caught:
            find(deployment.pk)
        assert caught.value.code == code


@pytest.mark.parametrize("state", [State.QUEUED, State.BUILDING])
def test_while_a_newer_version_is_built_the_present_one_serves(state: State) -> None:
    deployment = make_deployment(make_user())
    make_runner()
    deployment_deploy(actor=OPERATOR, deployment=deployment, reference="pypi:demo==2.0")
    Deployment.objects.update(state=state)
    assert placement_ensure(deployment.pk).is_callable
    assert routing.placement_for(deployment.pk)[1].version == str(deployment.current_version_id)


@pytest.mark.parametrize(
    "changes", [{"built_at": None}, {"environment__state": Environment.Status.REMOVED}, {"environment": None}]
)
def test_one_that_is_itself_built_again_does_not_serve(changes: dict[str, Any]) -> None:
    deployment = make_deployment(make_user(), state=State.BUILDING)
    make_runner()
    if "environment__state" in changes:
        Environment.objects.update(state=changes["environment__state"])
    else:
        DeploymentVersion.objects.update(**changes)
    with pytest.raises(Unavailable, match="still being built"):
        placement_ensure(deployment.pk)


def test_a_failed_build_cant_be_called_but_a_failed_start_can() -> None:
    alice = make_user()
    make_runner()
    unbuilt = make_queued(alice, "unbuilt")
    Deployment.objects.filter(pk=unbuilt.pk).update(state=State.FAILED, reason="no such package")
    with pytest.raises(Unavailable, match="no such package"):
        placement_ensure(unbuilt.pk)
    assert placement_ensure(make_deployment(alice, state=State.FAILED).pk).is_callable


def test_placement_is_what_the_runner_needs() -> None:
    deployment = make_deployment(
        make_user(), argv=["/env/bin/server"], env={"A": "b"}, read_only=["/env"], era="legacy"
    )
    Deployment.objects.filter(pk=deployment.pk).update(limits={"processes": 8}, isolation="shared")
    with pytest.raises(Unavailable, match="isn't placed"):
        routing.placement_for(deployment.pk)
    runner = make_runner()
    route = placement_ensure(deployment.pk)
    address, placement = routing.placement_for(str(deployment.pk))
    assert address == runner.address == route.runner_address
    assert (placement.deployment, placement.version, placement.label) == (
        str(deployment.pk),
        str(deployment.current_version_id),
        "alice/time",
    )
    assert (placement.argv, placement.env, placement.read_only) == (["/env/bin/server"], {"A": "b"}, ["/env"])
    assert (placement.epoch, placement.era, placement.isolation) == (1, "legacy", "shared")
    assert placement.limits.processes == 8
    assert placement.limits.memory_bytes == 512 * 2**20


def test_the_least_loaded_living_runner_is_chosen() -> None:
    alice = make_user()
    make_runner("dead", state=Runner.Status.DEAD)
    make_runner("draining", draining=True)
    busy, idle = make_runner("busy"), make_runner("idle")
    place(make_deployment(alice, "first"), busy)
    assert placement_ensure(make_deployment(alice, "second").pk).runner_address == idle.address


def test_a_placement_that_is_good_stays() -> None:
    deployment = make_deployment(make_user())
    make_runner("r1")
    first = placement_ensure(deployment.pk)
    make_runner("r0")
    assert placement_ensure(deployment.pk) == first


@pytest.mark.parametrize("by", ["name", "address"])
def test_a_runner_that_cant_be_reached_is_passed_over(by: str) -> None:
    deployment = make_deployment(make_user())
    first, second = make_runner("r1"), make_runner("r2")
    place(deployment, first, epoch=7)
    route = placement_ensure(deployment.pk, exclude_runner=getattr(first, by))
    assert (route.runner_address, route.epoch) == (second.address, 8)
    Runner.objects.filter(pk=first.pk).update(state=Runner.Status.DEAD)
    with pytest.raises(Unavailable, match="No runner"):
        placement_ensure(deployment.pk, exclude_runner=second.name)
    assert routing.route_by_id(deployment.pk).epoch == 8


def test_a_dead_runners_address_is_no_route() -> None:
    deployment = make_deployment(make_user())
    place(deployment, make_runner(state=Runner.Status.DEAD))
    assert routing.route_by_id(deployment.pk).runner_address == ""


def test_everything_moves_from_a_dead_runner() -> None:
    alice = make_user()
    dead, alive = make_runner("dead", state=Runner.Status.DEAD), make_runner("alive")
    deployments = [make_deployment(alice, f"s{number}") for number in range(3)]
    for deployment in deployments:
        place(deployment, dead, epoch=2)
    assert set(placements_move_from(dead)) == {deployment.pk for deployment in deployments}
    for deployment in deployments:
        route = routing.route_by_id(deployment.pk)
        assert (route.runner_address, route.epoch) == (alive.address, 3)


def test_a_new_version_is_a_new_generation_on_the_same_runner() -> None:
    deployment = make_deployment(make_user())
    runner = make_runner()
    before = placement_ensure(deployment.pk)
    placement_renew(deployment)
    after = routing.route_by_id(deployment.pk)
    assert (after.runner_address, after.epoch) == (runner.address, before.epoch)
    assert after.generation == before.generation + 1


def test_a_route_asks_the_database_little(django_assert_max_num_queries: Any) -> None:
    deployment = make_deployment(make_user())
    place(deployment, make_runner())
    routing.route_for("alice", "time")  # its tool policy is kept from here on
    with django_assert_max_num_queries(4):  # itself, members, what the policy follows from, tasks
        routing.route_for("alice", "time")


@pytest.mark.django_db(transaction=True)
def test_callers_at_once_agree_on_one_runner_and_epoch() -> None:
    deployment = make_deployment(make_user())
    make_runner("r1")
    make_runner("r2")
    start = threading.Barrier(6)
    routes: list[routing.Route] = []

    def ensure() -> None:
        start.wait()
        try:
            routes.append(placement_ensure(deployment.pk))
        finally:
            connection.close()

    threads = [threading.Thread(target=ensure) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {(route.runner_address, route.epoch) for route in routes} == {(routes[0].runner_address, 1)}
    assert len(routes) == 6


def test_unknown_id() -> None:
    with pytest.raises(NotFound):
        placement_ensure(ids.new_uuid())


def test_the_runner_with_the_most_free_memory_takes_it() -> None:
    make_runner("full", memory_bytes=90, memory_limit_bytes=100)
    free = make_runner("free", memory_bytes=10, memory_limit_bytes=100, instances_seen=50)
    assert placement_ensure(make_deployment(make_user()).pk).runner_address == free.address


def test_with_as_much_memory_the_one_that_runs_less_takes_it() -> None:
    make_runner("busy", memory_bytes=12, memory_limit_bytes=100, instances_seen=5)
    quiet = make_runner("quiet", memory_bytes=18, memory_limit_bytes=100, instances_seen=1)
    assert placement_ensure(make_deployment(make_user()).pk).runner_address == quiet.address


def test_many_at_once_are_spread_although_nobody_has_looked_yet() -> None:
    runners = [make_runner(f"r{number}") for number in range(3)]
    owner = make_user()
    placed = [placement_ensure(make_deployment(owner, f"d{number}").pk).runner_address for number in range(6)]
    assert sorted(placed) == sorted([runner.address for runner in runners] * 2)


def test_a_drained_runner_is_given_nothing_and_loses_what_it_has() -> None:
    drained, other = make_runner("r1"), make_runner("r2")
    deployment = make_deployment(make_user())
    place(deployment, drained, epoch=4)
    Runner.objects.filter(pk=drained.pk).update(draining=True)
    assert placements_drain(drained) == [deployment.pk]
    route = routing.route_by_id(deployment.pk)
    assert (route.runner_address, route.epoch) == (other.address, 5)


def test_the_last_runner_keeps_what_it_has_when_it_is_drained() -> None:
    runner = make_runner("r1", draining=True)
    deployment = make_deployment(make_user())
    place(deployment, runner, epoch=4)
    assert placements_drain(runner) == []
    assert routing.route_by_id(deployment.pk).epoch == 4


@pytest.mark.parametrize(
    ("isolation", "is_anonymous", "traces"),
    [("session", True, True), ("shared", False, True), ("shared", True, False)],
)
def test_an_instance_that_anonymous_callers_share_is_not_traced(
    isolation: str, is_anonymous: bool, traces: bool
) -> None:
    deployment = make_deployment(make_user())
    place(deployment, make_runner())
    Deployment.objects.update(traces_bodies=True, isolation=isolation, is_anonymous=is_anonymous)
    assert routing.placement_for(deployment.pk)[1].trace_bodies is traces
