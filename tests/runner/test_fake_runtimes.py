"""A runner whose runtime misbehaves: calls end in words and in time, others' go on, and the runner can end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from hosting.runner import control as c
from hosting.runner import frames as f
from hosting.runner import runner as runners
from hosting.runner.ending import end
from hosting.runner.folders import Folders
from hosting.runner.remote.door import Door
from hosting.runner.runner import Runner
from hosting.runner.server import StreamServer
from hosting.runner.starter import Starter
from hosting.runner.transport import listen
from hosting.stream.stream import RunnerLink, RunnerPool
from tests.runner.conftest import LEGACY, SECONDS, Call, placement, until
from tests.runner.fake_runtimes import FakeRuntime


@dataclass
class Inside:
    """A runner in this process, with a runtime of ours; asked over its stream."""

    runner: Runner
    runtime: FakeRuntime
    link: RunnerLink

    async def call(self, deployment: str, owner: str = "alice") -> Call:
        label = f"{owner}/{deployment}"
        seconds = 0.5 if deployment.startswith("never") else SECONDS
        wanted = placement(deployment=deployment, label=label, era="legacy", start_seconds=seconds, max_instances=100)
        await self.link.ask(c.Place(wanted))
        return self.open(deployment)

    def open(self, deployment: str, isolation: str = "alice") -> Call:
        attachment = self.link.open(
            deployment=deployment, epoch=1, owner="alice", method="tools/call", revision=LEGACY,
            params=b'{"name":"any"}', end=f.EndRule.CANCEL, isolation=isolation,
        )  # fmt: skip
        return Call(attachment)


@pytest.fixture
async def inside(tmp_path: Path) -> AsyncIterator[Inside]:
    runtime = FakeRuntime()
    runner = Runner("r1", home=tmp_path, starter=Starter(runtime, Door(), Folders(tmp_path / "data")))
    server = StreamServer(runner)
    address = f"unix:{tmp_path}/r1.sock"
    listener = await listen(address, server.connection)
    pool = RunnerPool("test")
    made = Inside(runner, runtime, await pool.link(address))
    assert await (await made.call("neighbour")).text() == "neighbour"
    yield made
    listener.close()
    for process in runtime.started:
        process.release()
    await end(runner, server)
    await pool.close()


async def words(call: Call) -> str:
    """Of the error that the call ends with; a call of somebody else is answered before."""
    async with asyncio.timeout(SECONDS):
        event = await call.outcome()
    assert event.kind is f.Kind.ERROR, event
    return str(msgspec.json.decode(event.data)["message"])


async def until_gone(inside: Inside, deployment: str) -> None:
    async def is_gone() -> bool:
        return inside.runtime.living([deployment]) == []

    await until(is_gone)


@pytest.mark.parametrize(
    ("deployment", "said"),
    [
        ("refuses", "could not be started: there is no room"),
        ("breaks", "the runner failed; its log has the details"),
        ("never-starts", "could not be started: its sandbox was not ready within 0.5 s"),
        ("never-ready", "did not answer within 0.5 s of its start"),
        ("dies-in-mid-call", "ended during the call: exited with code 9; its last lines: out of cheese"),
        ("ends-unnoticed", "closed its output"),
    ],
)
async def test_the_call_ends_in_words(inside: Inside, deployment: str, said: str) -> None:
    call = await inside.call(deployment)
    assert await inside.open("neighbour").text() == "neighbour"
    assert said in await words(call)
    assert await inside.open("neighbour").text() == "neighbour"
    await until_gone(inside, deployment)
    assert inside.runtime.given_up == (deployment == "never-starts")


async def test_a_start_that_hangs_holds_up_no_other_for_long(inside: Inside) -> None:
    """As many as may start at once; the next one has its turn when they are given up."""
    calls = [await inside.call("never-starts")]
    calls += [inside.open("never-starts", f"u{number}") for number in range(19)]
    async with asyncio.timeout(SECONDS):
        assert await (await inside.call("other", owner="bob")).text() == "other"
    for call in calls:
        assert "was not ready within" in await words(call)


async def test_a_flood_ends_nobody_elses_call(inside: Inside) -> None:
    call = await inside.call("floods")
    for _ in range(10):
        assert await inside.open("neighbour").text() == "neighbour"
    await inside.link.ask(c.Unplace("floods", 1, "enough"))
    assert "enough" in await words(call)
    await until_gone(inside, "floods")


async def test_one_that_ignores_sigterm_is_ended_by_force_when_its_grace_is_over(inside: Inside) -> None:
    assert await (await inside.call("ignores-sigterm")).text() == "ignores-sigterm"
    began = time.monotonic()
    await inside.runner.stop()
    assert time.monotonic() - began < runners.STOP_SECONDS, "it was given up instead"
    assert inside.runtime.living(["ignores-sigterm", "neighbour"]) == []


async def test_the_runner_ends_though_one_never_stops(inside: Inside, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runners, "STOP_SECONDS", 0.5)
    assert await (await inside.call("never-stops")).text() == "never-stops"
    async with asyncio.timeout(SECONDS):
        await inside.runner.stop()
    assert inside.runtime.living(["neighbour"]) == []
