"""One site for all tests of tasks: real workers, runner and sandbox, and a server that knows nothing of tasks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.http_client import HttpClient, outcome
from tests.packages.local_index import LocalIndex
from tests.stack import Stack

SERVERS = Path(__file__).parents[1] / "servers"
PACKAGED = ("legacy", "workshop")
PATIENCE = 60.0  # of a machine that many others use


@dataclass(frozen=True)
class Hosted:
    site: Stack
    url: str
    token: str
    stranger: str  # another user's token for the same, public, deployment


def add_namesake(index: LocalIndex) -> None:
    """The handshake server with two tools more: one named like one of ours, and one whose results have a schema."""
    tools = [
        {"name": "task_status", "description": "Its own.", "inputSchema": {"type": "object"}},
        {
            "name": "slow_echo",
            "description": "Echoes after a while.",
            "inputSchema": {"type": "object"},
            "outputSchema": {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]},
        },
    ]
    lines = (
        "import json, os",
        f"os.environ['SERVER_TOOLS'] = json.dumps({tools!r})",
        "from slipway_test_namesake_base import main",
    )
    index.add_wheel(
        "slipway-test-namesake",
        "1.0",
        {
            "slipway_test_namesake.py": "\n".join(lines),
            "slipway_test_namesake_base.py": (SERVERS / "legacy.py").read_text(),
        },
        scripts={"slipway-test-namesake": "slipway_test_namesake:main"},
    )


@pytest.fixture(scope="package")
def task_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with LocalIndex() as index:
        for name in PACKAGED:
            module = f"slipway_test_{name}"
            index.add_wheel(
                f"slipway-test-{name}",
                "1.0",
                {f"{module}.py": (SERVERS / f"{name}.py").read_text()},
                scripts={f"slipway-test-{name}": f"{module}:main"},
            )
        add_namesake(index)
        site = Stack(tmp_path_factory.mktemp("task-site"), UV_INDEX=f"{index.url}/simple")
        try:
            yield site.start()
        finally:
            site.stop()


@pytest.fixture(scope="package")
def hosted(task_site: Stack) -> Hosted:
    words = ("pypi:slipway-test-legacy", "--owner", "alice", "--name", "t", "--access", "public")
    url = task_site.manage("host", *words).stdout.strip()
    task_site.manage("host", "pypi:slipway-test-legacy", "--owner", "bob", "--name", "own")  # makes bob
    tokens = [
        task_site.manage("issue_token", "--user", user, "--deployment", "alice/t").stdout.strip()
        for user in ("alice", "bob")
    ]
    return Hosted(task_site, url, *tokens)


class LegacyTasks(HttpClient):
    """A client of 2025-11-25 that asks for tasks."""

    async def ask(self, method: str, params: Any = None) -> Any:
        async with self.post(method, params or {}) as answer:
            return await outcome(answer)

    async def start(self, tool: str, task: Any = None, **arguments: Any) -> dict[str, Any]:
        message = await self.ask("tools/call", {"name": tool, "arguments": arguments, "task": task or {}})
        created: dict[str, Any] = message["result"]["task"]
        return created

    async def get(self, task_id: str) -> Any:
        return await self.ask("tasks/get", {"taskId": task_id})

    async def until(self, task_id: str, *statuses: str) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE):
            while True:
                task: dict[str, Any] = (await self.get(task_id))["result"]
                if task["status"] in statuses:
                    return task
                await asyncio.sleep(0.1)  # polling is what this client does


@pytest.fixture
async def legacy(hosted: Hosted) -> AsyncIterator[LegacyTasks]:
    async with httpx.AsyncClient(timeout=PATIENCE) as http:
        client = LegacyTasks(hosted.url, hosted.token, http)
        await client.initialize()
        yield client


@pytest.fixture
async def stranger(hosted: Hosted) -> AsyncIterator[LegacyTasks]:
    async with httpx.AsyncClient(timeout=PATIENCE) as http:
        client = LegacyTasks(hosted.url, hosted.stranger, http)
        await client.initialize()
        yield client
