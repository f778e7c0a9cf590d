"""A new version while clients call: no call fails, before, during or after its build, and a session keeps its own."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import httpx

from tests.e2e.conftest import LEGACY, host
from tests.e2e.http_client import HttpClient
from tests.mcp_endpoint.conftest import ACCEPT, modern, tool
from tests.stack import Stack


async def test_a_new_version_fails_no_call(local_site: Stack, tmp_path: Path) -> None:
    url, token = host(local_site, "slipway-test-legacy", "rolling")
    changed = tmp_path / "rolling.py"
    code = LEGACY.read_text()
    changed.write_text(
        code.replace(
            'return text(str(arguments.get("text", "")))', 'return text("new " + str(arguments.get("text", "")))'
        )
    )
    assert changed.read_text() != code
    is_over, answers = asyncio.Event(), list[str]()

    async def work(http: httpx.AsyncClient) -> None:
        while not is_over.is_set():
            body, mirrored = modern(tool("echo", text="hello"))
            response = await http.post(url, json=body, headers={**headers, **mirrored})
            assert response.status_code == 200, response.text
            found = json.loads(response.text.rpartition("data: ")[2])  # SSE where it took its time
            assert "result" in found, found
            answers.append(found["result"]["content"][0]["text"])
            await asyncio.sleep(0.02)

    headers = {"authorization": f"Bearer {token}", "accept": ACCEPT}
    async with httpx.AsyncClient(timeout=60) as http, asyncio.TaskGroup() as group:
        session = HttpClient(url, token, http)
        await session.initialize()
        assert await session.call("echo", text="hello") == "hello"
        for _ in range(3):
            group.create_task(work(http))
        await asyncio.to_thread(
            local_site.manage, "host", f"source:{changed}", "--owner", "alice", "--name", "rolling", seconds=200
        )
        before = len(answers)
        assert before > 0
        async with asyncio.timeout(60):
            while not answers[-1].startswith("new "):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        is_over.set()
        assert await session.call("echo", text="hello") == "hello"
