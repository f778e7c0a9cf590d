"""The official Python SDK's client, in each of its modes, against servers of each era."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import ElicitResult

from tests.mcp_endpoint.conftest import PATH, Site, Web, placement


@asynccontextmanager
async def connect(web: Web, mode: Any, **options: Any) -> AsyncIterator[Client]:
    headers = {"authorization": f"Bearer {web.site.token()}", "host": "slipway.test"}
    url = f"http://127.0.0.1:{web.port}{PATH}"
    async with httpx2.AsyncClient(headers=headers, timeout=20) as http:
        transport = streamable_http_client(url, http_client=http)
        async with Client(transport, mode=mode, **options) as client:
            yield client


@pytest.mark.parametrize("server", ["legacy", "modern"])
@pytest.mark.parametrize("mode", ["legacy", "2026-07-28", "auto"])
async def test_sdk_client_lists_calls_and_is_asked(site: Site, web: Web, server: str, mode: str) -> None:
    site.world.placement = placement(server)
    asked: list[str] = []

    async def elicit(context: Any, params: Any) -> ElicitResult:
        asked.append(params.message)
        return ElicitResult(action="accept", content={"name": "Ada"})

    async with connect(web, mode, elicitation_callback=elicit) as client:
        tools = await client.list_tools()
        assert "echo" in [tool.name for tool in tools.tools]
        echoed = await client.call_tool("echo", {"text": "hü"})
        assert echoed.content[0].text == "hü"  # type: ignore[union-attr]
        answered = await client.call_tool("ask", {})
        assert json.loads(answered.content[0].text)["content"] == {"name": "Ada"}  # type: ignore[union-attr]
    assert asked == ["Who?"]


@pytest.mark.parametrize("mode", ["legacy", "2026-07-28"])
async def test_sdk_client_is_told_progress(web: Web, mode: str) -> None:
    seen: list[float] = []

    async def progressed(progress: float, total: float | None, message: str | None) -> None:
        seen.append(progress)

    async with connect(web, mode) as client:
        await client.call_tool("progress", {"steps": 3, "pause": 0.05}, progress_callback=progressed)
    assert seen[-3:] == [1, 2, 3]
    assert seen == sorted(seen)
