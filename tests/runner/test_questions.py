"""What a handshake server asks while several calls run, and what it asks with `task`."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from hosting.runner import control as c
from hosting.runner.frames import EndRule, Event, Kind
from tests.runner.conftest import MODERN, Call, Driver, placement
from tests.runner.test_restart import restart

META = "io.modelcontextprotocol/"
GUESSED = "slipway/asked-by"
ASKS: dict[str, Any] = {"method": "elicitation/create", "params": {"message": "Who?", "requestedSchema": {}}}
ANSWER = {"action": "accept", "content": {"name": "Ada"}}
OFFERS: dict[str, Any] = {"elicitation": {}, "sampling": {}}
TASKS: dict[str, Any] = {
    "list": {},
    "cancel": {},
    "requests": {"elicitation": {"create": {}}, "sampling": {"createMessage": {}}},
}


@pytest.fixture
async def placed(driver: Driver) -> Driver:
    await driver.link.ask(c.Place(placement("legacy")))
    return driver


async def session(driver: Driver, **capabilities: Any) -> None:
    await driver.session(capabilities=msgspec.json.encode(capabilities or OFFERS))


def task(driver: Driver, tool: str, name: str = "task-1", **fields: Any) -> Call:
    """A call of the session that the site has made a task of."""
    fields = {"session": "s1", "isolation": "", "end": EndRule.KEEP, "task": name, **fields}
    return driver.open(tool=tool, **fields)


async def question_of(call: Call) -> tuple[str, dict[str, Any]]:
    event = await call.until(Kind.INPUT_REQUESTED)
    return event.extra, msgspec.json.decode(event.data)


async def answer(driver: Driver, key: str, result: Any, **whose: str) -> bool:
    whose = whose or {"session": "s1"}
    raw = msgspec.json.encode(result)
    return (await driver.link.ask(c.Answer(owner="alice", key=key, result=raw, **whose))).first  # type: ignore[arg-type]


def named(message: str) -> dict[str, Any]:
    return {**ASKS, "params": {**ASKS["params"], "message": message}}


def asked(question: dict[str, Any]) -> str:
    return str(question["params"]["message"])


# --- which call asks


async def test_with_one_call_there_is_no_doubt(placed: Driver) -> None:
    await session(placed)
    key, question = await question_of(placed.open(tool="demand", arguments=ASKS, session="s1"))
    assert "_meta" not in question["params"]
    assert await answer(placed, key, ANSWER)


async def test_what_can_not_ask_is_not_taken_for_who_does(placed: Driver) -> None:
    """A list that is older, and still running, asks nobody."""
    await session(placed)
    listing = placed.open("tools/list", session="s1", params=b'{"pause":2}')
    _, question = await question_of(placed.open(tool="demand", arguments=ASKS, session="s1"))
    assert "_meta" not in question["params"]
    assert (await listing.outcome()).kind is Kind.RESULT


async def test_two_calls_that_ask_at_once_each_get_their_own_answer(placed: Driver) -> None:
    """Over stdio nobody can say which of the two asks. It is said that it is a guess, and no answer goes astray."""
    await session(placed)
    first = placed.open(tool="slow_demand", arguments={**named("first"), "seconds": 0.5}, session="s1")
    second = placed.open(tool="demand", arguments=named("second"), session="s1")
    found = {}
    for call in (first, second):
        key, question = await question_of(call)  # each shows one, though maybe the other's
        assert question["params"]["_meta"] == {GUESSED: "one of 2 running calls"}
        found[asked(question)] = key
    for message, key in found.items():
        assert await answer(placed, key, {"action": "accept", "content": {"name": message}})
    assert msgspec.json.decode(await first.text())["content"] == {"name": "first"}
    assert msgspec.json.decode(await second.text())["content"] == {"name": "second"}


async def test_a_call_whose_client_waits_is_asked_rather_than_a_task(placed: Driver) -> None:
    await session(placed)
    kept = task(placed, "slow", arguments={"seconds": 1})
    live = placed.open(tool="slow_demand", arguments={**ASKS, "seconds": 0.3}, session="s1")
    key, question = await question_of(live)
    assert GUESSED in question["params"]["_meta"]
    assert await answer(placed, key, ANSWER)
    assert msgspec.json.decode(await live.text()) == ANSWER
    assert await kept.text() == "done"
    assert Kind.INPUT_REQUESTED not in [event.kind for event in kept.events]


async def test_a_question_that_was_given_to_the_wrong_task_moves_on_when_that_ends(placed: Driver) -> None:
    await session(placed)
    wrong = task(placed, "slow", arguments={"seconds": 1})
    right = task(placed, "demand", "task-2", arguments=ASKS)
    key, _ = await question_of(wrong)
    assert await wrong.text() == "done"
    moved, question = await question_of(right)
    assert (moved, asked(question)) == (key, "Who?")
    assert await answer(placed, key, ANSWER, exchange=right.attachment.exchange)
    assert msgspec.json.decode(await right.text()) == ANSWER


async def test_and_when_it_is_cancelled(placed: Driver) -> None:
    await session(placed)
    wrong = task(placed, "slow", arguments={"seconds": 30})
    right = task(placed, "demand", "task-2", arguments=ASKS)
    await question_of(wrong)
    await placed.link.ask(c.Cancel(exchange=wrong.attachment.exchange, owner="alice", reason="enough"))
    key, _ = await question_of(right)
    assert await answer(placed, key, ANSWER, exchange=right.attachment.exchange)
    assert msgspec.json.decode(await right.text()) == ANSWER


async def test_the_last_one_that_it_may_belong_to_takes_it_along(placed: Driver) -> None:
    await session(placed)
    call = task(placed, "demand", arguments=ASKS)
    await question_of(call)
    await placed.link.ask(c.Cancel(exchange=call.attachment.exchange, owner="alice", reason="enough"))
    assert (await call.outcome()).kind is Kind.CANCELLED
    assert await placed.open(tool="echo", arguments={"text": "hi"}, session="s1").text() == "hi"


async def test_modern_calls_are_guessed_alike(placed: Driver) -> None:
    fields: dict[str, Any] = {"revision": MODERN, "capabilities": msgspec.json.encode(OFFERS)}
    first = placed.open(tool="slow", arguments={"seconds": 1}, **fields)
    second = placed.open(tool="slow_demand", arguments={**ASKS, "seconds": 0.3}, **fields)
    key, question = await question_of(first)
    assert GUESSED in question["params"]["_meta"]
    assert await first.text() == "done"
    assert (await question_of(second))[0] == key
    assert await answer(placed, key, ANSWER, exchange=second.attachment.exchange)
    assert msgspec.json.decode(await second.text()) == ANSWER


# --- questions with `task`


def entrust(**more: Any) -> dict[str, Any]:
    return {**ASKS, **more}


async def test_a_client_that_takes_questions_as_tasks_has_them_itself(placed: Driver) -> None:
    await session(placed, **OFFERS, tasks=TASKS)
    call = placed.open(tool="entrust", arguments=entrust(), session="s1")
    key, question = await question_of(call)
    assert question["params"]["task"] == {"ttl": 60000}
    own = {"taskId": "mine", "status": "working", "createdAt": "x", "lastUpdatedAt": "x", "ttl": 60000}
    assert await answer(placed, key, {"task": own})
    replies = [own, ANSWER, {**own, "status": "completed"}, {**own, "status": "completed"}]
    for method, reply in zip(("tasks/get", "tasks/result", "tasks/get", "tasks/cancel"), replies, strict=True):
        key, question = await question_of(call)
        assert (question["method"], question["params"]) == (method, {"taskId": "mine"})
        assert await answer(placed, key, reply)
    assert msgspec.json.decode(await call.text()) == [{"task": own}, *replies]


async def test_what_it_asks_later_goes_to_the_call_that_has_the_task(placed: Driver) -> None:
    await session(placed, **OFFERS, tasks=TASKS)
    other = placed.open(tool="slow", arguments={"seconds": 30}, session="s1")
    call = placed.open(tool="entrust", arguments=entrust(), session="s1")
    key, _ = await question_of(other)  # a guess, as far as the question goes
    assert await answer(placed, key, {"task": {"taskId": "mine"}})
    _, question = await question_of(other)
    assert question["params"] == {"taskId": "mine"}  # and no doubt about the task
    assert not call.events


@pytest.mark.parametrize("tasks", [None, {}, {"requests": {"sampling": {"createMessage": {}}}}])
async def test_a_client_that_does_not_is_asked_plainly(placed: Driver, tasks: Any) -> None:
    await session(placed, **OFFERS, **({} if tasks is None else {"tasks": tasks}))
    call = placed.open(tool="entrust", arguments=entrust(), session="s1")
    key, question = await question_of(call)
    assert "task" not in question["params"]
    assert await answer(placed, key, ANSWER)
    assert msgspec.json.decode(await call.text()) == [ANSWER]


async def test_a_modern_client_is_asked_plainly(placed: Driver) -> None:
    fields: dict[str, Any] = {"revision": MODERN, "capabilities": msgspec.json.encode({**OFFERS, "tasks": TASKS})}
    call = placed.open(tool="entrust", arguments=entrust(), **fields)
    key, question = await question_of(call)
    assert "task" not in question["params"]
    assert await answer(placed, key, ANSWER, exchange=call.attachment.exchange)
    said = msgspec.json.decode(await call.text())
    assert (said[0]["task"]["status"], said[2]["content"], said[3]["status"]) == (
        "working",
        ANSWER["content"],
        "completed",
    )


async def test_a_method_that_the_client_does_not_offer_is_refused(placed: Driver) -> None:
    await session(placed)
    call = placed.open(tool="demand", arguments={"method": "tasks/list"}, session="s1")
    assert msgspec.json.decode(await call.text())["code"] == -32601


async def held(driver: Driver, **arguments: Any) -> tuple[Call, str]:
    """A call that the site has made a task of, and the key of what it asks."""
    await session(driver, **OFFERS, tasks=TASKS)
    call = task(driver, "entrust", arguments=entrust(**arguments))
    key, question = await question_of(call)
    assert "task" not in question["params"]
    return call, key


async def test_what_a_task_of_the_site_asks_is_held_here(placed: Driver) -> None:
    call, key = await held(placed)
    await asyncio.sleep(0.2)  # the server has asked how it goes, and waits for the result
    assert await answer(placed, key, ANSWER, exchange=call.attachment.exchange)
    created, got, result, after, cancelled = msgspec.json.decode(await call.text())
    task_id = created["task"]["taskId"]
    assert (created["task"]["status"], created["task"]["ttl"]) == ("working", 60000)
    assert (got["taskId"], got["status"]) == (task_id, "working")
    assert result == {**ANSWER, "_meta": {META + "related-task": {"taskId": task_id}}}
    assert after["status"] == "completed"
    assert cancelled["code"] == -32602


async def test_a_question_that_its_server_cancels_is_open_no_more(placed: Driver) -> None:
    call, key = await held(placed, cancel=True)
    assert (await call.until(Kind.INPUT_ANSWERED)).extra == key
    created, cancelled, result, again = msgspec.json.decode(await call.text())
    assert (cancelled["taskId"], cancelled["status"]) == (created["task"]["taskId"], "cancelled")
    assert (result["code"], again["code"]) == (-32603, -32602)
    assert not await answer(placed, key, ANSWER, exchange=call.attachment.exchange)


async def test_it_is_held_over_a_restart_in_place(placed: Driver) -> None:
    call, key = await held(placed)
    await restart(placed)
    assert await answer(placed, key, ANSWER, exchange=call.attachment.exchange)
    assert msgspec.json.decode(await call.text())[2]["content"] == ANSWER["content"]


async def test_a_call_that_becomes_a_task_after_it_asked_is_answered_plainly(placed: Driver) -> None:
    await session(placed, **OFFERS, tasks=TASKS)
    call = placed.open(tool="entrust", arguments=entrust(), session="s1")
    key, question = await question_of(call)
    assert "task" in question["params"]
    exchange = call.attachment.exchange
    assert (await placed.link.ask(c.Keep(exchange=exchange, owner="alice", task="task-1"))).first
    assert await answer(placed, key, ANSWER, exchange=exchange)
    event: Event = await call.outcome()
    said = msgspec.json.decode(msgspec.json.decode(event.data)["content"][0]["text"])
    assert (said[0]["task"]["status"], said[2]["content"]) == ("working", ANSWER["content"])
