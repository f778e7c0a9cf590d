"""Questions that a call's client can't show: what a child is told, under which keys it asks, and who is left out."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from hosting.runner import control as c
from hosting.runner.frames import Kind
from hosting.runner.upstream.on_site import is_on_site, key_of, may_ask, told
from tests.runner.conftest import SECONDS, Driver, placement

BOTH: dict[str, Any] = {"form": {}, "url": {}}
FORM: dict[str, Any] = {"mode": "form", "message": "Who?", "requestedSchema": {"type": "object", "properties": {}}}
URL: dict[str, Any] = {"mode": "url", "message": "Go there", "url": "https://example.org/go"}
ACCEPT = b'{"action":"accept","content":{}}'
CLIENTS = pytest.mark.parametrize("era", ["legacy", "modern"])
SERVERS = pytest.mark.parametrize(("server", "tool"), [("legacy", "demand"), ("modern", "want")])


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        (b"", {"elicitation": BOTH}),
        (b"{}", {"elicitation": BOTH}),
        (b'{"roots":{}}', {"roots": {}, "elicitation": BOTH}),
        (b'{"elicitation":{}}', {"elicitation": BOTH}),
        (b'{"elicitation":{"url":{"x":1}}}', {"elicitation": {"form": {}, "url": {"x": 1}}}),
        (b'{"sampling":{}}', {"sampling": {}}),
        (b'{"sampling":{},"elicitation":{}}', {"sampling": {}, "elicitation": BOTH}),
    ],
)
def test_what_a_child_is_told(declared: bytes, expected: Any) -> None:
    assert msgspec.json.decode(told(declared)) == expected


@pytest.mark.parametrize("odd", [b"[]", b'{"elicitation":1}', b"x", b"[" * 5000])
def test_what_is_no_object_is_told_as_it_is(odd: bytes) -> None:
    assert told(odd) == odd


def test_a_key_says_who_shows_the_question() -> None:
    assert is_on_site(key_of("q1", on_site=True)) and not is_on_site(key_of("q1", on_site=False))


def test_who_is_nobody_is_asked_nothing() -> None:
    assert may_ask("2025-11-25", "alice") and may_ask("2026-07-28", "alice")
    assert not may_ask("2025-11-25", "") and not may_ask("2025-03-26", "alice")


async def asked(driver: Driver, era: str, server: str, tool: str, params: Any, declared: bytes, **more: Any) -> Any:
    """The first event of a call whose server asks `params`, and the call."""
    await driver.link.ask(c.Place(placement(server, **{"asks_on_site": True, **more})))
    fields: dict[str, Any] = {"session": "s1"} if era == "legacy" else {"native_input": True, "subject": "alice"}
    if era == "legacy":
        await driver.session(capabilities=declared, subject="alice")
    else:
        fields["capabilities"] = declared
    call = driver.open(tool=tool, arguments={"method": "elicitation/create", "params": params}, **fields)
    return await call.until(Kind.INPUT_REQUESTED, Kind.RESULT, Kind.ERROR), call


@CLIENTS
@SERVERS
@pytest.mark.parametrize(("params", "declared"), [(FORM, b"{}"), (URL, b'{"elicitation":{}}')], ids=["form", "url"])
async def test_what_the_client_can_not_show_is_marked_and_answered(
    driver: Driver, era: str, server: str, tool: str, params: Any, declared: bytes
) -> None:
    event, call = await asked(driver, era, server, tool, params, declared)
    assert event.kind is Kind.INPUT_REQUESTED and is_on_site(event.extra)
    await driver.link.ask(c.Keep(exchange=call.attachment.exchange, owner="alice", task="t1"))
    answer = c.Answer(owner="alice", exchange=call.attachment.exchange, key=event.extra, result=ACCEPT, by="this site")
    assert (await driver.link.ask(answer)).first
    assert msgspec.json.decode(await call.text()) == {"action": "accept", "content": {}}


@CLIENTS
async def test_what_the_client_can_show_goes_to_the_client(driver: Driver, era: str) -> None:
    event, _ = await asked(driver, era, "legacy", "demand", FORM, b'{"elicitation":{}}')
    assert event.kind is Kind.INPUT_REQUESTED and not is_on_site(event.extra)


@CLIENTS
@pytest.mark.parametrize("more", [{"asks_on_site": False}, {"isolation": "shared"}], ids=["switched-off", "shared"])
async def test_where_it_is_not_wanted_the_server_is_refused(driver: Driver, era: str, more: Any) -> None:
    event, _ = await asked(driver, era, "legacy", "demand", FORM, b"{}", **more)
    assert event.kind is Kind.RESULT and b"does not offer" in event.data


async def test_a_caller_without_an_account_is_not_asked(driver: Driver) -> None:
    await driver.link.ask(c.Place(placement("legacy", asks_on_site=True)))
    arguments = {"method": "elicitation/create", "params": FORM}
    assert "does not offer" in await driver.open(tool="demand", arguments=arguments, isolation="").text()


async def test_what_a_secret_is_is_refused_here_too(driver: Driver) -> None:
    secret = {"message": "Sign in", "requestedSchema": {"properties": {"password": {"type": "string"}}}}
    event, _ = await asked(driver, "legacy", "legacy", "demand", secret, b"{}")
    assert event.kind is Kind.RESULT and b"asks for a secret" in event.data


async def test_a_question_that_nobody_made_a_task_of_is_given_up(driver: Driver) -> None:
    event, call = await asked(driver, "legacy", "legacy", "demand", FORM, b"{}", question_seconds=0.2)
    assert is_on_site(event.extra)
    async with asyncio.timeout(SECONDS):
        assert "did not answer in time" in await call.text()


async def test_two_users_do_not_share_what_they_are_asked_with(driver: Driver) -> None:
    """Whoever is asked is the user whose instance it is; another set of capabilities is another instance."""
    await driver.link.ask(c.Place(placement("legacy", asks_on_site=True)))
    who = {
        await driver.open(tool="who", owner=owner, subject=owner, capabilities=declared).text()
        for owner, declared in (("alice", b"{}"), ("bob", b"{}"), ("alice", b'{"elicitation":{}}'))
    }
    assert len(who) == 3
