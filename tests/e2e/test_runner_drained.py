"""Runners that are emptied, told to end or cut off while clients call: no new call fails, and nothing runs twice."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager

import httpx
import pytest

from config.launch.processes import command_line
from tests.e2e.conftest import host
from tests.e2e.http_client import HttpClient
from tests.e2e.runners import asked, awake, dead_at, placed, second_runner
from tests.mcp_endpoint.conftest import modern, tool
from tests.stack import Stack

pytestmark = pytest.mark.slow
NOTICE_SECONDS, ANSWER_SECONDS = 10.0, 20.0  # promised are 15
NAMES = [f"moved-{number}" for number in range(4)]


@pytest.fixture
def second(local_site: Stack) -> Iterator[subprocess.Popen[bytes]]:
    with second_runner(local_site) as process:
        yield process


class Load:
    """For each deployment a client that calls without a session, and one that begins session after session."""

    def __init__(self, endpoints: dict[str, tuple[str, str]]) -> None:
        self._endpoints = endpoints
        self.answers: dict[str, int] = dict.fromkeys(endpoints, 0)
        self.failures: list[str] = []
        self.lost_sessions = 0
        self.is_over = False

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as group:
            for name in self._endpoints:
                group.create_task(self._calls(name))
                group.create_task(self._sessions(name))
            yield
            self.is_over = True

    async def more(self, count: int = 20) -> None:
        """Until each deployment has answered that many times more."""
        wanted = {name: done + count for name, done in self.answers.items()}
        async with asyncio.timeout(90):
            while any(self.answers[name] < wanted[name] for name in wanted):  # noqa: ASYNC110 - counted by others
                await asyncio.sleep(0.05)

    async def _calls(self, name: str) -> None:
        url, token = self._endpoints[name]
        body, headers = modern(tool("slow", seconds=0.1))
        headers |= {"authorization": f"Bearer {token}", "accept": "application/json, text/event-stream"}
        async with httpx.AsyncClient(timeout=60, headers=headers) as http:
            while not self.is_over:
                answer = await http.post(url, json=body)
                self._counted(name, "a call", answer.status_code == 200 and "done" in answer.text, answer)

    async def _sessions(self, name: str) -> None:
        async with httpx.AsyncClient(timeout=60) as http:
            while not self.is_over:
                client = HttpClient(*self._endpoints[name], http)
                async with client.post("initialize", OPENING) as answer:
                    await answer.aread()
                    is_well = answer.status_code == 200 and "protocolVersion" in answer.text
                    self._counted(name, "a session", is_well, answer)
                    client.headers["Mcp-Session-Id"] = answer.headers.get("Mcp-Session-Id", "")
                for _ in range(3):
                    async with client.post("tools/call", {"name": "echo", "arguments": {"text": "hi"}}) as answer:
                        await answer.aread()
                        if answer.status_code == 404:
                            self.lost_sessions += 1
                            break
                        self._counted(name, "a call of a session", "hi" in answer.text, answer)
                await http.delete(client.url, headers=client.headers)

    def _counted(self, name: str, what: str, is_well: bool, answer: httpx.Response) -> None:
        if is_well:
            self.answers[name] += 1
        else:
            self.failures.append(f"{what} of {name}: {answer.status_code} {answer.text[:300]}")


OPENING = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}


async def until(condition: Callable[[], bool], seconds: float) -> float:
    """How long that took. The condition is asked in a thread."""
    began = time.monotonic()
    while not await asyncio.to_thread(condition):
        assert time.monotonic() - began < seconds, f"not within {seconds:g} s"
        await asyncio.sleep(0.2)
    return time.monotonic() - began


def on(site: Stack, runner: str) -> set[str]:
    """What is placed there."""
    return {name for name, where in placed(site).items() if where == runner and name in NAMES}


async def test_no_new_call_fails_while_runners_are_emptied_and_end(
    local_site: Stack, second: subprocess.Popen[bytes]
) -> None:
    load = Load({name: host(local_site, "slipway-test-legacy", name, owner="mona") for name in NAMES})
    async with load.running():
        await load.more()
        for emptied, other in (("local", "second"), ("second", "local")):
            assert "takes nothing new" in (await asyncio.to_thread(local_site.manage, "runner_drain", emptied)).stderr
            await until(lambda other=other: on(local_site, other) == set(NAMES), 30)  # type: ignore[misc]
            await load.more()
            await asyncio.to_thread(local_site.manage, "runner_drain", emptied, "--undo")
        assert (load.failures, load.lost_sessions) == ([], 0), load.failures
        by_command = sum(load.answers.values())

        await asyncio.to_thread(local_site.manage, "runner_drain", "local")
        await until(lambda: on(local_site, "second") == set(NAMES), 30)
        await asyncio.to_thread(local_site.manage, "runner_drain", "local", "--undo")
        await load.more()
        second.send_signal(signal.SIGTERM)
        took = await until(lambda: second.poll() is not None, 60)
        await load.more()
        assert on(local_site, "local") == set(NAMES)
    print(f"{by_command} answers over two drains by command; {sum(load.answers.values()) - by_command} over a SIGTERM,")
    print(f"after which it ended in {took:.1f} s; {load.lost_sessions} sessions began anew; failed: {load.failures}")
    assert load.failures == []
    assert second.returncode == 0


async def test_a_runner_that_was_cut_off_gives_way_when_it_is_back(
    local_site: Stack, second: subprocess.Popen[bytes]
) -> None:
    """Split brain: it is frozen, so that it looks dead, and still holds its instances when it thaws."""
    url, token = host(local_site, "slipway-test-legacy", "frozen", owner="mona")
    await asyncio.to_thread(local_site.manage, "runner_drain", "local")
    try:
        async with httpx.AsyncClient(timeout=60) as http:
            before = HttpClient(url, token, http)
            await before.initialize()
            assert await before.call("count") == "0"
            await until(lambda: awake(local_site).get("frozen") == ["second"], 20)
    finally:
        await asyncio.to_thread(local_site.manage, "runner_drain", "local", "--undo")
    servers = await asyncio.to_thread(pids, local_site, "frozen", "second")
    assert servers
    assert all(command_line(server) for server in servers)
    running = asyncio.create_task(slow_call(url, token))
    await asyncio.sleep(2)  # its session has begun, and it runs
    second.send_signal(signal.SIGSTOP)
    try:
        frozen_at = time.time()
        await until(lambda: placed(local_site).get("frozen") == "local", 25)
        noticed = dead_at(local_site, "second") - frozen_at
        assert noticed < NOTICE_SECONDS
        async with asyncio.timeout(ANSWER_SECONDS):
            said = await running
        assert "the connection to its runner broke" in said
        async with httpx.AsyncClient(timeout=60) as http:
            client = HttpClient(url, token, http)
            began = time.monotonic()
            await client.initialize()
            assert await client.call("count") == "0"
            answered = time.monotonic() - began
    finally:
        second.send_signal(signal.SIGCONT)
    gave_way = await until(lambda: not any(command_line(server) for server in servers), 25)
    await until(lambda: awake(local_site).get("frozen") == ["local"], 25)
    print(
        f"moved {noticed:.1f} s after it froze, answered in {answered:.1f} s, gave way {gave_way:.1f} s after it thawed"
    )
    async with httpx.AsyncClient(timeout=60) as http:
        before._http = http
        async with before.post("tools/call", {"name": "echo", "arguments": {"text": "x"}}) as answer:
            assert answer.status_code == 404, await answer.aread()


async def slow_call(url: str, token: str) -> str:
    """What a client is told that calls a tool which takes a minute."""
    body, headers = modern(tool("slow", seconds=60))
    headers |= {"authorization": f"Bearer {token}", "accept": "application/json, text/event-stream"}
    async with httpx.AsyncClient(timeout=60, headers=headers) as http:
        return (await http.post(url, json=body)).text


def pids(site: Stack, name: str, runner: str) -> list[int]:
    """Of a deployment's instances on that runner."""
    rows = f"I.objects.filter(deployment__name='{name}', runner__name='{runner}').values_list('pid', flat=True)"
    found: list[int] = asked(site, f"from hosting.models import Instance as I\nfound = list({rows})")
    return found
