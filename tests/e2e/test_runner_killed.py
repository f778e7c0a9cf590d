"""kill -9 of one of two runners, while clients work: answers or errors in time, and what ran there runs elsewhere."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import time
from collections.abc import Iterator

import httpx
import pytest

from tests.e2e.conftest import host
from tests.e2e.http_client import HttpClient
from tests.e2e.runners import awake, dead_at, second_runner
from tests.stack import Stack

pytestmark = pytest.mark.slow
ANSWER_SECONDS, BACK_SECONDS, NOTICE_SECONDS = 20.0, 30.0, 10.0
CALLS: tuple[tuple[str, dict[str, object]], ...] = (("echo", {"text": "hello"}), ("slow", {"seconds": 2}))


@pytest.fixture
def second(local_site: Stack) -> Iterator[subprocess.Popen[bytes]]:
    with second_runner(local_site) as process:
        yield process


class Worker:
    """A client that calls again and again, as clients do: with a new session when the old one is gone."""

    def __init__(self, url: str, token: str, tool: str, arguments: dict[str, object]) -> None:
        self._endpoint = (url, token)
        self._tool, self._arguments = tool, arguments
        self.longest = 0.0
        self.answers = self.errors = 0
        self.last_answer_at = 0.0

    async def run(self, is_over: asyncio.Event) -> None:
        while not is_over.is_set():
            async with httpx.AsyncClient(timeout=60) as http:
                client = HttpClient(*self._endpoint, http)
                try:
                    await self._timed(client.initialize())
                    while not is_over.is_set():
                        await self._timed(client.call(self._tool, **self._arguments))
                        self.answers += 1
                        self.last_answer_at = time.monotonic()
                except Exception:  # whatever the client is told: it was told in time, and begins anew
                    self.errors += 1
                    await asyncio.sleep(0.5)

    async def _timed(self, call: object) -> None:
        began = time.monotonic()
        try:
            await call  # type: ignore[misc]
        finally:
            self.longest = max(self.longest, time.monotonic() - began)


async def test_answers_in_time_and_instances_back(local_site: Stack, second: subprocess.Popen[bytes]) -> None:
    busy = {f"busy-{n}": host(local_site, "slipway-test-legacy", f"busy-{n}") for n in range(4)}
    idle = {f"idle-{n}": host(local_site, "slipway-test-legacy", f"idle-{n}") for n in range(4)}
    workers = [Worker(*endpoint, *call) for endpoint in busy.values() for call in CALLS for _ in range(2)]
    is_over = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for worker in workers:
            group.create_task(worker.run(is_over))
        for endpoint in idle.values():
            async with httpx.AsyncClient(timeout=60) as http:
                client = HttpClient(*endpoint, http)
                await client.initialize()
                assert await client.call("echo", text="x") == "x"
        await asyncio.sleep(12)  # a look of the reconciler's
        before = await asyncio.to_thread(awake, local_site)
        lost = {name for name, runners in before.items() if "second" in runners}
        assert lost & set(busy), before
        assert lost & set(idle), before
        second.send_signal(signal.SIGKILL)
        killed_at, killed = time.monotonic(), time.time()
        back: dict[str, float] = {}
        while len(back) < len(lost) and time.monotonic() - killed_at < BACK_SECONDS + 10:
            now = await asyncio.to_thread(awake, local_site)
            for name in lost - set(back):
                if "local" in now.get(name, []):
                    back[name] = time.monotonic() - killed_at
            await asyncio.sleep(0.5)
        await asyncio.sleep(2)
        is_over.set()
    noticed = dead_at(local_site, "second") - killed
    longest = max(worker.longest for worker in workers)
    answers, errors = sum(w.answers for w in workers), sum(w.errors for w in workers)
    print(f"dead after {noticed:.1f} s; back after {back}; {answers} answers, {errors} errors, longest {longest:.2f} s")
    assert noticed < NOTICE_SECONDS
    assert set(back) == lost, (back, lost)
    assert max(back.values()) < BACK_SECONDS, back
    assert longest < ANSWER_SECONDS
    for worker in workers:
        assert worker.answers
        assert worker.last_answer_at > killed_at
