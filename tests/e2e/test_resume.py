"""A web process dies in mid-call: the legacy client goes on at another one, and the tool ran once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import httpx
import pytest

from tests.bound import bound
from tests.e2e.conftest import host
from tests.e2e.http_client import HttpClient, events, outcome, text_of
from tests.ports import free_port
from tests.stack import ROOT, SECONDS, START_SECONDS, Stack


@contextmanager
def another_web(site: Stack) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """One more web process of the same site, on a port of its own."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, *bound(str(ROOT / "manage.py"), "web", "--port", str(port))],
        env=dict(site.environment),
        cwd=ROOT,
    )
    try:
        end = time.monotonic() + START_SECONDS
        with httpx.Client(timeout=SECONDS) as http:
            while True:
                try:
                    http.get(f"http://127.0.0.1:{port}/healthz")
                    break
                except httpx.TransportError:
                    assert process.poll() is None
                    assert time.monotonic() < end, "it does not answer"
                    time.sleep(0.05)
        yield process, port
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(SECONDS)


def at(url: str, port: int) -> str:
    return urlsplit(url)._replace(netloc=f"127.0.0.1:{port}").geturl()


async def test_a_killed_web_process_costs_the_client_nothing(local_site: Stack) -> None:
    url, token = host(local_site, "slipway-test-legacy", "slow")
    with another_web(local_site) as (doomed, port):
        async with httpx.AsyncClient(timeout=60) as http:
            client = HttpClient(at(url, port), token, http)
            await client.initialize()
            last = ""
            with pytest.raises(httpx.TransportError):
                async with client.post("tools/call", {"name": "slow", "arguments": {"seconds": 3}}) as answer:
                    assert answer.headers["Content-Type"] == "text/event-stream"
                    async for event in events(answer):
                        last = event.id
                        doomed.send_signal(signal.SIGKILL)
            assert last
            client.url = url
            async with client.resume(last) as answer:
                assert answer.status_code == 200
                assert text_of(await outcome(answer)) == "done"
            assert await client.call("count") == "1"


@pytest.mark.slow
async def test_two_web_processes_serve_one_session(local_site: Stack) -> None:
    url, token = host(local_site, "slipway-test-legacy", "slow")
    with another_web(local_site) as (_, port):
        async with httpx.AsyncClient(timeout=60) as http:
            client = HttpClient(url, token, http)
            await client.initialize()
            await client.call("slow", seconds=0)
            client.url = at(url, port)
            assert await client.call("count") == "1"
            deleted = await http.delete(client.url, headers=client.headers)
            assert deleted.status_code in (200, 204)
            client.url = url
            async with client.post("tools/list", {}) as answer:
                assert answer.status_code == 404


@pytest.mark.slow  # a busy machine may take longer to have its runner back than calls wait for it
async def test_a_killed_runner_costs_a_wait_and_the_session(local_site: Stack) -> None:
    url, token = host(local_site, "slipway-test-legacy", "restarted")
    async with httpx.AsyncClient(timeout=60) as http:
        client = HttpClient(url, token, http)
        await client.initialize()
        os.kill(local_site.part("hosting.runner"), signal.SIGKILL)
        fresh = HttpClient(url, token, http)
        await fresh.initialize()
        assert await fresh.call("echo", text="again") == "again"
        async with client.post("tools/list", {}) as answer:
            assert answer.status_code == 404  # the old session went with its runner, so the client starts anew
