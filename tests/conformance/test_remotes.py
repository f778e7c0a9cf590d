"""The official suite against the fixture as a remote server: served by its SDK over HTTP, hosted by address."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from uv import find_uv_bin

from tests.conformance import wheels
from tests.conformance.suite import run_suite
from tests.conformance.test_conformance import EXPECTED, STATELESS, Hosted, check, warm
from tests.ports import free_port
from tests.runner.remote.servers import conformance_process
from tests.stack import Stack

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def python_with(requirements: tuple[str, ...], folder: Path) -> str:
    uv = find_uv_bin()
    subprocess.run([uv, "venv", "--quiet", "--allow-existing", "--python", sys.executable, folder], check=True)
    python = str(folder / "bin" / "python")
    subprocess.run([uv, "pip", "install", "--quiet", "--python", python, *requirements], check=True)
    return python


@pytest.fixture(scope="module")
def hosted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Hosted]]:
    ports = {name: free_port() for name in wheels.VARIANTS}
    with ExitStack() as exits:
        for name, variant in wheels.VARIANTS.items():
            python = python_with(variant.requires, tmp_path_factory.mktemp(name))
            exits.enter_context(conformance_process(name, ports[name], python))
        site = Stack(
            tmp_path_factory.mktemp("remotes"),
            WEB_PROCESSES="2",
            MCP_STREAM_SECONDS="3",
            SLIPWAY_EGRESS_PRIVATE="127.0.0.0/8",
            SLIPWAY_EGRESS_PORTS=",".join(map(str, ports.values())),
        )
        exits.callback(site.stop)
        site.start()
        found = {}
        for name, port in ports.items():
            reference = f"remote:http://127.0.0.1:{port}/mcp"
            url = site.manage("host", reference, "--owner", "alice", "--name", name).stdout.strip()
            token = site.manage("issue_token", "--user", "alice", "--deployment", f"alice/{name}").stdout.strip()
            found[name] = Hosted(url, token)
        yield found


@pytest.mark.parametrize(("variant", "revision"), [pytest.param(*key, id="-".join(key)) for key in EXPECTED])
def test_remote_fixture_scores(hosted: dict[str, Hosted], variant: str, revision: str) -> None:
    server = hosted[variant]
    if revision == STATELESS:
        warm(server)
    check(run_suite(server.url, revision, token=server.token), EXPECTED[(variant, revision)])
