"""A site of its own for each test, since every one of them breaks something."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.packages.local_index import LocalIndex
from tests.stack import ROOT, Stack
from tests.tasks.conftest import LegacyTasks

WORKSHOP = Path(__file__).parents[1] / "servers" / "workshop.py"
# The server uses a thread for each call.
MANY_AT_ONCE = """
from hosting.models import Deployment
from hosting.fleet.placing import placement_renew
deployment = Deployment.objects.get()
Deployment.objects.update(limits={"processes": 512, "in_flight": 300})
placement_renew(deployment)
"""
PART_SECONDS = 60.0
ENDED = frozenset({"completed", "failed", "cancelled"})


@dataclass(frozen=True)
class Broken:
    site: Stack
    url: str
    token: str
    api_token: str

    def kill_each(self, word: str) -> int:
        """Kill -9 all that have this word in their command; how many there were. A server may have several instances:
        one for each session, and one that was started to look at its tools."""
        found = [pid for pid, command in self.site.processes().items() if word in command]
        for pid in found:
            with suppress(ProcessLookupError):  # it died with one before it
                os.kill(pid, signal.SIGKILL)
        return len(found)

    def kill(self, word: str, number: signal.Signals = signal.SIGKILL) -> None:
        """Kill -9 the part of the site with this word in its command, once it is there; the supervisor starts it again
        later with each time."""
        deadline = time.monotonic() + PART_SECONDS
        while True:
            try:
                os.kill(self.site.part(word), number)
            except (LookupError, ProcessLookupError):
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)  # called in a thread or where nothing else is to happen
            else:
                return

    @contextmanager
    def second_worker(self) -> Iterator[subprocess.Popen[bytes]]:
        """Another worker than the supervisor's, which nobody starts again."""
        argv = [sys.executable, str(ROOT / "manage.py"), "worker"]
        log = (self.site.home / "logs" / "second-worker.log").open("wb")
        with log:
            worker = subprocess.Popen(
                argv, env=dict(self.site.environment), cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        try:
            yield worker
        finally:
            worker.kill()
            worker.wait()

    @contextmanager
    def nothing_started_again(self) -> Iterator[None]:
        """What dies meanwhile stays away: the supervisor is held."""
        os.kill(self.site.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.site.pid, signal.SIGCONT)

    async def _working(self, seconds: float, enough: Callable[[list[Any]], bool]) -> float:
        """How long it took until the open tasks were so. Asks the API of the site, which needs no runner."""
        began = time.monotonic()
        headers = {"Authorization": f"Bearer {self.api_token}"}
        async with httpx.AsyncClient(headers=headers, timeout=30) as http:
            while True:
                tasks = (await http.get(f"{self.site.url}/api/tasks?state=working&limit=100")).json()["items"]
                if enough(tasks):
                    return time.monotonic() - began
                assert time.monotonic() < began + seconds, [(task["state"], task["reason"]) for task in tasks]
                await asyncio.sleep(0.2)

    async def until_all_run(self, seconds: float = 60.0) -> float:
        """What is not yet at an instance runs at another one, should that one die."""
        return await self._working(seconds, lambda tasks: all(task["state"] == "working" for task in tasks))

    async def until_none_works(self, seconds: float = 60.0) -> float:
        return await self._working(seconds, lambda tasks: not tasks)

    @property
    def workers_so_far(self) -> int:
        """How many of the supervisor's workers have taken jobs."""
        return self.site.log("worker").count("ready.")

    async def until_a_worker_is_there(self, before: int, seconds: float = 60.0) -> None:
        async with asyncio.timeout(seconds):
            while self.workers_so_far == before:  # noqa: ASYNC110 - its log is all that tells
                await asyncio.sleep(0.05)


@pytest.fixture
def broken(tmp_path: Path) -> Iterator[Broken]:
    with LocalIndex() as index:
        index.add_wheel(
            "slipway-test-workshop",
            "1.0",
            {"slipway_test_workshop.py": WORKSHOP.read_text()},
            scripts={"slipway-test-workshop": "slipway_test_workshop:main"},
        )
        site = Stack(tmp_path / "site", UV_INDEX=f"{index.url}/simple", WEB_PROCESSES="2")
        site.start()
        try:
            words = ("pypi:slipway-test-workshop", "--owner", "alice", "--name", "t")
            url = site.manage("host", *words).stdout.strip()
            site.manage("shell", "-c", MANY_AT_ONCE)
            token = site.manage("issue_token", "--user", "alice", "--deployment", "alice/t").stdout.strip()
            api_token = site.manage("issue_token", "--user", "alice", "--api").stdout.strip()
            yield Broken(site, url, token, api_token)
        finally:
            site.stop()


class Caller(LegacyTasks):
    """Goes on whatever happens: what isn't answered is asked again."""

    async def again(self, work: Callable[[], Awaitable[Any]], seconds: float = 60.0) -> Any:
        async with asyncio.timeout(seconds):
            while True:
                try:
                    message = await work()
                    if isinstance(message, dict) and (
                        "result" in message or message.get("error", {}).get("code") != -32603
                    ):
                        return message
                except (httpx.HTTPError, AssertionError, KeyError, ValueError):
                    pass  # AssertionError: its status was not 200
                await asyncio.sleep(0.2)

    async def ends(self, task_ids: list[str], seconds: float) -> dict[str, str]:
        """Status by task, once all have ended."""
        ended: dict[str, str] = {}
        async with asyncio.timeout(seconds):
            while len(ended) < len(task_ids):
                for task_id in task_ids:
                    if task_id not in ended:
                        found = await self.again(lambda task_id=task_id: self.get(task_id))  # type: ignore[misc]
                        if found["result"]["status"] in ENDED:
                            ended[task_id] = found["result"]["status"]
                await asyncio.sleep(0.5)
        return ended


@pytest.fixture
async def caller(broken: Broken) -> AsyncIterator[Caller]:
    async with httpx.AsyncClient(timeout=30) as http:
        client = Caller(broken.url, broken.token, http)
        await client.initialize()
        yield client
