"""Clients of both eras against real remotes of both eras, served by the SDKs over HTTP."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from uv import find_uv_bin

from hosting.runner import control as c
from hosting.runner.frames import Kind, Mode
from tests.conformance.wheels import VARIANTS
from tests.runner.conftest import SECONDS, Call, Driver
from tests.runner.remote.conftest import place
from tests.runner.remote.servers import conformance_server

ELICITATION = b'{"elicitation":{"form":{}}}'
ANSWER = b'{"action":"accept","content":{"name":"Ada"}}'
CHANGED = "notifications/tools/list_changed"


@pytest.fixture(scope="session")
def old_python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """An interpreter with SDK 1.x."""
    folder: Path = tmp_path_factory.mktemp("sdk1")
    uv = find_uv_bin()
    subprocess.run([uv, "venv", "--quiet", "--allow-existing", "--python", sys.executable, folder], check=True)
    python = str(folder / "bin" / "python")
    subprocess.run([uv, "pip", "install", "--quiet", "--python", python, *VARIANTS["legacy"].requires], check=True)
    return python


@pytest.fixture(params=["modern", *(pytest.param(one, marks=pytest.mark.slow) for one in ("dual", "legacy"))])
def remote(request: pytest.FixtureRequest) -> Iterator[str]:
    variant: str = request.param
    python = request.getfixturevalue("old_python") if variant == "legacy" else sys.executable
    with conformance_server(variant, python) as url:
        yield url


@pytest.fixture(params=["legacy", "modern"])
def client(request: pytest.FixtureRequest) -> dict[str, Any]:
    """What a client of that era adds to each of its calls."""
    return {"session": "s1"} if request.param == "legacy" else {}


async def start(driver: Driver, url: str, client: dict[str, Any], capabilities: bytes = b"{}") -> None:
    await place(driver, url)
    if client:
        await driver.session(capabilities=capabilities)


async def era_of(driver: Driver) -> set[str]:
    (seen,) = (await driver.link.ask(c.GetStatus())).placements
    return {instance.era for instance in seen.instances}


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
    assert await call.text() == "Done."
    progress = [msgspec.json.decode(event.data) for event in call.events if event.kind is Kind.PROGRESS]
    assert [one["progress"] for one in progress] == [0, 50, 100]


async def test_log_lines_of_two_calls_at_once_reach_their_own(
    driver: Driver, remote: str, client: dict[str, Any]
) -> None:
    """Over stdio nobody can tell which call a line belongs to; over HTTP the stream does."""
    await start(driver, remote, client)
    level = {} if client else {"log_level": "info"}
    if client:
        params = b'{"level":"info"}'
        await driver.open("logging/setLevel", params=params, session="s1").outcome()
    calls = [driver.open(tool="test_tool_with_logging", **client, **level) for _ in range(2)]
    for call in calls:
        assert await call.text() == "Logged."
        lines = [msgspec.json.decode(event.data)["data"] for event in call.events if event.kind is Kind.LOG]
        assert lines == ["Tool execution started", "Tool processing data", "Tool execution completed"]


async def test_a_question_goes_to_the_client_and_its_answer_back(
    driver: Driver, remote: str, client: dict[str, Any]
) -> None:
    capabilities: dict[str, Any] = {} if client else {"capabilities": ELICITATION}
    await start(driver, remote, client, ELICITATION)
    call = driver.open(tool="test_input_required_result_elicitation", **client, **capabilities)
    question = await call.until(Kind.INPUT_REQUESTED)
    assert msgspec.json.decode(question.data)["method"] == "elicitation/create"
    where: dict[str, Any] = {"session": "s1"} if client else {"exchange": call.attachment.exchange}
    await driver.link.ask(c.Answer(owner="alice", key=question.extra, result=ANSWER, **where))
    assert await call.text() == "Hello, Ada!"


async def test_a_cancelled_call_ends_and_the_next_one_works(
    driver: Driver, remote: str, client: dict[str, Any]
) -> None:
    await start(driver, remote, client)
    call = driver.open(tool="test_tool_with_progress", wants_progress=True, **client)
    await call.until(Kind.PROGRESS)
    await driver.link.ask(c.Cancel(call.attachment.exchange, "alice", "changed my mind"))
    assert (await call.outcome()).kind is Kind.CANCELLED
    assert "simple text" in await driver.open(tool="test_simple_text", **client).text()


async def test_changes_of_its_tools_reach_a_legacy_session(driver: Driver, remote: str) -> None:
    await start(driver, remote, {"session": "s1"})
    channel = Call(driver.link.attach("session:s1", owner="alice", mode=Mode.OBSERVE))
    await driver.open(tool="test_simple_text", session="s1").text()
    await driver.open(tool="test_trigger_tool_change", session="s1").text()
    async with asyncio.timeout(SECONDS):
        while (await channel.until(Kind.NOTIFICATION)).extra != CHANGED:
            pass


@pytest.mark.parametrize(
    "remote", ["modern", pytest.param("dual", marks=pytest.mark.slow)], indirect=True
)  # SDK 1.x declares no listChanged over HTTP
async def test_changes_of_its_tools_reach_a_modern_listener(driver: Driver, remote: str) -> None:
    await place(driver, remote)
    params = msgspec.json.encode({"notifications": {"toolsListChanged": True}})
    listener = driver.open("subscriptions/listen", params=params)
    acknowledged = await listener.until(Kind.NOTIFICATION)
    assert acknowledged.extra == "notifications/subscriptions/acknowledged"
    assert msgspec.json.decode(acknowledged.data)["notifications"]
    await driver.open(tool="test_trigger_tool_change").text()
    assert (await listener.until(Kind.NOTIFICATION)).extra == CHANGED


async def test_a_stream_that_the_remote_ends_is_taken_up_again(
    driver: Driver, remote: str, client: dict[str, Any]
) -> None:
    """SEP-1699; a stateless remote does not end it, since nobody could come back."""
    await start(driver, remote, client)
    assert await driver.open(tool="test_reconnection", **client).text() == "Reconnected."


async def test_arguments_are_mirrored_in_headers(driver: Driver, remote: str, client: dict[str, Any]) -> None:
    """Nobody has listed the tools before: the refused call is sent again once they are known."""
    await start(driver, remote, client)
    for region in ("eu-west", "Österreich ", " "):
        call = driver.open(tool="test_x_mcp_header", arguments={"region": region}, **client)
        assert await call.text() == f"Region {region}"


async def test_it_sleeps_and_wakes(driver: Driver, remote: str) -> None:
    await place(driver, remote, idle_seconds=0.2)
    await driver.open(tool="test_simple_text").text()
    feed = Call(driver.link.attach("feed:d1", owner="system", mode=Mode.OBSERVE))
    async with asyncio.timeout(SECONDS):
        while msgspec.json.decode((await feed.until(Kind.INSTANCE)).data)["state"] != "stopped":
            pass
    assert "simple text" in await driver.open(tool="test_simple_text").text()


async def test_a_remote_that_changed_its_era_is_asked_anew(driver: Driver) -> None:
    with conformance_server("modern") as url:
        await place(driver, url, era="legacy")
        assert "simple text" in await driver.open(tool="test_simple_text").text()
        assert await era_of(driver) == {"modern"}
