"""The fixture by its SDKs' own HTTP: what it can't do alone, no platform around it can be asked for."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from uv import find_uv_bin

from tests.conformance.suite import run_suite
from tests.conformance.wheels import SOURCE, VARIANTS
from tests.ports import free_port

pytestmark = pytest.mark.slow
START_SECONDS = 30.0

# The SDK's HTTP layer does not compare Mcp-Name with the taskId (SEP-2663); the endpoint of a platform has to.
NOT_THE_FIXTURES = {"tasks-request-headers"}

Environments = Callable[[str], Path]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environments:
    """Makes a virtual environment with what the variant requires, once; gives its python."""
    made: dict[str, Path] = {}

    def make(requirement: str) -> Path:
        if requirement not in made:
            folder = tmp_path_factory.mktemp("sdk")
            made[requirement] = folder / "bin" / "python"
            uv = find_uv_bin()
            subprocess.run([uv, "venv", "--quiet", "--allow-existing", "--python", sys.executable, folder], check=True)
            install = [uv, "pip", "install", "--quiet", "--python", str(made[requirement]), requirement]
            subprocess.run(install, check=True)
        return made[requirement]

    return make


@contextmanager
def served(python: Path, variant: str) -> Iterator[str]:
    port = free_port()
    code = f"from slipway_conformance.{variant} import main; main()"
    path = {"PYTHONPATH": str(SOURCE.parent)}
    process = subprocess.Popen([python, "-c", code, "--http", str(port)], env={**os.environ, **path})
    try:
        _await_port(port, process)
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        process.terminate()
        process.wait(10)


def _await_port(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except ConnectionRefusedError:
            assert process.poll() is None, "the fixture ended"
            assert time.monotonic() < end, "the fixture did not open its port"
            time.sleep(0.05)


@pytest.mark.parametrize(
    ("variant", "revision", "scored", "not_scored"),
    [
        ("dual", "2025-11-25", "30/30", "3/3"),
        ("dual", "2026-07-28", "37/37", "12/13"),
        ("modern", "2026-07-28", "37/37", "12/13"),
        ("legacy", "2025-11-25", "30/30", "3/3"),
    ],
)
def test_fixture_alone_scores(
    environment: Environments, variant: str, revision: str, scored: str, not_scored: str
) -> None:
    with served(environment(VARIANTS[variant].requires[0]), variant) as url:
        report = run_suite(url, revision)
    assert (report.score(), report.score(is_scored=False)) == (scored, not_scored), str(report)
    assert set(report.failed(is_scored=False)) <= NOT_THE_FIXTURES
    assert not report.warnings(), str(report)
