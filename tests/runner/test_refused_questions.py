"""Threat 23: a hosted server that asks for secrets by a form, or sends people to a page that they must not be sent to,
is refused in words and told of, on each way that a question can take. Sources: client/elicitation, "Security
Considerations", of 2025-11-25 and 2026-07-28."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from hosting.runner import control as c
from hosting.runner.frames import Event, Kind
from hosting.runner.placement import LISTED, REFUSED, PageRule, Pages
from tests.runner.conftest import Driver, placement

ALL = b'{"elicitation":{"form":{},"url":{}}}'
EVIL = "https://HOST.evil.tld/login"
FORM: dict[str, Any] = {
    "message": "Sign in",
    "requestedSchema": {"type": "object", "properties": {"password": {"type": "string"}}},
}
URL: dict[str, Any] = {"mode": "url", "message": "Go there", "url": EVIL}
STRICT = Pages(rules=[PageRule("The organization alice", REFUSED)])
CLIENTS = pytest.mark.parametrize("fields", [{"session": "s1"}, {}], ids=["legacy-client", "modern-client"])
ASKED = pytest.mark.parametrize(
    ("params", "words"), [(FORM, "“password” asks for a secret"), (URL, "host.evil.tld")], ids=["password", "evil.tld"]
)


async def outcome(driver: Driver, server: str, tool: str, arguments: Any, fields: dict[str, Any], **more: Any) -> Event:
    await driver.link.ask(c.Place(placement(server, pages=STRICT, **more)))
    if fields:
        await driver.session(capabilities=ALL)
    else:
        fields = {"capabilities": ALL, "native_input": True}
    return await driver.open(tool=tool, arguments=arguments, **fields).outcome()


async def told(driver: Driver) -> list[str]:
    """What the owner finds in the output, whosever instance it was, and what the site writes down: the same words."""
    lines = (await driver.link.ask(c.GetTail("d1"))).lines
    found = [line.line.removeprefix("refused to ask: ") for line in lines if line.line.startswith("refused to ask: ")]
    assert all(not line.who for line in lines if line.line.startswith("refused to ask: "))
    seen = (await driver.link.ask(c.GetStatus())).placements[0].refused
    assert [one.words for one in seen] == found
    return found


@CLIENTS
@ASKED
async def test_threat_23_of_a_legacy_server(driver: Driver, params: Any, words: str, fields: Any) -> None:
    arguments = {"method": "elicitation/create", "params": params}
    event = await outcome(driver, "legacy", "demand", arguments, fields)
    answer = msgspec.json.decode(msgspec.json.decode(event.data)["content"][0]["text"])
    assert answer["code"] == -32602 and words in answer["message"]  # the server was told
    assert [answer["message"]] == await told(driver)


@CLIENTS
@ASKED
async def test_threat_23_of_a_modern_server(driver: Driver, params: Any, words: str, fields: Any) -> None:
    event = await outcome(driver, "modern", "want", {"method": "elicitation/create", "params": params}, fields)
    error = msgspec.json.decode(event.data)
    assert event.kind is Kind.ERROR and words in error["message"]
    assert error["data"] == {"reason": "question_refused"}
    assert [error["message"]] == await told(driver)


@CLIENTS
async def test_threat_23_of_the_error_that_sends_to_a_page(driver: Driver, fields: Any) -> None:
    event = await outcome(driver, "legacy", "link", {"url": EVIL}, fields)
    error = msgspec.json.decode(event.data)
    assert (event.kind, error["code"]) == (Kind.ERROR, -32603) and "host.evil.tld" in error["message"]
    assert [error["message"]] == await told(driver)


@pytest.mark.parametrize(
    ("key", "kind"), [("resultType", "input\\u005frequired"), ("result\\u0054ype", "input_required")]
)
@pytest.mark.parametrize("server", ["legacy", "modern"])
async def test_a_question_that_hides_behind_escapes_is_found(driver: Driver, server: str, kind: str, key: str) -> None:
    question = msgspec.json.encode({"it": {"method": "elicitation/create", "params": FORM}}).decode()
    raw = f'{{"{key}":"{kind}","inputRequests":{question}}}'
    event = await outcome(driver, server, "raw", {"members": f'"result":{raw}'}, {})
    assert event.kind is Kind.ERROR and b"asks for a secret" in event.data


@pytest.mark.parametrize("code", ["-32042.0", "-3.2042e4"])
async def test_an_error_that_spells_its_code_oddly_is_found(driver: Driver, code: str) -> None:
    data = msgspec.json.encode({"elicitations": [{**URL, "elicitationId": "e1"}]}).decode()
    members = f'"error":{{"code":{code},"message":"Go","data":{data}}}'
    event = await outcome(driver, "legacy", "raw", {"members": members}, {"session": "s1"})
    assert event.kind is Kind.ERROR and b"host.evil.tld" in event.data and b"32042" not in event.data


async def test_what_a_rule_allows_is_asked(driver: Driver) -> None:
    listed = Pages(rules=[PageRule("The organization alice", LISTED, ["host.evil.tld"])])
    await driver.link.ask(c.Place(placement("modern", pages=listed)))
    await driver.session(capabilities=ALL)
    call = driver.open(tool="want", arguments={"method": "elicitation/create", "params": URL}, session="s1")
    question = await call.until(Kind.INPUT_REQUESTED)
    assert msgspec.json.decode(question.data)["params"]["url"] == EVIL


async def test_a_rule_that_changes_counts_at_once_for_what_runs(driver: Driver) -> None:
    await driver.link.ask(c.Place(placement("legacy")))
    await driver.session(capabilities=ALL)
    arguments = {"method": "elicitation/create", "params": URL}
    call = driver.open(tool="demand", arguments=arguments, session="s1")
    asked = await call.until(Kind.INPUT_REQUESTED)
    await driver.link.ask(c.Answer(owner="alice", session="s1", key=asked.extra, result=b'{"action":"decline"}'))
    await call.outcome()
    await driver.link.ask(c.Place(placement("legacy", pages=STRICT)))
    assert "host.evil.tld" in await driver.open(tool="demand", arguments=arguments, session="s1").text()


async def test_the_same_again_is_kept_once_and_many_are_cut_off(driver: Driver) -> None:
    await driver.link.ask(c.Place(placement("legacy", pages=STRICT)))
    await driver.session(capabilities=ALL)
    for number in [0, 0, *range(25)]:
        params = {**URL, "url": f"https://h{number}.evil.tld/"}
        await driver.open(
            tool="demand", arguments={"method": "elicitation/create", "params": params}, session="s1"
        ).outcome()
    seen = (await driver.link.ask(c.GetStatus())).placements[0].refused
    assert len({one.words for one in seen}) == len(seen) == 20
