"""Clients of both eras at one endpoint, and what their answers hold."""

from __future__ import annotations

import json
from typing import Any

import httpx

from tests.mcp_endpoint.conftest import (
    PATH,
    Site,
    Web,
    ask,
    session,
    tool,
)

ELICITATION: dict[str, Any] = {"elicitation": {}}
FORM = {"mode": "form", "message": "Who?", "requestedSchema": {"type": "object", "properties": {}}}
VISIT = {"mode": "url", "message": "Go there", "url": "https://example.org/go"}
TOOLS_CHANGED = "notifications/tools/list_changed"


def text_of(response: httpx.Response) -> str:
    """Of a result that came at once, or as the last event of a stream since it took a while."""
    assert response.status_code == 200, response.text
    is_stream = response.headers["content-type"].startswith("text/event-stream")
    body = response.text.rstrip().rpartition("data: ")[2] if is_stream else response.text
    return str(json.loads(body)["result"]["content"][0]["text"])


def error_of(response: httpx.Response) -> tuple[int, int, Any]:
    error = response.json()["error"]
    return response.status_code, error["code"], error.get("data")


async def who(client: httpx.AsyncClient, **capabilities: Any) -> str:
    """The instance that answers: a legacy session's, or that of a modern call."""
    if "mcp-session-id" in client.headers:
        return text_of(await client.post(PATH, json=tool("who")))
    return text_of(await ask(client, tool("who"), capabilities=capabilities))


async def in_session(web: Web, token: str = "", **capabilities: Any) -> httpx.AsyncClient:
    client = web.client(token)
    await session(client, **capabilities)
    return client


def retry(message: dict[str, Any], first: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    params = {**message["params"], "inputResponses": dict.fromkeys(first["inputRequests"], answer)}
    if "requestState" in first:
        params["requestState"] = first["requestState"]
    return {**message, "params": params}


async def restart(site: Site) -> None:
    site.runner.kill()
    await site.runner.wait()
    await site.start_runner()
