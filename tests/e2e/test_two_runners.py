"""Two runners of one site, the second reached over mutual TLS; and what a killed one costs."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.bound import bound
from tests.e2e.conftest import host
from tests.e2e.http_client import HttpClient
from tests.ports import free_port
from tests.stack import ROOT, SECONDS, Stack


@pytest.fixture
def far_runner(local_site: Stack, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """As on another host: a certificate that was issued for it, an address with host and port."""
    port = free_port()
    local_site.manage("runner_certificate", "far", "--host", "localhost", "--into", str(tmp_path))
    process = subprocess.Popen(
        [
            sys.executable, *bound(str(ROOT / "manage.py"), "runner", "--name", "far"),
            "--listen", f"tls:localhost:{port}",
            "--certificate", str(tmp_path / "far.pem"), "--key", str(tmp_path / "far.key"),
            "--authority", str(tmp_path / "authority.pem"),
        ],
        env=dict(local_site.environment), cwd=ROOT,
    )  # fmt: skip
    yield process
    if process.poll() is None:
        process.terminate()
    process.wait(SECONDS)


async def call_one(url: str, token: str) -> str:
    async with httpx.AsyncClient(timeout=60) as http:
        client = HttpClient(url, token, http)
        await client.initialize()
        return await client.call("echo", text=url)


def runner_of(site: Stack, name: str) -> str:
    code = (
        "from hosting.models import RunnerPlacement as P;"
        f"print(P.objects.select_related('runner').get(deployment__folded_name='{name}').runner.name)"
    )
    return site.manage("shell", "--no-imports", "-c", code).stdout.strip()


@pytest.mark.slow
async def test_two_runners_share_the_work_and_one_takes_over(
    local_site: Stack, far_runner: subprocess.Popen[bytes]
) -> None:
    names = [f"shared-{number}" for number in range(3)]
    endpoints = {}
    for name in names:
        endpoints[name] = host(local_site, "slipway-test-legacy", name)
        assert await call_one(*endpoints[name]) == endpoints[name][0]
    places = {name: runner_of(local_site, name) for name in names}
    assert "far" in places.values(), places

    far_runner.send_signal(signal.SIGKILL)
    far_runner.wait()
    moved = next(name for name, runner in places.items() if runner == "far")
    began = time.monotonic()
    assert await call_one(*endpoints[moved]) == endpoints[moved][0]
    assert time.monotonic() - began < 20
    assert runner_of(local_site, moved) != "far"
