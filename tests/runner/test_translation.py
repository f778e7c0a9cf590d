"""What one era has and the other has not: error codes, URL elicitation, log levels, parameters of a retry."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from hosting.runner import control as c
from hosting.runner.frames import Kind
from hosting.runner.upstream import translation as t
from tests.runner.conftest import Driver, placement

VISIT = {"mode": "url", "url": "https://example.org/go", "message": "Go there first."}
URL = b'{"elicitation":{"url":{}}}'
REQUIRED = json.dumps(
    {"code": -32042, "message": "m", "data": {"elicitations": [{**VISIT, "elicitationId": "e"}]}}
).encode()


def test_codes_of_older_revisions_are_not_sent_to_modern_clients() -> None:
    assert msgspec.json.decode(t.modern_error(b'{"code":-32002,"message":"none","data":{"uri":"x"}}')) == {
        "code": -32602, "message": "none", "data": {"uri": "x"}
    }  # fmt: skip
    told = msgspec.json.decode(t.modern_error(REQUIRED))
    assert (told["code"], told["data"]) == (-32021, {"requiredCapabilities": {"elicitation": {"url": {}}}})
    other = b'{"code":-32000,"message":"about -32002 and -32042"}'
    assert msgspec.json.decode(t.modern_error(other)) == msgspec.json.decode(other)


def test_a_page_to_visit_is_a_question_to_those_who_can_be_asked() -> None:
    asked = msgspec.json.decode(t.url_questions("tools/call", REQUIRED, URL))
    assert asked == {
        "resultType": "input_required",
        "inputRequests": {"url1": {"method": "elicitation/create", "params": VISIT}},
    }
    assert t.url_questions("tools/call", REQUIRED, b'{"elicitation":{}}') == b""
    assert t.url_questions("tools/list", REQUIRED, URL) == b""
    assert t.url_questions("tools/call", b'{"code":-32000,"message":"-32042"}', URL) == b""
    assert t.url_questions("tools/call", b'{"code":-32042,"message":"no data"}', URL) == b""


def test_a_legacy_server_is_not_sent_what_belongs_to_a_retry() -> None:
    assert t.legacy_params(b'{"name":"a","inputResponses":{},"requestState":"x"}') == b'{"name":"a"}'
    untouched = b'{ "name": "a" }'
    assert t.legacy_params(untouched) is untouched


@pytest.mark.parametrize(("level", "heard"), [("debug", 8), ("warning", 5), ("emergency", 1)])
def test_levels_are_ordered(level: str, heard: int) -> None:
    assert sum(t.is_loud_enough(b'{"level":"%b"}' % one.encode(), level) for one in t.LEVELS) == heard


async def test_a_modern_client_hears_at_its_own_level_what_a_legacy_server_logs(driver: Driver) -> None:
    await driver.link.ask(c.Place(placement("legacy")))

    async def logged(**fields: Any) -> list[str]:
        call = driver.open(tool="log", **fields)
        await call.outcome()
        return [msgspec.json.decode(event.data)["level"] for event in call.events if event.kind is Kind.LOG]

    assert await logged() == []
    assert await logged(log_level="alert") == ["alert", "emergency"]
    assert await logged(log_level="debug") == list(t.LEVELS)
    assert await logged(log_level="emergency") == ["emergency"]
    assert msgspec.json.decode(await driver.open(tool="told").text())["level"] == "debug"


async def test_a_shared_legacy_childs_log_lines_go_to_nobody(driver: Driver) -> None:
    await driver.link.ask(c.Place(placement("legacy", isolation="shared")))
    call = driver.open(tool="log", log_level="debug")
    await call.outcome()
    assert not any(event.kind is Kind.LOG for event in call.events)


async def test_a_modern_client_is_asked_to_visit_the_page_that_a_legacy_server_requires(driver: Driver) -> None:
    await driver.link.ask(c.Place(placement("legacy")))
    outcome = await driver.open(tool="link", capabilities=URL, native_input=True).outcome()
    assert outcome.kind is Kind.RESULT
    assert msgspec.json.decode(outcome.data)["inputRequests"]["url1"]["params"] == VISIT
    refused = await driver.open(tool="link", capabilities=b"{}", native_input=True).outcome()
    assert (refused.kind, msgspec.json.decode(refused.data)["code"]) == (Kind.ERROR, -32021)


async def test_a_legacy_client_gets_the_error_as_it_is(driver: Driver) -> None:
    await driver.link.ask(c.Place(placement("legacy")))
    await driver.session()
    error = msgspec.json.decode((await driver.open(tool="link", session="s1").outcome()).data)
    assert (error["code"], error["data"]["elicitations"][0]["elicitationId"]) == (-32042, "e1")
