"""What one era has and the other has not: error codes, log levels, parameters of a retry."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from hosting.runner import control as c
from hosting.runner.frames import Kind
from hosting.runner.upstream import translation as t
from tests.runner.conftest import Driver, placement


def test_codes_of_older_revisions_are_not_sent_to_modern_clients() -> None:
    assert msgspec.json.decode(t.modern_error(b'{"code":-32002,"message":"none","data":{"uri":"x"}}')) == {
        "code": -32602, "message": "none", "data": {"uri": "x"}
    }  # fmt: skip
    other = b'{"code":-32000,"message":"about -32002"}'
    assert msgspec.json.decode(t.modern_error(other)) == msgspec.json.decode(other)


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
