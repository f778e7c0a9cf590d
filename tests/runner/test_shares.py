"""An owner's share of a runner: at the boundary, over all the owner's deployments, two at once; others untouched."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from hosting.runner import control as c
from hosting.runner import frames as f
from hosting.runner.placement import Limits
from hosting.stream.stream import DetachedError
from tests.runner.conftest import Driver, placement, until

MIB = 1024 * 1024


async def place(driver: Driver, name: str, owner: str = "alice", **changes: object) -> None:
    values: dict[str, Any] = {"deployment": name, "label": f"{owner}/{name}", "owner": owner, **changes}
    await driver.link.ask(c.Place(placement(**values)))


async def refused(driver: Driver, name: str, session: str) -> str:
    with pytest.raises(DetachedError) as error:
        await driver.open("initialize", session=session, deployment=name).outcome()
    assert error.value.reason == f.Reason.BUSY
    return error.value.detail


async def test_instances_of_all_deployments_count(driver: Driver) -> None:
    for name in ("a", "b"):
        await place(driver, name, owner_instances=2)
    await place(driver, "c", owner="bob", owner_instances=1)
    await driver.session("s1", deployment="a")
    await driver.session("s2", deployment="b")
    for name in ("a", "b"):
        words = await refused(driver, name, "s3")
        assert "quota: awake instances" in words and "./manage.py quota alice --awake-instances" in words
    await driver.session("s4", deployment="c")  # another's share
    await driver.link.ask(c.EndSession(session="s1", owner="alice"))

    async def is_gone() -> bool:
        return sum(len(one.instances) for one in (await driver.link.ask(c.GetStatus())).placements) == 2

    await until(is_gone)
    await driver.session("s5", deployment="b")


async def test_memory_counts_as_it_is_allowed(driver: Driver) -> None:
    limits = Limits(memory_bytes=256 * MIB)
    for name in ("a", "b"):
        await place(driver, name, limits=limits, owner_memory_bytes=512 * MIB)
    await driver.session("s1", deployment="a")
    await driver.session("s2", deployment="b")
    assert "512 MiB of 512 MiB" in await refused(driver, "a", "s3")


async def test_a_quiet_instance_gives_way_whichever_deployment_it_is_of(driver: Driver) -> None:
    for name in ("a", "b"):
        await place(driver, name, owner_instances=1, spare_seconds=0.2)
    await driver.session("s1", deployment="a")
    await asyncio.sleep(0.4)
    await driver.session("s2", deployment="b")
    with pytest.raises(DetachedError) as ended:
        await driver.open("tools/call", "echo", session="s1", deployment="a").outcome()
    assert ended.value.reason == f.Reason.NO_SESSION


async def test_of_two_at_once_one_starts(driver: Driver) -> None:
    for name in ("a", "b"):
        await place(driver, name, owner_instances=1)
    calls = [driver.open("initialize", session=f"s-{name}", deployment=name) for name in ("a", "b")]
    found = await asyncio.gather(*(call.outcome() for call in calls), return_exceptions=True)
    assert sorted(type(one).__name__ for one in found) == ["DetachedError", "Event"]


async def test_nothing_is_left_where_others_use_it_all(driver: Driver) -> None:
    await place(driver, "a", owner_instances=0)
    assert "0 instances awake here of 0" in await refused(driver, "a", "s1")
