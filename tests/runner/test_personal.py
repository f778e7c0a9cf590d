"""Values that each user brings: in that user's instance alone, for one start, and hidden in all that it says."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from hosting.runner import control as c
from hosting.runner import frames as f
from hosting.runner.personal import Hidden
from hosting.runner.placement import Personal
from hosting.stream.stream import DetachedError
from tests.runner.conftest import LEGACY, Driver, placement

ALICES, BOBS = "alices-key-0001", "bobs-key-0002"


def own(subject: str, value: str, mark: str = "m1", **changes: Any) -> c.PlacePersonal:
    base = placement()
    personal = Personal(subject, mark, argv=base.argv, env={"KEY": value, "PLAIN": "x" + value[:3]}, masked=[value])
    return c.PlacePersonal("d1", changes.get("epoch", 1), changes.get("generation", 0), personal)


async def keys(driver: Driver, who: str, mark: str = "m1", name: str = "PLAIN") -> str:
    """What the instance of a modern client of `who` has."""
    call = driver.open(
        tool="environ", arguments={"name": name}, owner=f"{who} cli d1", isolation=f"{who} cli d1", subject=who,
        personal=mark,
    )  # fmt: skip
    return await call.text()


async def test_each_user_has_an_instance_with_that_users_values(driver: Driver) -> None:
    """Threat 26."""
    await driver.link.ask(c.Place(placement()))
    await driver.link.ask(own("alice", ALICES))
    await driver.link.ask(own("bob", BOBS))
    assert await keys(driver, "bob") == "xbob"
    assert await keys(driver, "alice") == "xali"
    assert await keys(driver, "bob") == "xbob"
    (seen,) = (await driver.link.ask(c.GetStatus())).placements
    assert len(seen.instances) == 2
    assert await driver.open(tool="environ", arguments={"name": "PLAIN"}, owner="eve").text() == ""


async def test_values_are_asked_for_before_each_start(driver: Driver) -> None:
    await driver.link.ask(c.Place(placement()))
    with pytest.raises(DetachedError) as refused:
        await keys(driver, "alice")
    assert refused.value.reason == f.Reason.UNPLACED
    await driver.link.ask(own("alice", ALICES))
    assert await keys(driver, "alice") == "xali"
    await driver.link.ask(c.ForgetPersonal("d1", "alice", "revoked"))
    with pytest.raises(DetachedError):
        await keys(driver, "alice")
    assert (await driver.link.ask(c.GetStatus())).placements[0].state != "failed"


async def test_a_mark_of_other_values_is_refused(driver: Driver) -> None:
    await driver.link.ask(c.Place(placement()))
    await driver.link.ask(own("alice", ALICES, "old"))
    with pytest.raises(DetachedError):
        await keys(driver, "alice", "new")
    await driver.link.ask(own("alice", "zzz-another", "new"))
    assert await keys(driver, "alice", "new") == "xzzz"


async def test_values_made_for_another_placement_are_refused(driver: Driver) -> None:
    await driver.link.ask(c.Place(placement()))
    stale: list[dict[str, Any]] = [{"epoch": 2}, {"generation": 1}]
    for wrong in stale:
        with pytest.raises(DetachedError) as refused:
            await driver.link.ask(own("alice", ALICES, **wrong))
        assert refused.value.reason == f.Reason.UNPLACED
    await driver.link.ask(own("alice", ALICES))
    await driver.link.ask(c.Place(placement(generation=1)))
    with pytest.raises(DetachedError):
        await driver.open(
            tool="count", owner="alice cli d1", isolation="alice", subject="alice", personal="m1", generation=1
        ).text()


async def test_a_session_without_an_instance_gets_one_with_its_first_call(driver: Driver) -> None:
    opened = c.OpenSession("s1", "alice cli d1", "d1", LEGACY, b"{}", b"{}", "alice")
    with pytest.raises(DetachedError):
        await driver.link.ask(opened)
    await driver.link.ask(c.Place(placement()))
    assert (await driver.link.ask(opened)).first
    channel = driver.link.attach("session:s1", owner="alice cli d1")
    await driver.link.ask(c.Tell("s1", "alice cli d1", "notifications/elicitation/complete", b'{"elicitationId":"e"}'))
    event = await channel.next()
    assert (event.kind, event.extra) == (f.Kind.NOTIFICATION, "notifications/elicitation/complete")
    with pytest.raises(DetachedError):
        await driver.link.ask(c.Tell("s1", "bob cli d1", "notifications/elicitation/complete", b"{}"))
    await driver.link.ask(own("alice", ALICES))
    call = driver.open(tool="environ", arguments={"name": "PLAIN"}, session="s1", owner="alice cli d1", personal="m1")
    assert await call.text() == "xali"


async def test_a_session_that_began_with_replaced_values_ends(driver: Driver) -> None:
    """Also where the runner was not told: the next call names another mark."""
    await driver.link.ask(c.Place(placement()))
    await driver.link.ask(own("alice", ALICES))
    await driver.session("s1", owner="alice cli d1", subject="alice", personal="m1")
    with pytest.raises(DetachedError) as ended:
        await driver.open(tool="who", session="s1", owner="alice cli d1", personal="m2").text()
    assert ended.value.reason == f.Reason.NO_SESSION


async def test_a_users_secret_is_hidden_in_results_errors_and_output(driver: Driver) -> None:
    """Threat 27."""
    await driver.link.ask(c.Place(placement()))
    await driver.link.ask(own("alice", ALICES))
    assert await keys(driver, "alice", name="KEY") == "[secret]"
    progress = driver.open(
        tool="log", arguments={"text": f"with {ALICES}"}, owner="alice cli d1", isolation="alice cli d1",
        subject="alice", personal="m1", log_level="debug",
    )  # fmt: skip
    await progress.outcome()
    logged = [event.data for event in progress.events if event.kind is f.Kind.LOG]
    assert logged and all(ALICES.encode() not in data and b"with [secret]" in data for data in logged)


@pytest.mark.parametrize("kind", ["masked", "tokens"])
async def test_a_start_that_fails_for_one_user_keeps_nobody_else_waiting(driver: Driver, kind: str) -> None:
    hidden: dict[str, Any] = {kind: [ALICES]}
    await driver.link.ask(c.Place(placement()))
    for attempt in range(3):
        broken = Personal("alice", f"m{attempt}", argv=["/bin/sh", "-c", f"echo {ALICES} >&2; exit 3"], **hidden)
        await driver.link.ask(c.PlacePersonal("d1", 1, 0, broken))
        call = driver.open("tools/list", owner="alice cli d1", subject="alice", personal=f"m{attempt}")
        event = await call.outcome()
        assert event.kind is f.Kind.ERROR and ALICES.encode() not in event.data and b"[secret]" in event.data
    await driver.link.ask(own("bob", BOBS))
    assert await keys(driver, "bob") == "xbob"
    status = repr(await driver.link.ask(c.GetStatus()))
    assert ALICES not in status and "[secret]" not in status, "the owner does not read what her instance said"


@pytest.mark.parametrize(
    ("value", "said", "shown"),
    [
        ("hunter2", {"a": ["x hunter2 y", {"hunter2": 1}]}, {"a": ["x [secret] y", {"[secret]": 1}]}),
        ('quo"te\nüber', {"a": 'quo"te\nüber'}, {"a": "[secret]"}),
        ("12345678", {"a": 12345678, "b": 1.5}, {"a": "[secret]", "b": 1.5}),
        ("true-ish", {"a": True}, {"a": True}),
    ],
)
def test_what_is_hidden_leaves_json(value: str, said: Any, shown: Any) -> None:
    for is_ascii in (True, False):
        raw = json.dumps(said, ensure_ascii=is_ascii).encode()
        assert msgspec.json.decode(Hidden([value]).raw(raw)) == shown


def test_an_escaped_slash_hides_nothing() -> None:
    assert Hidden(["a/b/c/d"]).raw(b'{"x":"a\\/b\\/c\\/d"}') == b'{"x":"[secret]"}'
    untouched = b'{ "x" :  1.0 }'
    assert Hidden(["a/b/c/d"]).raw(untouched) is untouched


async def test_calls_that_run_finish_when_their_users_token_was_renewed(driver: Driver) -> None:
    await driver.link.ask(c.Place(placement()))
    await driver.link.ask(own("alice", ALICES))
    await driver.session("s1", owner="alice cli d1", subject="alice", personal="m1")
    running = driver.open(tool="slow", arguments={"seconds": 1}, session="s1", owner="alice cli d1", personal="m1")
    with pytest.raises(DetachedError) as ended:
        await driver.open(tool="who", session="s1", owner="alice cli d1", personal="m2").text()
    assert ended.value.reason == f.Reason.NO_SESSION
    assert await running.text() == "done"
