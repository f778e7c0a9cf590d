"""U10: a page that a hosted server sends its user to reaches a client in URL mode only where that declared it, and as a
plain link in words otherwise: of both eras of client and server, on each way that such a question can take. Sources:
client/elicitation of 2025-11-25 ("Capabilities", "URL Elicitation Required Error") and 2026-07-28."""

from __future__ import annotations

import json
from itertools import count, product
from typing import Any

import msgspec
import pytest

from hosting.runner import control as c
from hosting.runner.frames import Event, Kind
from hosting.runner.placement import REFUSED, PageRule, Pages
from hosting.runner.upstream.pages import MAX_QUOTED, Wanted, opens_pages, words_of
from tests.runner.conftest import MODERN, Driver, placement

PAGE = "https://example.org/go"
VISIT = {"mode": "url", "url": PAGE, "message": "Go there first."}
FORM = {"message": "Who?", "requestedSchema": {"type": "object", "properties": {}}}
URL = b'{"elicitation":{"url":{}}}'
ERROR = {"code": -32042, "message": "First this", "data": {"elicitations": [{**VISIT, "elicitationId": "e1"}]}}
WITHOUT = (b"{}", b'{"elicitation":{}}', b'{"elicitation":{"form":{}}}', b'{"elicitation":{"url":null}}')
CLIENTS = ("legacy", "modern")
_sessions = count()


def asking(*questions: dict[str, Any]) -> dict[str, Any]:
    requests = {f"q{number}": {"method": "elicitation/create", "params": one} for number, one in enumerate(questions)}
    return {"resultType": "input_required", "inputRequests": requests}


async def answered(
    driver: Driver, server: str, era: str, declared: bytes, members: Any, method: str = "tools/call", **more: Any
) -> Event:
    """The outcome of a call that its server answers with `members`."""
    await driver.link.ask(c.Place(placement(server)))
    fields = await client(driver, era, declared, **more)
    raw = json.dumps(members)[1:-1]
    return await driver.open(method, tool="raw", arguments={"members": raw}, **fields, **more).outcome()


async def client(driver: Driver, era: str, declared: bytes, **more: Any) -> dict[str, Any]:
    """What a call of such a client is opened with."""
    if era == "modern":
        return {"capabilities": declared, "native_input": True}
    session = f"s{next(_sessions)}"
    await driver.session(session, capabilities=declared, **more)
    return {"session": session}


def is_in_words(event: Event) -> bool:
    """Whether it is a failed tool that names the page and why, and nothing that a client could take for a mode."""
    result = msgspec.json.decode(event.data)
    (block,) = result["content"]
    assert event.kind is Kind.RESULT and result["isError"] is True, event
    assert not {"inputRequests", "requestState", "elicitations"} & set(result) and b"32042" not in event.data
    return f"open {PAGE} in a browser" in block["text"] and "“Go there first.”" in block["text"]


@pytest.mark.parametrize(
    ("server", "members"),
    [("legacy", {"error": ERROR}), ("modern", {"result": asking(VISIT)}), ("modern", {"error": ERROR})],
    ids=["-32042", "input-required", "modern-32042"],
)
async def test_who_declared_no_pages_is_told_in_words(driver: Driver, server: str, members: Any) -> None:
    for era, declared in product(CLIENTS, WITHOUT):
        event = await answered(driver, server, era, declared, members)
        assert is_in_words(event), (era, declared)
        assert (b'"resultType":"complete"' in event.data) == (era == "modern")


async def test_a_legacy_server_that_asks_by_itself_has_the_words_for_its_answer(driver: Driver) -> None:
    await driver.link.ask(c.Place(placement("legacy")))
    for era, declared in product(CLIENTS, WITHOUT):
        fields = await client(driver, era, declared)
        call = driver.open(tool="demand", arguments={"method": "elicitation/create", "params": VISIT}, **fields)
        error = json.loads(await call.text())
        assert error["code"] in (-32601, -32602) and "does not offer" in error["message"], (era, declared)
        assert f"open {PAGE} in a browser" in error["message"] and "“Go there first.”" in error["message"]


@pytest.mark.parametrize("members", [{"error": ERROR}, {"result": asking(VISIT)}], ids=["-32042", "input-required"])
async def test_what_is_no_tool_fails_with_the_words(driver: Driver, members: Any) -> None:
    server = "legacy" if "error" in members else "modern"
    event = await answered(driver, server, "modern", b"{}", members, "prompts/get")
    error = msgspec.json.decode(event.data)
    assert (event.kind, error["code"]) == (Kind.ERROR, -32021) and PAGE in error["message"]
    assert error["data"] == {"requiredCapabilities": {"elicitation": {"url": {}}}}
    event = await answered(driver, server, "legacy", b"{}", members, "prompts/get")
    error = msgspec.json.decode(event.data)
    assert (event.kind, error["code"]) == (Kind.ERROR, -32600) and PAGE in error["message"] and "data" not in error


async def test_a_revision_before_pages_is_told_in_words_whatever_it_declares(driver: Driver) -> None:
    assert is_in_words(await answered(driver, "legacy", "legacy", URL, {"error": ERROR}, revision="2025-06-18"))


async def test_who_declared_pages_is_sent_there(driver: Driver) -> None:
    event = await answered(driver, "legacy", "legacy", URL, {"error": ERROR})
    assert (event.kind, msgspec.json.decode(event.data)) == (Kind.ERROR, ERROR)
    event = await answered(driver, "legacy", "modern", URL, {"error": ERROR})
    question = {"method": "elicitation/create", "params": VISIT}
    assert msgspec.json.decode(event.data)["inputRequests"] == {"url1": question}


async def test_who_declared_pages_is_not_sent_there_by_what_has_become_a_task(driver: Driver) -> None:
    """A task's result is the call's, and can't ask for anything."""
    await driver.link.ask(c.Place(placement("legacy")))
    call = driver.open(tool="slow_link", arguments={"seconds": 0.5}, capabilities=URL, native_input=True)
    exchange = call.attachment.exchange
    assert (await driver.link.ask(c.Keep(exchange=exchange, owner="alice", task="t1"))).first
    assert is_in_words(await call.outcome())


async def test_who_can_not_be_asked_all_of_it_is_sent_nowhere(driver: Driver) -> None:
    """With a form among them, which it can't show either, the link alone would not help."""
    event = await answered(driver, "modern", "modern", b"{}", {"result": asking(VISIT, FORM)})
    assert (event.kind, msgspec.json.decode(event.data)["code"]) == (Kind.ERROR, -32021)


async def test_an_error_that_names_no_page_keeps_its_words(driver: Driver) -> None:
    bare = {"code": -32042, "message": "Something is missing"}
    for era, error in product(CLIENTS, (bare, {**bare, "data": {"elicitations": []}})):
        event = await answered(driver, "legacy", era, b"{}", {"error": error})
        shown = msgspec.json.decode(event.data)
        assert event.kind is Kind.ERROR and shown["message"] == "Something is missing"
        assert shown["code"] == (-32600 if era == "legacy" else -32021)


async def test_a_page_that_a_rule_forbids_is_in_no_words(driver: Driver) -> None:
    strict = Pages(rules=[PageRule("The organization alice", REFUSED)])
    await driver.link.ask(c.Place(placement("legacy", pages=strict)))
    await driver.session(capabilities=b"{}")
    arguments = {"method": "elicitation/create", "params": VISIT}
    for tool, given in (("demand", arguments), ("link", {"url": PAGE})):
        event = await driver.open(tool=tool, arguments=given, session="s1").outcome()
        assert PAGE.encode() not in event.data and b"pages of other hosts" in event.data


async def test_a_question_that_can_not_be_read_is_answered(driver: Driver) -> None:
    await driver.link.ask(c.Place(placement("legacy")))
    call = driver.open(tool="demand", arguments={"method": "elicitation/create", "params": {"mode": "url", "url": 1}})
    assert "does not offer" in await call.text()


def test_long_words_are_cut_and_none_are_left_out() -> None:
    assert len(words_of([Wanted(PAGE, "x" * 5000)])) < MAX_QUOTED + 200
    assert "says" not in words_of([Wanted(PAGE)])
    assert words_of([Wanted(PAGE), Wanted("https://example.org/two")]).count("\n") == 1


def test_who_opens_pages() -> None:
    assert opens_pages("2025-11-25", URL) and opens_pages(MODERN, URL)
    assert not opens_pages("2025-06-18", URL) and not opens_pages(MODERN, b"x") and not opens_pages(MODERN, b"")
