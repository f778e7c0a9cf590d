"""Remote servers hosted by command and called with the SDKs: one on an SDK's HTTP, and one that is Slipway itself."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from mcp_types import ElicitResult
from uv import find_uv_bin

from tests.e2e.conftest import host
from tests.e2e.test_story import sdk2, text_of
from tests.ports import free_port
from tests.runner.remote.servers import conformance_process
from tests.stack import Stack

HERE = Path(__file__).parent
MODES = ["legacy", "2026-07-28"]
on_a_near_site = pytest.mark.slow  # it has to be a whole site of its own


@pytest.fixture(scope="module")
def far(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a dual-era server over HTTP."""
    port = free_port()
    with conformance_process("dual", port):
        yield port


@pytest.fixture(scope="module")
def near_site(tmp_path_factory: pytest.TempPathFactory, local_site: Stack, far: int) -> Iterator[Stack]:
    """A site whose operator lets remotes be on this machine."""
    site = Stack(
        tmp_path_factory.mktemp("near-site"),
        SLIPWAY_EGRESS_PRIVATE="127.0.0.0/8",
        SLIPWAY_EGRESS_PORTS=f"{far},{local_site.port}",
    )
    try:
        yield site.start()
    finally:
        site.stop()


def token_for(site: Stack, name: str) -> str:
    return site.manage("issue_token", "--user", "alice", "--deployment", f"alice/{name}").stdout.strip()


def add_header(site: Stack, name: str, header: str, value: str) -> None:
    """As the owner does on the settings page."""
    code = (
        "from events.actors import OPERATOR;"
        "from hosting.configuration.configuring import deployment_settings_set as put;"
        "from hosting.models import Deployment as D;"
        f"put(actor=OPERATOR, deployment=D.objects.get(folded_name={name!r}), secrets={{'header:{header}': {value!r}}})"
    )
    site.manage("shell", "--no-imports", "-c", code)


@pytest.fixture(scope="module")
def remote(near_site: Stack, far: int) -> tuple[str, str]:
    done = near_site.manage("host", f"remote:http://127.0.0.1:{far}/mcp", "--owner", "alice", "--name", "far")
    assert done.stdout.strip() == f"{near_site.url}/mcp/alice/far"
    return done.stdout.strip(), token_for(near_site, "far")


@on_a_near_site
@pytest.mark.parametrize("mode", MODES)
async def test_sdk_2_lists_calls_and_answers_a_question(remote: tuple[str, str], mode: str) -> None:
    async def answer(*_: object) -> ElicitResult:
        return ElicitResult(action="accept", content={"name": "Ada"})

    async with sdk2(*remote, mode, elicitation_callback=answer) as client:
        assert "test_simple_text" in {tool.name for tool in (await client.list_tools()).tools}
        assert "simple text" in text_of(await client.call_tool("test_simple_text", {}))
        asked = await client.call_tool("test_input_required_result_elicitation", {})
        assert text_of(asked) == "Hello, Ada!"


@on_a_near_site
def test_sdk_1_lists_and_calls(remote: tuple[str, str]) -> None:
    done = subprocess.run(
        [
            find_uv_bin(), "run", "--isolated", "--no-project", "--with", "mcp>=1.20,<2", "python",
            str(HERE / "sdk1_client.py"), *remote, "test_simple_text", "{}",
        ],
        capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "simple text" in json.loads(done.stdout)["text"]


@on_a_near_site
@pytest.mark.parametrize("mode", MODES)
async def test_slipway_hosts_a_server_of_slipway(near_site: Stack, local_site: Stack, mode: str) -> None:
    """Two hops: a child over stdio behind one site is a remote of the other, signed in with the owner's header."""
    name = f"hop-{mode[:4]}"
    inner, token = host(local_site, "slipway-test-legacy", name)
    url = near_site.manage("host", f"remote:{inner}", "--owner", "alice", "--name", name).stdout.strip()
    add_header(near_site, name, "Authorization", f"Bearer {token}")
    seen: list[float] = []

    async def progressed(progress: float, total: float | None, message: str | None) -> None:
        seen.append(progress)

    async with sdk2(url, token_for(near_site, name), mode) as client:
        assert "echo" in {tool.name for tool in (await client.list_tools()).tools}
        assert text_of(await client.call_tool("echo", {"text": "two hops"})) == "two hops"
        await client.call_tool("progress", {"steps": 3}, progress_callback=progressed)
        assert seen == [1, 2, 3]


@on_a_near_site
def test_a_remote_that_asks_for_sign_in_says_so(near_site: Stack, local_site: Stack) -> None:
    inner, _ = host(local_site, "slipway-test-legacy", "closed")
    near_site.manage("host", f"remote:{inner}", "--owner", "alice", "--name", "closed")
    code = (
        "import time; from hosting.models import Deployment as D\n"
        "for _ in range(200):\n"
        "    d = D.objects.get(folded_name='closed')\n"
        "    if d.state == 'failed': break\n"
        "    time.sleep(0.1)\n"
        "print(d.state, d.reason)"
    )
    said = near_site.manage("shell", "--no-imports", "-c", code).stdout
    assert said.startswith("failed ")
    assert "asks for sign-in: its owner has to connect an account" in said


def test_this_machine_is_out_of_reach_unless_the_operator_says_so(local_site: Stack, far: int) -> None:
    reference = f"remote:http://127.0.0.1:{far}/mcp"
    done = local_site.manage("host", reference, "--owner", "alice", "--name", "out", check=False)
    assert done.returncode != 0
    assert "by https only" in done.stderr
    assert "Traceback" not in done.stderr
