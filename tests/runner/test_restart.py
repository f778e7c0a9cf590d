"""A runner that executes itself anew, with all that runs on it."""

from __future__ import annotations

import asyncio
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from config.launch.processes import command_line
from hosting.runner import control as c
from hosting.runner.frames import Kind, Mode
from hosting.runner.handover import STATE
from hosting.runner.seen import Status
from hosting.stream.stream import RefusedError, RunnerPool
from tests.runner.conftest import ROOT, SECONDS, Call, Driver, placement


async def restart(driver: Driver, order: c.Restart = c.Restart()) -> Status:  # noqa: B008 - frozen
    """Returns when it is done; fails when it came to nothing."""
    before = (await driver.link.ask(c.GetStatus())).restarts
    await driver.link.ask(order)
    async with asyncio.timeout(SECONDS):
        while True:
            status = await driver.link.ask(c.GetStatus())
            assert not status.restart_problem, status.restart_problem
            if status.restarts > before:
                return status
            await asyncio.sleep(0.02)


async def refused_restart(driver: Driver) -> str:
    """The reason that the runner gives."""
    driver.process.send_signal(signal.SIGHUP)
    async with asyncio.timeout(SECONDS):
        while True:
            problem = (await driver.link.ask(c.GetStatus())).restart_problem
            if problem:
                return problem
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("sandbox", ["bubblewrap", "insecure"])
async def test_it_stays_the_same_process_and_boot_and_its_instances_go_on(
    start_runner: Callable[..., Any], sandbox: str
) -> None:
    driver: Driver = await start_runner(sandbox)
    await driver.link.ask(c.Place(placement()))
    await driver.session()
    assert await driver.open(tool="slow", arguments={"seconds": 0}, session="s1").text() == "done"
    before = (await driver.link.ask(c.GetStatus())).placements[0].instances
    boot, pid = driver.link.boot, driver.process.pid
    status = await restart(driver)
    assert driver.process.returncode is None
    assert (driver.link.boot, driver.process.pid) == (boot, pid)
    after = status.placements[0].instances
    assert [(i.id, i.pid, i.state, i.calls) for i in after] == [(i.id, i.pid, i.state, i.calls) for i in before]
    assert await driver.open(tool="count", session="s1").text() == "1"


async def test_it_takes_new_settings_and_keeps_them(driver: Driver) -> None:
    def options() -> str:
        return command_line(driver.process.pid).partition(" --networks ")[2].partition(" --state ")[0]

    await driver.link.ask(c.Place(placement()))
    await driver.session()
    await restart(driver, c.Restart(networks="10.9.0.0/16,fd00::/8", ports="8443,9443"))
    assert options() == "10.9.0.0/16,fd00::/8 --ports 8443,9443"
    for wrong in (c.Restart(networks="10.9.0.0/99"), c.Restart(ports="https")):
        with pytest.raises(RefusedError, match="its new settings can't be read"):
            await driver.link.ask(wrong)
    await restart(driver)
    assert options() == "10.9.0.0/16,fd00::/8 --ports 8443,9443"
    await restart(driver, c.Restart(networks=""))
    assert "10.9.0.0" not in command_line(driver.process.pid)
    assert await driver.open(tool="count", session="s1").text() == "0"


async def test_a_running_call_of_each_era_ends_as_if_nothing_had_been(driver: Driver) -> None:
    await driver.link.ask(c.Place(placement()))
    await driver.session()
    legacy = driver.open(tool="progress", arguments={"steps": 12, "pause": 0.1}, session="s1", wants_progress=True)
    modern = driver.open(tool="slow", arguments={"seconds": 1.2})
    await legacy.until(Kind.PROGRESS)
    await restart(driver)
    assert await legacy.text() == "done"
    steps = [event.seq for event in legacy.events if event.kind is Kind.PROGRESS]
    assert len(steps) == 12
    assert await modern.text() == "done"
    assert await driver.open(tool="count").text() == "1"


async def test_an_open_question_can_be_answered_afterwards(driver: Driver) -> None:
    await driver.link.ask(c.Place(placement()))
    await driver.session(capabilities=b'{"elicitation":{}}')
    call = driver.open(tool="ask", session="s1")
    question = await call.until(Kind.INPUT_REQUESTED)
    await restart(driver)
    answer = c.Answer(owner="alice", session="s1", key=question.extra, result=b'{"action":"cancel"}')
    assert (await driver.link.ask(answer)).first
    assert not (await driver.link.ask(answer)).first
    assert await call.text() == '{"action": "cancel"}'


async def test_a_modern_servers_question_can_be_answered_afterwards(driver: Driver) -> None:
    await driver.link.ask(c.Place(placement("modern")))
    await driver.session(capabilities=b'{"elicitation":{}}')
    call = driver.open(tool="ask", session="s1")
    question = await call.until(Kind.INPUT_REQUESTED)
    await restart(driver)
    answer = c.Answer(owner="alice", session="s1", key=question.extra, result=b'{"action":"cancel"}')
    assert (await driver.link.ask(answer)).first
    assert await call.text() == '{"action": "cancel"}'


@pytest.mark.parametrize("server", ["legacy", "modern"])
async def test_listeners_hear_on(driver: Driver, server: str) -> None:
    await driver.link.ask(c.Place(placement(server)))
    params = b'{"notifications":{"toolsListChanged":true}}'
    call = driver.open("subscriptions/listen", params=params)
    assert (await call.until(Kind.NOTIFICATION)).extra == "notifications/subscriptions/acknowledged"
    await restart(driver)
    changed = "notifications/tools/list_changed"
    assert await driver.open(tool="change", arguments={"method": changed}).text() == "announced"
    assert (await call.until(Kind.NOTIFICATION)).extra == changed


async def test_large_answers_half_read_go_on_where_they_were(driver: Driver) -> None:
    await driver.link.ask(c.Place(placement()))
    size = 5_000_000  # more than an attachment's credit: the rest waits for the reader
    call = driver.open(tool="big", arguments={"bytes": size})
    page = Call(driver.link.attach(call.attachment.exchange, owner="alice", mode=Mode.OBSERVE))
    await asyncio.sleep(0.5)
    await restart(driver)
    assert len(await call.text()) == len(await page.text()) == size


async def test_a_server_that_is_just_starting_is_started_anew_and_its_calls_wait(driver: Driver) -> None:
    await driver.link.ask(c.Place(placement()))
    calls = [driver.open(tool="echo", arguments={"text": str(n)}, owner=f"u{n}", isolation=f"u{n}") for n in range(3)]
    await restart(driver)
    assert [await call.text() for call in calls] == ["0", "1", "2"]


async def test_the_end_of_a_server_is_seen_afterwards(driver: Driver) -> None:
    await driver.link.ask(c.Place(placement()))
    await driver.session()
    await restart(driver)
    call = driver.open(tool="crash", session="s1")
    outcome = await call.outcome()
    assert outcome.kind is Kind.ERROR
    assert b"exited with code 3" in outcome.data
    assert b"about to crash" in outcome.data


async def test_the_stream_of_a_finished_call_can_still_be_resumed(driver: Driver) -> None:
    await driver.link.ask(c.Place(placement()))
    await driver.session()
    first = driver.open(tool="slow", arguments={"seconds": 0.3}, session="s1")
    assert await first.text() == "done"
    await restart(driver)
    again = Call(driver.link.attach(first.attachment.exchange, owner="alice"))
    assert await again.text() == "done"
    assert await driver.open(tool="count", session="s1").text() == "1"


async def test_a_modern_call_of_a_web_process_that_does_not_come_back_is_cancelled(driver: Driver) -> None:
    await driver.link.ask(c.Place(placement()))
    other = RunnerPool("other")
    link = await other.link(driver.address)
    call = driver.open(tool="slow", arguments={"seconds": 30}, exchange="x")
    await asyncio.sleep(0.5)
    page = Call(link.attach(call.attachment.exchange, owner="alice", mode=Mode.OBSERVE))
    driver.link, gone = link, driver.link
    driver.process.send_signal(signal.SIGHUP)
    async with asyncio.timeout(SECONDS):
        while not gone.is_held:  # noqa: ASYNC110 - nobody else is told of it
            await asyncio.sleep(0)
    gone.close()
    assert (await page.outcome()).kind is Kind.CANCELLED
    await other.close()


async def test_output_of_before_is_still_there_and_new_lines_follow(driver: Driver) -> None:
    await driver.link.ask(c.Place(placement()))
    feed = Call(driver.link.attach("feed:d1", owner="system", mode=Mode.OBSERVE))
    await driver.session()
    await feed.until(Kind.INSTANCE)
    await restart(driver)
    await driver.open(tool="crash", session="s1").outcome()
    while b"stderr" not in (line := (await feed.until(Kind.OUTPUT)).data):
        pass  # the conversation, which is traced while somebody watches
    assert b"about to crash" in line
    tail = await driver.link.ask(c.GetTail("d1"))
    assert "about to crash" in [line.line for line in tail.lines]


@pytest.fixture
def code(tmp_path: Path) -> Path:
    """A copy of the program, which may be broken."""
    for package in ("common", "hosting", "oauth"):
        shutil.copytree(ROOT / package, tmp_path / "code" / package, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / "code"


async def test_new_code_that_does_not_start_is_refused_and_the_runner_goes_on(
    start_runner: Callable[..., Any], code: Path
) -> None:
    driver: Driver = await start_runner(folder=code)
    await driver.link.ask(c.Place(placement()))
    await driver.session()
    broken = code / "hosting" / "runner" / "runner.py"
    good = broken.read_text()
    broken.write_text(good + "\nraise RuntimeError('a bad release')\n")
    assert await refused_restart(driver) == "its new code can't go on from here: RuntimeError: a bad release"
    assert await driver.open(tool="echo", arguments={"text": "here"}, session="s1").text() == "here"
    broken.write_text(good)
    await restart(driver)
    assert await driver.open(tool="echo", arguments={"text": "still"}, session="s1").text() == "still"


async def test_state_of_another_version_is_refused(start_runner: Callable[..., Any], code: Path) -> None:
    driver: Driver = await start_runner(folder=code)
    handover = code / "hosting" / "runner" / "handover.py"
    handover.write_text(handover.read_text().replace(f"STATE = {STATE}", "STATE = 1000"))
    assert "another version: drain the runner" in await refused_restart(driver)
