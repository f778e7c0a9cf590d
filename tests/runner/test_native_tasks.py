"""Hosted servers with tasks of their own, on either wire: followed to their end in the place of the call."""

from __future__ import annotations

import time
from typing import Any

import msgspec
import pytest

from hosting.runner import control as c
from hosting.runner.frames import EndRule, Event, Kind
from hosting.runner.upstream.following import CALM_SECONDS
from tests.runner.conftest import LEGACY, MODERN, Call, Driver, placement
from tests.runner.test_restart import restart

EXTENSION = "io.modelcontextprotocol/tasks"
DECLARED = msgspec.json.encode({"extensions": {EXTENSION: {}}, "elicitation": {}})
ERAS = pytest.mark.parametrize("era", ["modern", "legacy"])
ANSWER = b'{"action":"accept","content":{"name":"Ada"}}'


async def placed(driver: Driver, era: str, **server: str) -> None:
    await driver.link.ask(c.Place(placement("tasked", env={"SERVER_ERA": era, **server})))


def task(driver: Driver, tool: str, name: str = "task-1", **fields: Any) -> Call:
    """A call that the site has made a task of."""
    fields = {"revision": LEGACY, "end": EndRule.KEEP, "task": name, **fields}
    return driver.open(tool=tool, **fields)


async def all_of(call: Call) -> list[Event]:
    """All events to the end, status too."""
    events: list[Event] = []
    while not events or events[-1].kind not in (Kind.RESULT, Kind.ERROR, Kind.CANCELLED, Kind.LOST):
        events.append(await call.attachment.next())
    return events


def decoded(event: Event) -> Any:
    return msgspec.json.decode(event.data)


async def seen(driver: Driver, **fields: Any) -> list[str]:
    found: list[str] = msgspec.json.decode(await driver.open(tool="seen", **{"revision": LEGACY, **fields}).text())
    return found


@ERAS
async def test_the_task_is_told_of_at_once_and_its_words_and_result_follow(driver: Driver, era: str) -> None:
    await placed(driver, era)
    events = await all_of(task(driver, "work", arguments={"seconds": 0.5, "say": "digging"}))
    told = [decoded(event) for event in events if event.kind is Kind.STATUS and b'"task"' in event.data]
    assert told == [{"state": "task", "reason": "digging"}]
    assert events[-1].kind is Kind.RESULT
    assert decoded(events[-1])["content"] == [{"type": "text", "text": "worked"}]
    assert "_meta" not in decoded(events[-1])
    assert ("resultType" in decoded(events[-1])) is (era == "modern")


@ERAS
@pytest.mark.parametrize(("tool", "questions"), [("confirm", 1), ("both", 2)])
async def test_its_questions_are_asked_once_and_answered(driver: Driver, era: str, tool: str, questions: int) -> None:
    await placed(driver, era)
    await driver.session(capabilities=b'{"elicitation":{}}')
    call = task(driver, tool, session="s1", isolation="")
    asked = [await call.until(Kind.INPUT_REQUESTED) for _ in range(questions)]
    assert len({event.extra for event in asked}) == questions
    for event in asked:
        assert decoded(event)["method"] == "elicitation/create"
        answer = c.Answer(owner="alice", exchange=call.attachment.exchange, key=event.extra, result=ANSWER)
        assert (await driver.link.ask(answer)).first
        assert not (await driver.link.ask(answer)).first
    answers = msgspec.json.decode(await call.text())
    assert list(answers.values()) == [msgspec.json.decode(ANSWER)] * questions
    kinds = [event.kind for event in call.events]
    assert kinds.count(Kind.INPUT_REQUESTED) == kinds.count(Kind.INPUT_ANSWERED) == questions


@ERAS
async def test_errors_and_tool_errors_are_told_apart(driver: Driver, era: str) -> None:
    await placed(driver, era)
    broken = (await all_of(task(driver, "broken")))[-1]
    assert (broken.kind, decoded(broken)) == (Kind.ERROR, {"code": -32050, "message": "it broke"})
    failed = (await all_of(task(driver, "fail", "task-2")))[-1]
    assert (failed.kind, decoded(failed)["isError"]) == (Kind.RESULT, True)


@ERAS
async def test_a_task_that_its_server_cancels_is_cancelled(driver: Driver, era: str) -> None:
    await placed(driver, era)
    last = (await all_of(task(driver, "dropped", arguments={"seconds": 0.3})))[-1]
    assert (last.kind, last.extra) == (Kind.CANCELLED, "not wanted any more")


@ERAS
async def test_an_ordinary_call_learns_by_an_error_that_its_server_cancelled_it(driver: Driver, era: str) -> None:
    await placed(driver, era)
    await driver.session()
    last = await driver.open(tool="dropped", session="s1").outcome()
    assert last.kind is Kind.ERROR
    assert "not wanted any more" in decoded(last)["message"]


@ERAS
async def test_a_task_that_its_server_forgot_ends_with_an_error(driver: Driver, era: str) -> None:
    await placed(driver, era)
    last = (await all_of(task(driver, "forgotten", arguments={"seconds": 0.1})))[-1]
    assert last.kind is Kind.ERROR
    assert "Unknown task" in decoded(last)["message"]


@ERAS
async def test_cancelling_tells_the_server_by_its_own_method(driver: Driver, era: str) -> None:
    await placed(driver, era)
    call = task(driver, "work", arguments={"seconds": 30})
    while b'"task"' not in (await call.attachment.next()).data:
        pass
    await driver.link.ask(c.Cancel(exchange=call.attachment.exchange, owner="alice", reason="enough"))
    assert (await call.outcome()).kind is Kind.CANCELLED
    assert [said for said in await seen(driver) if said != "tasks/result work-1"] == ["tasks/cancel work-1"]


@ERAS
async def test_a_handshake_client_without_tasks_simply_gets_the_result(driver: Driver, era: str) -> None:
    await placed(driver, era)
    await driver.session(capabilities=b'{"elicitation":{}}')
    assert await driver.open(tool="work", arguments={"seconds": 0.3}, session="s1").text() == "worked"
    assert await driver.open(tool="plain", session="s1").text() == "plain"
    call = driver.open(tool="confirm", session="s1")
    question = await call.until(Kind.INPUT_REQUESTED)
    await driver.link.ask(c.Answer(owner="alice", session="s1", key=question.extra, result=ANSWER))
    assert msgspec.json.decode(await call.text()) == {"sure": msgspec.json.decode(ANSWER)}


async def test_a_modern_client_without_tasks_gets_the_servers_own_refusal(driver: Driver) -> None:
    await placed(driver, "modern")
    last = await driver.open(tool="work", capabilities=b"{}").outcome()
    assert decoded(last)["code"] == -32021
    assert decoded(last)["data"] == {"requiredCapabilities": {"extensions": {EXTENSION: {}}}}


async def test_a_modern_client_without_tasks_gets_the_result_of_a_handshake_servers_task(driver: Driver) -> None:
    await placed(driver, "legacy")
    result = decoded(await driver.open(tool="work", capabilities=b"{}").outcome())
    assert (result["resultType"], result["content"][0]["text"]) == ("complete", "worked")


async def test_a_tool_that_can_do_both_is_called_plainly_for_who_has_no_tasks(driver: Driver) -> None:
    await placed(driver, "modern")
    await driver.session()
    assert await driver.open(tool="either", session="s1").text() == "done at once"
    assert await driver.open(tool="either", capabilities=b"{}").text() == "done at once"
    assert await driver.open(tool="either", capabilities=DECLARED).text() == "worked"
    assert await task(driver, "either").text() == "worked"


async def test_who_can_not_be_asked_gets_an_error_and_the_task_is_cancelled(driver: Driver) -> None:
    await placed(driver, "modern")
    await driver.session(capabilities=b"{}")
    last = await driver.open(tool="confirm", session="s1").outcome()
    assert decoded(last)["code"] == -32021
    assert await seen(driver, session="s1") == ["tasks/cancel confirm-1"]


async def test_questions_may_come_before_the_task(driver: Driver) -> None:
    await placed(driver, "modern")
    call = driver.open(tool="ask_first", capabilities=DECLARED, native_input=True)
    assert decoded(await call.outcome())["resultType"] == "input_required"
    kept = task(driver, "ask_first", revision=MODERN, capabilities=DECLARED)
    question = await kept.until(Kind.INPUT_REQUESTED)
    exchange = kept.attachment.exchange
    assert (await driver.link.ask(c.Answer(owner="alice", exchange=exchange, key=question.extra, result=ANSWER))).first
    assert msgspec.json.decode(await kept.text()) == {"who": msgspec.json.decode(ANSWER)}


@ERAS
async def test_it_is_followed_on_over_a_restart_of_the_runner_in_place(driver: Driver, era: str) -> None:
    await placed(driver, era)
    call = task(driver, "work", arguments={"seconds": 2})
    while b'"task"' not in (await call.attachment.next()).data:
        pass
    await restart(driver)
    assert await call.text() == "worked"


def rounds_since(began: float) -> int:
    """How often anything may have been asked for every 250 ms, with what is asked at both ends."""
    return int((time.monotonic() - began) / 0.25) + 4


async def polls(driver: Driver) -> dict[str, int]:
    """How often the server was asked how a task goes, by method."""
    found: dict[str, int] = msgspec.json.decode(await driver.open(tool="polls", revision=LEGACY).text())
    return found


WAYS = pytest.mark.parametrize(
    ("era", "server", "most"),
    [
        pytest.param("modern", {"SERVER_TELLS": "yes"}, {"tasks/get": 0, "subscriptions/listen": 1}, id="it tells"),
        pytest.param("legacy", {}, {"tasks/get": 0, "tasks/list": 0}, id="tasks/result waits"),
        pytest.param("legacy", {"SERVER_TELLS": "no"}, {"tasks/get": 0, "tasks/list": 0}, id="it waits and is silent"),
    ],
)


@WAYS
async def test_a_server_that_tells_by_itself_is_not_polled(
    driver: Driver, era: str, server: dict[str, str], most: dict[str, int]
) -> None:
    await placed(driver, era, **server)
    calls = [task(driver, "work", f"task-{n}", arguments={"seconds": 0.2}) for n in range(5)]
    assert [await call.text() for call in calls] == ["worked"] * 5
    counted = await polls(driver)
    assert {method: counted[method] for method in most} == most


async def test_many_tasks_are_looked_at_by_one_list(driver: Driver) -> None:
    """A server that refuses to wait and says nothing by itself has to be asked: for all at once."""
    await placed(driver, "legacy", SERVER_TELLS="no", SERVER_WAITS="no")
    began = time.monotonic()
    calls = [task(driver, "work", f"task-{n}", arguments={"seconds": 1.5}) for n in range(20)]
    assert [await call.text() for call in calls] == ["worked"] * 20
    counted, rounds = await polls(driver), rounds_since(began)
    assert 0 < counted["tasks/list"] <= 2 * rounds  # two pages
    assert counted["tasks/get"] <= 20 + rounds  # where the list is not worth it


@pytest.mark.parametrize("era", ["modern", "legacy"])
async def test_a_server_that_offers_nothing_else_is_polled_at_the_pace_it_asks_for(driver: Driver, era: str) -> None:
    more = {"SERVER_TELLS": "no", "SERVER_WAITS": "no", "SERVER_LISTS": "no"}
    await placed(driver, era, **more)
    began = time.monotonic()
    calls = [task(driver, "work", f"task-{n}", arguments={"seconds": 2}) for n in range(30)]
    assert [await call.text() for call in calls] == ["worked"] * 30
    counted = await polls(driver)
    assert 30 <= counted["tasks/get"] <= 30 * rounds_since(began)  # fewer on a busy machine
    assert counted["tasks/list"] == 0


async def test_a_server_that_forgets_its_listeners_is_polled_on(driver: Driver) -> None:
    """What is agreed to be told is looked at now and then nevertheless."""
    await placed(driver, "modern", SERVER_TELLS="yes")
    last = (await all_of(task(driver, "forgotten", arguments={"seconds": 0.1})))[-1]
    assert "Unknown task" in decoded(last)["message"]


async def test_questions_are_told_of_too(driver: Driver) -> None:
    await placed(driver, "modern", SERVER_TELLS="yes")
    call = task(driver, "both", arguments={"seconds": 0.1}, capabilities=DECLARED)
    for question in [await call.until(Kind.INPUT_REQUESTED) for _ in range(2)]:
        exchange = call.attachment.exchange
        answer = c.Answer(owner="alice", exchange=exchange, key=question.extra, result=ANSWER)
        assert (await driver.link.ask(answer)).first
    assert len(msgspec.json.decode(await call.text())) == 2
    assert (await polls(driver))["subscriptions/listen"] == 1


async def test_over_a_restart_in_place_it_goes_on_telling(driver: Driver) -> None:
    await placed(driver, "modern", SERVER_TELLS="yes")
    began = time.monotonic()
    call = task(driver, "work", arguments={"seconds": 2})
    while b'"task"' not in (await call.attachment.next()).data:
        pass
    await restart(driver)
    assert await call.text() == "worked"
    counted = await polls(driver)
    calm = int((time.monotonic() - began) / CALM_SECONDS)
    assert 1 <= counted.pop("tasks/get") <= 1 + calm
    assert counted == {"tasks/list": 0, "subscriptions/listen": 1}
