"""The rules of an exchange, with a real runner and real children in the sandbox."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from hosting.runner import control as c
from hosting.runner.frames import EndRule, Kind, Mode, Reason
from hosting.runner.placement import Limits
from hosting.stream.stream import DetachedError, RefusedError
from tests.runner.conftest import MODERN, SECONDS, Call, Driver, placement


async def refused(call: Call) -> str:
    with pytest.raises(DetachedError) as caught:
        await call.outcome()
    return caught.value.reason


async def test_nothing_runs_before_it_is_placed(driver: Driver) -> None:
    assert await refused(driver.open("tools/list")) == Reason.UNPLACED


async def test_an_older_or_newer_epoch_than_the_placed_one_is_refused(driver: Driver) -> None:
    await driver.link.ask(c.Place(placement(epoch=5)))
    for epoch in (4, 6):
        assert await refused(driver.open("tools/list", epoch=epoch)) == Reason.UNPLACED
    with pytest.raises(RefusedError):
        await driver.link.ask(c.Place(placement(epoch=4)))


async def test_an_exchange_of_another_boot_is_lost(driver: Driver) -> None:
    await driver.link.ask(c.Place(placement()))
    attachment = driver.link.attach("r1.00000000.abc", owner="alice")
    assert await refused(Call(attachment)) == Reason.LOST


async def test_opened_twice_it_runs_once_and_the_newest_holds_the_wire(driver: Driver) -> None:
    await driver.link.ask(c.Place(placement()))
    first = driver.open(tool="slow", arguments={"seconds": 0.5}, exchange="same")
    second = driver.open(tool="slow", arguments={"seconds": 0.5}, exchange="same")
    assert await refused(first) == Reason.SUPERSEDED
    assert await second.text() == "done"
    assert await driver.open(tool="count").text() == "1"


async def test_another_owner_can_neither_follow_nor_answer_nor_cancel(driver: Driver) -> None:
    await driver.link.ask(c.Place(placement()))
    call = driver.open(tool="ask", exchange="mine", capabilities=b'{"elicitation":{}}')
    question = await call.until(Kind.INPUT_REQUESTED)
    name = call.attachment.exchange
    assert await refused(Call(driver.link.attach(name, owner="mallory"))) == Reason.FORBIDDEN
    for operation in (
        c.Answer(owner="mallory", key=question.extra, exchange=name, result=b"{}"),
        c.Cancel(exchange=name, owner="mallory"),
    ):
        with pytest.raises(RefusedError):
            await driver.link.ask(operation)
    await driver.link.ask(c.Answer(owner="alice", key=question.extra, exchange=name, result=b'{"action":"decline"}'))
    assert await call.text() == '{"action": "decline"}'


async def test_a_modern_call_is_cancelled_when_its_client_goes(driver: Driver) -> None:
    await driver.link.ask(c.Place(placement()))
    call = driver.open(tool="slow", arguments={"seconds": 30}, exchange="x")
    page = Call(driver.link.attach(call.attachment.exchange, owner="alice", mode=Mode.OBSERVE))
    await asyncio.sleep(0.3)
    call.attachment.close(gone=True)
    assert (await page.outcome()).kind is Kind.CANCELLED


async def test_a_modern_call_is_cancelled_when_its_web_process_dies(driver: Driver) -> None:
    await driver.link.ask(c.Place(placement()))
    call = driver.open(tool="slow", arguments={"seconds": 30}, exchange="x")
    await asyncio.sleep(0.3)
    await driver.reconnect()
    again = Call(driver.link.attach(call.attachment.exchange, owner="alice"))
    assert (await again.outcome()).kind is Kind.CANCELLED


async def test_a_legacy_call_goes_on_when_its_web_process_dies_and_another_resumes_it(driver: Driver) -> None:
    await driver.link.ask(c.Place(placement()))
    await driver.session()
    call = driver.open(
        tool="progress", arguments={"steps": 4, "pause": 0.3}, session="s1", exchange="x", wants_progress=True
    )
    first = await call.until(Kind.PROGRESS)
    await driver.reconnect()
    again = Call(driver.link.attach(call.attachment.exchange, owner="alice", after=first.seq))
    assert (await again.outcome()).kind is Kind.RESULT
    assert [event.seq for event in again.events] == list(range(first.seq + 1, first.seq + 5))


async def test_a_cancelled_call_says_nothing_more(driver: Driver) -> None:
    await driver.link.ask(c.Place(placement()))
    await driver.session()
    call = driver.open(tool="slow", arguments={"seconds": 0.4}, session="s1", exchange="x")
    await asyncio.sleep(0.1)
    await driver.link.ask(c.Cancel(exchange=call.attachment.exchange, owner="alice", reason="enough"))
    outcome = await call.outcome()
    assert (outcome.kind, outcome.extra) == (Kind.CANCELLED, "enough")
    await asyncio.sleep(0.6)
    assert await driver.open(tool="echo", arguments={"text": "still here"}, session="s1").text() == "still here"


async def test_a_question_is_answered_once(driver: Driver) -> None:
    await driver.link.ask(c.Place(placement()))
    await driver.session(capabilities=b'{"elicitation":{}}')
    call = driver.open(tool="ask", session="s1")
    question = await call.until(Kind.INPUT_REQUESTED)
    assert msgspec.json.decode(question.data)["method"] == "elicitation/create"
    answer = c.Answer(owner="alice", session="s1", key=question.extra, result=b'{"action":"cancel"}')
    assert (await driver.link.ask(answer)).first
    assert not (await driver.link.ask(answer)).first
    assert await call.text() == '{"action": "cancel"}'


async def test_a_parked_question_does_not_delay_another_call(driver: Driver) -> None:
    await driver.link.ask(c.Place(placement()))
    parked = driver.open(tool="ask", exchange="x", capabilities=b'{"elicitation":{}}')
    question = await parked.until(Kind.INPUT_REQUESTED)
    parked.attachment.close()
    other = driver.open(tool="echo", arguments={"text": "hi"}, capabilities=b'{"elicitation":{}}')
    assert await other.text() == "hi"
    (seen,) = (await driver.link.ask(c.GetStatus())).placements
    assert len(seen.instances) == 2
    again = Call(driver.link.attach(parked.attachment.exchange, owner="alice", after=question.seq))
    await driver.link.ask(
        c.Answer(owner="alice", exchange=parked.attachment.exchange, key=question.extra, result=b'{"action":"accept"}')
    )
    assert await again.text() == '{"action": "accept"}'


async def test_a_parked_question_is_given_up_in_time(driver: Driver) -> None:
    await driver.link.ask(c.Place(placement(question_seconds=0.2)))
    parked = driver.open(tool="ask", exchange="x", capabilities=b'{"elicitation":{}}')
    question = await parked.until(Kind.INPUT_REQUESTED)
    page = Call(driver.link.attach(parked.attachment.exchange, owner="alice", after=question.seq, mode=Mode.OBSERVE))
    parked.attachment.close()
    outcome = await page.outcome()
    assert (outcome.kind, outcome.extra) == (Kind.CANCELLED, "its question was not answered in time")


async def test_a_question_outside_of_any_call_goes_to_the_channel(driver: Driver) -> None:
    await driver.link.ask(c.Place(placement()))
    await driver.session(capabilities=b'{"roots":{}}')
    channel = Call(driver.link.attach("session:s1", owner="alice"))
    await driver.open(tool="later", session="s1").text()
    question = await channel.until(Kind.INPUT_REQUESTED)
    assert msgspec.json.decode(question.data)["method"] == "roots/list"
    await driver.link.ask(c.Answer(owner="alice", session="s1", key=question.extra, result=b'{"roots":[]}'))
    assert await driver.open(tool="asked", session="s1").text() == '[{"roots": []}]'


async def test_another_owner_can_neither_hear_nor_tell_nor_end_a_session(driver: Driver) -> None:
    """Threats 28 and 29: a web process that let somebody past the seal of a session's id would get nothing here."""
    await driver.link.ask(c.Place(placement()))
    await driver.session(capabilities=b'{"roots":{}}')
    channel = Call(driver.link.attach("session:s1", owner="alice"))
    await driver.open(tool="later", session="s1").text()
    question = await channel.until(Kind.INPUT_REQUESTED)
    async with asyncio.timeout(30):  # who may listen would wait
        assert await refused(Call(driver.link.attach("session:s1", owner="mallory"))) == Reason.FORBIDDEN
    for operation in (
        c.Answer(owner="mallory", session="s1", key=question.extra, result=b'{"roots":[]}'),
        c.Notify(session="s1", owner="mallory", method="notifications/roots/list_changed"),
        c.Tell(session="s1", owner="mallory", method="notifications/tasks/status", params=b"{}"),
        c.EndSession("s1", "mallory"),
    ):
        with pytest.raises(RefusedError) as caught:
            await driver.link.ask(operation)
        assert caught.value.reason == Reason.NO_SESSION
    await driver.link.ask(c.Answer(owner="alice", session="s1", key=question.extra, result=b'{"roots":[]}'))
    assert await driver.open(tool="asked", session="s1").text() == '[{"roots": []}]'


async def test_a_question_that_nobody_hears_is_refused_in_time(driver: Driver) -> None:
    await driver.link.ask(c.Place(placement(question_seconds=0.2)))
    await driver.session(capabilities=b'{"roots":{}}')
    await driver.open(tool="later", session="s1").text()
    async with asyncio.timeout(30):
        while "did not answer in time" not in await driver.open(tool="asked", session="s1").text():
            pass


async def test_a_question_the_client_did_not_offer_to_answer_is_refused(driver: Driver) -> None:
    await driver.link.ask(c.Place(placement()))
    await driver.session(capabilities=b"{}")
    assert "does not offer elicitation/create" in await driver.open(tool="ask", session="s1").text()


async def test_sessions_have_instances_of_their_own_and_end_with_them(driver: Driver) -> None:
    await driver.link.ask(c.Place(placement()))
    await driver.session("s1")
    await driver.session("s2", owner="bob")
    await driver.open(tool="slow", arguments={"seconds": 0}, session="s1").text()
    assert await driver.open(tool="count", session="s1").text() == "1"
    assert await driver.open(tool="count", session="s2", owner="bob").text() == "0"
    assert await refused(driver.open(tool="count", session="s1", owner="bob")) == Reason.NO_SESSION
    await driver.link.ask(c.EndSession("s1", "alice"))
    assert await refused(driver.open(tool="count", session="s1")) == Reason.NO_SESSION
    crashed = await driver.open(tool="crash", session="s2", owner="bob").outcome()
    assert crashed.kind is Kind.ERROR
    assert b"exited with code 3" in crashed.data
    assert b"about to crash" in crashed.data
    assert await refused(driver.open(tool="count", session="s2", owner="bob")) == Reason.NO_SESSION


async def test_a_session_channel_carries_what_belongs_to_no_call(driver: Driver) -> None:
    await driver.link.ask(c.Place(placement()))
    await driver.session()
    channel = Call(driver.link.attach("session:s1", owner="alice"))
    await driver.link.ask(c.EndSession("s1", "alice"))
    assert await refused(channel) == Reason.NO_SESSION


async def test_idle_instances_stop_and_the_next_call_starts_one(driver: Driver) -> None:
    await driver.link.ask(c.Place(placement(idle_seconds=0.2)))
    feed = Call(driver.link.attach("feed:d1", owner="system", mode=Mode.OBSERVE))
    assert await driver.open(tool="echo", arguments={"text": "1"}).text() == "1"
    async with asyncio.timeout(SECONDS):
        while msgspec.json.decode((await feed.until(Kind.INSTANCE)).data)["state"] != "stopped":
            pass
    (seen,) = (await driver.link.ask(c.GetStatus())).placements
    assert (seen.state, seen.instances) == ("asleep", [])
    assert await driver.open(tool="echo", arguments={"text": "2"}).text() == "2"


async def test_at_the_limit_the_session_quiet_longest_gives_way(driver: Driver) -> None:
    await driver.link.ask(c.Place(placement(max_instances=2, spare_seconds=0.2)))
    await driver.session("s1")
    await driver.session("s2")
    running = driver.open(tool="slow", arguments={"seconds": 4}, session="s1")
    other = driver.open(tool="slow", arguments={"seconds": 0.5}, session="s2")
    crowded = driver.open("initialize", session="s3")
    with pytest.raises(DetachedError, match="all of its 2 instances are in use"):
        await crowded.outcome()
    assert await other.text() == "done"
    await asyncio.sleep(0.3)
    await driver.session("s4")
    assert await refused(driver.open(tool="echo", session="s2")) == Reason.NO_SESSION
    assert await running.text() == "done"


async def test_a_newer_placement_replaces_the_older_one(driver: Driver) -> None:
    await driver.link.ask(c.Place(placement()))
    await driver.session()
    await driver.link.ask(c.Place(placement(epoch=2, version="v2")))
    assert await refused(driver.open(tool="echo", session="s1", epoch=2)) == Reason.NO_SESSION
    assert await driver.open(tool="echo", arguments={"text": "new"}, epoch=2).text() == "new"
    assert not (await driver.link.ask(c.Unplace("d1", 1))).first
    assert (await driver.link.ask(c.Unplace("d1", 2))).first
    assert await refused(driver.open(tool="echo", epoch=2)) == Reason.UNPLACED


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        ("rubbish", "printed what is no JSON-RPC message: 'Welcome to my server!'"),
        ("exit", "exited with code 1"),
        ("hang", "did not answer"),
    ],
)
async def test_a_server_that_misbehaves_at_its_start_is_quoted(driver: Driver, mode: str, words: str) -> None:
    seconds = {"rubbish": 6, "exit": SECONDS, "hang": 2}[mode]  # which the first and the last use up
    await driver.link.ask(c.Place(placement(env={"SERVER_MODE": mode}, start_seconds=seconds)))
    outcome = await driver.open(tool="echo").outcome()
    assert outcome.kind is Kind.ERROR
    message = msgspec.json.decode(outcome.data)["message"]
    assert words in message
    if mode == "exit":
        assert "SETTING_X is missing" in message
    (seen,) = (await driver.link.ask(c.GetStatus())).placements
    assert seen.state == "failed"
    assert words in seen.reason


async def test_a_start_that_is_called_off_ends_its_calls(driver: Driver) -> None:
    await driver.link.ask(c.Place(placement(env={"SERVER_MODE": "hang"})))
    call = driver.open(tool="echo")
    await asyncio.sleep(0.3)
    await driver.link.ask(c.Unplace("d1", 1, "stopped by its owner"))
    outcome = await call.outcome()
    assert outcome.kind is Kind.ERROR
    assert b"stopped by its owner" in outcome.data


async def test_a_server_that_greets_on_stdout_still_works(driver: Driver) -> None:
    await driver.link.ask(c.Place(placement(env={"SERVER_MODE": "chatty"})))
    assert await driver.open(tool="echo", arguments={"text": "hi"}).text() == "hi"
    lines = (await driver.link.ask(c.GetTail("d1"))).lines
    assert any("Welcome to my server!" in line.line for line in lines if line.stream == "protocol")


async def test_an_answer_over_the_limit_fails_that_call_only(driver: Driver) -> None:
    await driver.link.ask(c.Place(placement()))
    outcome = await driver.open(tool="big", arguments={"bytes": 50_000_000}).outcome()
    assert outcome.kind is Kind.ERROR
    assert b"larger than the limit of 10 MB" in outcome.data
    assert len(await driver.open(tool="big", arguments={"bytes": 5_000_000}).text()) == 5_000_000


async def test_a_call_that_costs_the_server_its_memory_limit_names_it(driver: Driver) -> None:
    await driver.link.ask(c.Place(placement(limits=Limits(memory_bytes=96 * 2**20))))
    outcome = await driver.open(tool="big", arguments={"bytes": 900_000_000}).outcome()
    assert outcome.kind is Kind.ERROR
    assert b"memory limit of 96 MB" in outcome.data


async def test_failing_starts_back_off_and_say_why(driver: Driver) -> None:
    await driver.link.ask(c.Place(placement(env={"SERVER_MODE": "exit"})))
    for _ in range(2):
        assert (await driver.open(tool="echo").outcome()).kind is Kind.ERROR
    with pytest.raises(DetachedError, match="the last start failed and is tried again in"):
        await driver.open(tool="echo").outcome()


async def test_kill_minus_nine_leaves_no_child(driver: Driver, start_runner: Callable[..., Any]) -> None:
    await driver.link.ask(c.Place(placement()))
    await driver.open(tool="echo").text()
    (seen,) = (await driver.link.ask(c.GetStatus())).placements
    pid = seen.instances[0].pid
    driver.process.kill()
    await driver.process.wait()
    assert await asyncio.to_thread(_ends, pid)


def _ends(pid: int) -> bool:
    """Whether the process, which is not our child, is gone in time."""
    deadline = time.monotonic() + SECONDS
    while _is_running(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not _is_running(pid)


def _is_running(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


async def test_end_rule_keep_outlives_session_and_connection(driver: Driver) -> None:
    await driver.link.ask(c.Place(placement()))
    call = driver.open(tool="slow", arguments={"seconds": 0.5}, exchange="task", end=EndRule.KEEP, revision=MODERN)
    await driver.reconnect()
    assert await Call(driver.link.attach(call.attachment.exchange, owner="alice")).text() == "done"


async def test_a_finished_call_answers_no_new_request_under_its_id(driver: Driver) -> None:
    await driver.link.ask(c.Place(placement()))
    await driver.session()
    for _ in range(2):
        again = driver.open(tool="slow", arguments={"seconds": 0.3}, session="s1", exchange="x")
        assert await again.text() == "done"
    assert await driver.open(tool="count", session="s1", exchange="x").text() == "2"


async def test_a_finished_call_is_still_there_to_be_resumed(driver: Driver) -> None:
    await driver.link.ask(c.Place(placement()))
    await driver.session()
    call = driver.open(tool="slow", arguments={"seconds": 0.3}, session="s1", exchange="x")
    assert await call.text() == "done"
    assert await Call(driver.link.attach(call.attachment.exchange, owner="alice")).text() == "done"


async def test_another_request_under_a_running_ones_id_is_refused(driver: Driver) -> None:
    await driver.link.ask(c.Place(placement()))
    await driver.session()
    running = driver.open(tool="slow", arguments={"seconds": 0.5}, session="s1", exchange="y")
    with pytest.raises(DetachedError, match="another request with this id is still running"):
        await driver.open(tool="echo", session="s1", exchange="y").outcome()
    assert await running.text() == "done"
