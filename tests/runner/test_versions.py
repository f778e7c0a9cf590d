"""A newer version takes over: what began with the old one finishes there, what is new begins with the new one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from hosting.runner import control as c
from hosting.runner.frames import Kind, Reason
from hosting.stream.stream import DetachedError, RefusedError
from tests.runner.conftest import Driver, placement, until

OLD, NEW = placement(env={"VERSION": "old"}), placement(env={"VERSION": "new"}, version="v2", generation=1)


async def version(driver: Driver, **fields: Any) -> str:
    """Which version answers."""
    return await driver.open(tool="environ", arguments={"name": "VERSION"}, **fields).text()


async def versions_running(driver: Driver) -> list[str]:
    (placed,) = (await driver.link.ask(c.GetStatus())).placements
    return sorted(i.version for i in placed.instances if i.state == "running")


async def refused(call: Any) -> DetachedError:
    with pytest.raises(DetachedError) as caught:
        await call.outcome()
    return caught.value


async def until_running(driver: Driver, *versions: str) -> None:
    async def are_running() -> bool:
        return await versions_running(driver) == sorted(versions)

    await until(are_running)


async def test_sessions_calls_and_questions_finish_on_the_version_they_began_with(driver: Driver) -> None:
    await driver.link.ask(c.Place(OLD))
    await driver.session("s1", capabilities=b'{"elicitation":{}}')
    running = driver.open(tool="slow", arguments={"seconds": 1.5})
    asked = driver.open(tool="ask", capabilities=b'{"elicitation":{}}', owner="bob", isolation="bob")
    question = await asked.until(Kind.INPUT_REQUESTED)
    assert (await driver.link.ask(c.Place(NEW))).first
    assert await version(driver, session="s1") == "old"
    assert await version(driver, session="s1", generation=1) == "old"
    assert await version(driver) == "new"
    await driver.session("s2")
    assert await version(driver, session="s2") == "new"
    assert await running.text() == "done"
    exchange = asked.attachment.exchange
    answer = c.Answer(owner="bob", key=question.extra, exchange=exchange, result=b'{"action":"cancel"}')
    assert (await driver.link.ask(answer)).first
    assert await asked.text() == '{"action": "cancel"}'
    await driver.link.ask(c.EndSession("s1", "alice"))
    await until_running(driver, "v2", "v2")


async def test_what_does_not_end_is_ended_at_the_deadline(driver: Driver) -> None:
    await driver.link.ask(c.Place(OLD))
    await driver.session("s1")
    call = driver.open(tool="slow", arguments={"seconds": 60}, session="s1")
    assert await version(driver, session="s1") == "old"
    await driver.link.ask(c.Place(msgspec.structs.replace(NEW, drain_seconds=1.0)))
    outcome = await call.outcome()
    assert outcome.kind is Kind.ERROR
    assert b"a newer version has taken over" in outcome.data
    assert (await refused(driver.open(tool="count", session="s1"))).reason == Reason.NO_SESSION


async def test_idle_instances_of_the_old_version_end_at_once(driver: Driver) -> None:
    await driver.link.ask(c.Place(OLD))
    assert await version(driver) == "old"
    await driver.link.ask(c.Place(NEW))
    await until_running(driver)


async def test_one_who_knows_of_a_newer_version_than_is_placed_has_it_placed_first(driver: Driver) -> None:
    await driver.link.ask(c.Place(OLD))
    assert (await refused(driver.open("tools/list", generation=1))).reason == Reason.UNPLACED
    await driver.link.ask(c.Place(NEW))
    assert await version(driver, generation=1) == "new"
    assert not (await driver.link.ask(c.Place(OLD))).first  # a web process that was slow
    assert await version(driver) == "new"


async def test_room_is_made_for_the_new_version(driver: Driver) -> None:
    await driver.link.ask(c.Place(msgspec.structs.replace(OLD, max_instances=1)))
    await driver.session("s1")
    await driver.link.ask(c.Place(msgspec.structs.replace(NEW, max_instances=1)))
    await driver.session("s2")
    assert await version(driver, session="s1") == "old"
    assert await version(driver, session="s2") == "new"


async def test_after_a_move_elsewhere_and_back_everything_old_has_ended(driver: Driver) -> None:
    await driver.link.ask(c.Place(OLD))
    await driver.session("s1")
    call = driver.open(tool="slow", arguments={"seconds": 60}, session="s1")
    await driver.link.ask(c.Place(msgspec.structs.replace(OLD, epoch=3)))
    assert (await call.outcome()).kind is Kind.ERROR
    assert (await refused(driver.open(tool="count", session="s1", epoch=3))).reason == Reason.NO_SESSION


async def test_the_older_of_two_holders_gives_way_before_it_takes_a_call(start_runner: Callable[..., Any]) -> None:
    """Split brain: the site took a deployment from a runner that it could not reach, and that never heard of it."""
    older, newer = await start_runner(name="r1"), await start_runner(name="r2")
    await older.link.ask(c.Place(OLD))
    await older.session("s1")
    running = older.open(tool="slow", arguments={"seconds": 60}, session="s1")
    await newer.link.ask(c.Place(msgspec.structs.replace(OLD, epoch=2)))
    assert (await refused(older.open(tool="count", session="s1", epoch=2))).reason == Reason.UNPLACED
    assert (await running.outcome()).kind is Kind.ERROR
    status = await older.link.ask(c.GetStatus())
    assert status.placements == []
    with pytest.raises(RefusedError):
        await newer.link.ask(c.Place(OLD))
    assert await version(newer, epoch=2) == "old"


async def test_a_restart_in_place_keeps_both_versions(driver: Driver) -> None:
    await driver.link.ask(c.Place(OLD))
    await driver.session("s1")
    await driver.link.ask(c.Place(NEW))
    await driver.session("s2")
    await driver.link.ask(c.Restart())

    async def is_restarted() -> bool:
        return bool((await driver.link.ask(c.GetStatus())).restarts)

    await until(is_restarted)
    assert await version(driver, session="s1") == "old"
    assert await version(driver, session="s2") == "new"
    (placed,) = (await driver.link.ask(c.GetStatus())).placements
    assert placed.reason == "running: 2 instances, 1 of an earlier version"
