"""One quota over two real runners: whatever each starts, together they never have more awake than the owner may."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec
import pytest
from django.db.models import Sum

from accounts.models import User
from events.actors import OPERATOR
from hosting import routing
from hosting.fleet.owner_shares import share_take, shares_balance
from hosting.fleet.reconciling import reconcile
from hosting.fleet.watch import runner_died
from hosting.models import Deployment, Instance, OwnerShare, Runner, RunnerPlacement
from hosting.quotas import quotas
from hosting.quotas.changes import quota_set
from hosting.runner import control
from hosting.runner.frames import EndRule, Kind, Reason
from hosting.runner.placement import Placement
from hosting.stream.links import runner_links
from hosting.stream.stream import DetachedError
from tests.factories import make_deployment, make_runner
from tests.hosting.conftest import READ_ONLY, RunnerProcess, server_argv
from tests.hosting.test_reconciling import status

pytestmark = pytest.mark.django_db
MIB = 1024 * 1024
LONG = {"name": "progress", "arguments": {"steps": 2, "pause": 600}}
Start = Callable[..., RunnerProcess]


@pytest.fixture
def runners(start_runner: Start) -> list[Runner]:
    return [make_runner(name, address=start_runner(name).address) for name in ("r1", "r2")]


def placed(owner: User, name: str, runner: Runner) -> Deployment:
    made = make_deployment(owner, name, argv=server_argv("legacy"), read_only=READ_ONLY)
    RunnerPlacement.objects.create(deployment=made, runner=runner)
    return made


def start(deployment: Deployment, who: str) -> str:
    """ "started", or why it was refused: a call as the endpoint makes it, of somebody with an instance of their own."""
    address, placement = routing.placement_for(deployment.pk)

    async def run() -> str:
        async with asyncio.timeout(60), runner_links() as pool:
            link = await pool.link(address)
            await link.ask(control.Place(placement))
            call = link.open(
                deployment=placement.deployment, epoch=placement.epoch, generation=placement.generation, owner=who,
                subject=who, isolation=who, method="tools/call",
                params=msgspec.json.encode(LONG), revision="2026-07-28",
                end=EndRule.KEEP, wants_progress=True,
            )  # fmt: skip
            try:
                while (event := await call.next()).kind is not Kind.PROGRESS:
                    assert event.kind is Kind.STATUS, event.data
            except DetachedError as error:
                assert error.reason == Reason.BUSY
                return error.detail
            return "started"

    return asyncio.run(run())


def awake(*runners: Runner) -> int:
    seen = [status(runner.address) for runner in runners]
    return sum(len(one.instances) for each in seen for one in each.placements)


def given() -> int:
    return int(OwnerShare.objects.aggregate(sum=Sum("instances"))["sum"] or 0)


def test_two_runners_never_have_more_awake_than_the_quota(alice: User, runners: list[Runner]) -> None:
    quota_set(actor=OPERATOR, owner=alice.name, awake_instances=4)
    here, there = (placed(alice, f"d{number}", runner) for number, runner in enumerate(runners))
    said = []
    for number in range(4):
        said += [start(here, f"a{number}"), start(there, f"b{number}")]
        assert given() <= 4 and awake(*runners) <= 4
    assert said.count("started") >= 3
    assert any("quota: awake instances" in words for words in said)
    for _ in range(3):  # what one had left goes to whom it was short
        reconcile()
        start(here, "last")
        assert given() <= 4
    assert awake(*runners) == 4 and Instance.objects.count() == 4
    assert quotas.used(alice.name).awake_instances == 4
    assert "quota: awake instances" in start(there, "one too many")


def test_a_runner_that_joins_gets_what_the_first_does_not_use(alice: User, runners: list[Runner]) -> None:
    quota_set(actor=OPERATOR, owner=alice.name, awake_instances=2)
    first, second = runners
    Runner.objects.filter(pk=second.pk).delete()
    here = placed(alice, "here", first)
    assert start(here, "a") == "started"
    assert given() == 2  # it was alone
    reconcile()
    second = make_runner("r2", address=second.address)
    there = placed(alice, "there", second)
    assert start(there, "b") == "started"
    assert given() == 2
    assert "quota: awake instances" in start(here, "c")


def test_memory_is_shared_out_too(alice: User, runners: list[Runner]) -> None:
    quota_set(actor=OPERATOR, owner=alice.name, memory_bytes=700 * MIB)
    here, there = (placed(alice, f"d{number}", runner) for number, runner in enumerate(runners))
    Deployment.objects.update(limits={"memory_bytes": 300 * MIB})
    assert start(here, "a") == start(there, "b") == "started"
    reconcile()
    assert "quota: memory of awake instances" in start(here, "c")
    assert OwnerShare.objects.aggregate(sum=Sum("memory_bytes"))["sum"] <= 700 * MIB


def test_what_is_not_placed_there_any_more_is_given_back(alice: User, runners: list[Runner]) -> None:
    here = placed(alice, "here", runners[0])
    start(here, "a")
    assert given() > 0
    RunnerPlacement.objects.update(runner=runners[1])
    reconcile()
    reconcile()
    assert given() == 0
    assert start(here, "a") == "started"


def test_a_dead_runners_share_is_free(alice: User, runners: list[Runner]) -> None:
    quota_set(actor=OPERATOR, owner=alice.name, awake_instances=1)
    here, there = (placed(alice, f"d{number}", runner) for number, runner in enumerate(runners))
    assert start(here, "a") == "started"
    reconcile()
    assert "quota: awake instances" in start(there, "b")
    Runner.objects.filter(pk=runners[0].pk).update(address="unix:/nowhere/r1.sock")  # it can't be reached
    assert "quota: awake instances" in start(there, "b")  # and counts by what it was seen to run
    runner_died(Runner.objects.get(pk=runners[0].pk))
    assert start(there, "b") == "started"


def test_a_lowered_quota_takes_shares_back(alice: User, runners: list[Runner]) -> None:
    here, there = (placed(alice, f"d{number}", runner) for number, runner in enumerate(runners))
    start(here, "a")
    start(there, "b")
    assert given() > 4
    quota_set(actor=OPERATOR, owner=alice.name, awake_instances=4)
    reconcile()
    assert 2 <= given() <= 4


def test_a_later_message_wins(alice: User, runners: list[Runner]) -> None:
    """A placement that was made before a share became smaller arrives after it."""
    quota_set(actor=OPERATOR, owner=alice.name, awake_instances=8)
    here = placed(alice, "here", runners[0])
    _, late = routing.placement_for(here.pk)
    assert late.owner_instances == 4
    OwnerShare.objects.update(instances=1, serial=late.share_serial + 1)
    order = control.SetShare("alice", 1, 10**12, late.share_serial + 1)

    async def tell(*orders: control.Operation) -> list[object]:
        async with runner_links() as pool:
            link = await pool.link(runners[0].address)
            return [await link.ask(one) for one in orders]

    asyncio.run(tell(order, control.Place(late)))
    assert start(here, "a") == "started"
    assert "of 1 that are left" in start_raw(here, late)


def start_raw(deployment: Deployment, placement: Placement) -> str:
    """A second start under a placement as it was."""
    address = Runner.objects.get(name="r1").address

    async def run() -> str:
        async with asyncio.timeout(60), runner_links() as pool:
            link = await pool.link(address)
            call = link.open(
                deployment=placement.deployment, epoch=placement.epoch, generation=placement.generation, owner="z",
                subject="z", isolation="z", method="tools/call", params=b'{"name":"count"}', revision="2026-07-28",
                end=EndRule.CANCEL,
            )  # fmt: skip
            with pytest.raises(DetachedError) as error:
                while True:
                    await call.next()
            return error.value.detail

    return asyncio.run(run())


def test_share_of_an_owner_who_is_alone_is_all(alice: User) -> None:
    runner = make_runner()
    row = share_take(alice.name, runner, 0)
    assert (row.instances, row.memory_bytes) == (
        quotas.allowed(alice.name).awake_instances, quotas.allowed(alice.name).memory_bytes,
    )  # fmt: skip
    shares_balance([])
    assert share_take(alice.name, runner, 0).serial == row.serial
