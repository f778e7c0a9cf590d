"""Clients of both eras against real remotes of both eras, served by the SDKs over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from hosting.runner import control as c
from hosting.runner.frames import Kind
from tests.runner.conftest import Driver
from tests.runner.remote.conftest import place
from tests.runner.remote.servers import conformance_server

ELICITATION = b'{"elicitation":{"form":{}}}'
ANSWER = b'{"action":"accept","content":{"username":"Ada","email":"ada@example.org"}}'


@pytest.fixture(params=["dual", "modern"])
async def remote(request: pytest.FixtureRequest) -> AsyncIterator[str]:
    async with conformance_server(request.param) as url:
        yield url


@pytest.fixture(params=["legacy", "modern"])
def client(request: pytest.FixtureRequest) -> dict[str, Any]:
    """What a client of that era adds to each of its calls."""
    return {"session": "s1"} if request.param == "legacy" else {}


async def start(driver: Driver, url: str, client: dict[str, Any], **fields: Any) -> None:
    await place(driver, url)
    if client:
        await driver.session(**fields)


async def test_lists_and_calls(driver: Driver, remote: str, client: dict[str, Any]) -> None:
    await start(driver, remote, client)
    listed = msgspec.json.decode((await driver.open("tools/list", **client).outcome()).data)
    assert "test_simple_text" in [tool["name"] for tool in listed["tools"]]
    assert "simple text response" in await driver.open(tool="test_simple_text", **client).text()
    (seen,) = (await driver.link.ask(c.GetStatus())).placements
    assert [(i.state, i.pid) for i in seen.instances] == [("running", 0)]


async def test_progress_reaches_the_client(driver: Driver, remote: str, client: dict[str, Any]) -> None:
    await start(driver, remote, client)
    call = driver.open(tool="test_tool_with_progress", wants_progress=True, **client)
    await call.outcome()
    assert [event.kind for event in call.events].count(Kind.PROGRESS) == 3
