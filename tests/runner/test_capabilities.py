"""What a client declared decides what it is asked: as values, and in every combination of eras."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from hosting.runner import control as c
from hosting.runner.frames import Kind
from hosting.runner.upstream.capabilities import lacking
from tests.runner.conftest import Driver, placement

FORM: dict[str, Any] = {"mode": "form", "message": "Who?", "requestedSchema": {"type": "object"}}
URL: dict[str, Any] = {"mode": "url", "message": "Go there", "url": "https://example.org/go"}


@pytest.mark.parametrize(
    ("method", "params", "declared", "missing"),
    [
        ("elicitation/create", FORM, {"elicitation": {}}, {}),
        ("elicitation/create", {}, {"elicitation": {"form": {}}}, {}),
        ("elicitation/create", FORM, {"elicitation": {"url": {}}}, {"elicitation": {"form": {}}}),
        ("elicitation/create", FORM, {"sampling": {}}, {"elicitation": {}}),
        ("elicitation/create", URL, {"elicitation": {"form": {}, "url": {}}}, {}),
        ("elicitation/create", URL, {"elicitation": {}}, {"elicitation": {"url": {}}}),
        ("elicitation/create", URL, {}, {"elicitation": {"url": {}}}),
        ("sampling/createMessage", {}, {"sampling": {}}, {}),
        ("sampling/createMessage", {}, {}, {"sampling": {}}),
        ("sampling/createMessage", {"tools": []}, {"sampling": {"tools": {}}}, {}),
        ("sampling/createMessage", {"tools": []}, {"sampling": {}}, {"sampling": {"tools": {}}}),
        ("sampling/createMessage", {"toolChoice": {}}, {"sampling": {}}, {"sampling": {"tools": {}}}),
        ("roots/list", {}, {"roots": {"listChanged": True}}, {}),
        ("roots/list", {}, {}, {"roots": {}}),
        ("com.example/ask", {}, {}, {}),
    ],
)
def test_what_a_question_needs(method: str, params: Any, declared: Any, missing: Any) -> None:
    assert lacking(method, msgspec.json.encode(params), msgspec.json.encode(declared)) == missing


@pytest.mark.parametrize("odd", [b"", b"[]", b"null", b'{"elicitation":1}', b"[" * 5000])
def test_what_is_no_object_declares_nothing_more(odd: bytes) -> None:
    assert lacking("roots/list", odd, odd) == {"roots": {}}


async def test_legacy_client_is_not_asked_by_a_modern_server_for_what_it_did_not_declare(driver: Driver) -> None:
    await driver.link.ask(c.Place(placement("modern")))
    await driver.session(capabilities=b'{"sampling":{}}')
    arguments = {"method": "elicitation/create", "params": FORM}
    outcome = await driver.open(tool="want", arguments=arguments, session="s1").outcome()
    error = msgspec.json.decode(outcome.data)
    assert (outcome.kind, error["code"]) == (Kind.ERROR, -32021)
    assert error["data"] == {"requiredCapabilities": {"elicitation": {}}}


async def test_legacy_client_is_asked_to_visit_a_url_with_the_id_that_its_revision_wants(driver: Driver) -> None:
    await driver.link.ask(c.Place(placement("modern")))
    await driver.session(capabilities=b'{"elicitation":{"url":{}}}')
    call = driver.open(tool="want", arguments={"method": "elicitation/create", "params": URL}, session="s1")
    question = await call.until(Kind.INPUT_REQUESTED)
    params = msgspec.json.decode(question.data)["params"]
    assert len(params.pop("elicitationId")) > 8
    assert params == URL
    await driver.link.ask(c.Answer(owner="alice", session="s1", key=question.extra, result=b'{"action":"accept"}'))
    assert msgspec.json.decode(await call.text()) == {"action": "accept"}


@pytest.mark.parametrize("fields", [{"session": "s1"}, {}], ids=["legacy", "modern"])
async def test_a_legacy_servers_question_in_a_mode_that_is_not_offered_is_refused(
    driver: Driver, fields: dict[str, str]
) -> None:
    await driver.link.ask(c.Place(placement("legacy")))
    declared = b'{"elicitation":{}}'
    if fields:
        await driver.session(capabilities=declared)
    arguments = {"method": "elicitation/create", "params": URL}
    answer = msgspec.json.decode(
        await driver.open(tool="demand", arguments=arguments, capabilities=declared, **fields).text()
    )
    assert answer["code"] == -32602 and "url" in answer["message"]


async def test_a_child_is_told_what_its_own_client_declares(driver: Driver) -> None:
    """A session's own for a legacy client; each set of capabilities has a legacy child of its own; shared: none."""
    await driver.link.ask(c.Place(placement("legacy")))

    async def told(**fields: Any) -> Any:
        return msgspec.json.decode(await driver.open(tool="told", **fields).text())["capabilities"]

    await driver.session("s1", capabilities=b'{"sampling":{}}')
    await driver.session("s2", capabilities=b'{"roots":{"listChanged":true}}')
    assert await told(session="s1") == {"sampling": {}}
    assert await told(session="s2") == {"roots": {"listChanged": True}}
    assert await told(capabilities=b'{"elicitation":{}}') == {"elicitation": {}}
    assert await told(capabilities=b"{}") == {}
    await driver.link.ask(c.Place(placement("legacy", epoch=2, isolation="shared")))
    await driver.session("s3", capabilities=b'{"sampling":{}}', epoch=2)
    assert await told(session="s3", epoch=2) == {}
    assert await told(capabilities=b'{"elicitation":{}}', epoch=2) == {}


async def test_a_shared_child_asks_nobody(driver: Driver) -> None:
    await driver.link.ask(c.Place(placement("legacy", isolation="shared")))
    await driver.session(capabilities=b'{"elicitation":{}}')
    assert "does not offer" in await driver.open(tool="ask", session="s1").text()
    assert "does not offer" in await driver.open(tool="ask", capabilities=b'{"elicitation":{}}').text()
