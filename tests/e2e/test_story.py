"""The first story, as the README tells it: start the site, host a package, call it with clients not written by us."""

from __future__ import annotations

import json
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from uv import find_uv_bin

from tests.stack import SECONDS, Stack

HERE = Path(__file__).parent


@asynccontextmanager
async def sdk2(url: str, token: str, mode: str, **more: Any) -> AsyncIterator[Client]:
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=60) as http,
        Client(streamable_http_client(url, http_client=http), mode=mode, **more) as client,
    ):
        yield client


def text_of(result: Any) -> str:
    return str(result.content[0].text)


@pytest.fixture(scope="module")
def time_server(stack: Stack) -> str:
    """The MCP URL of the hosted mcp-server-time, as `host` printed it."""
    done = stack.manage("host", "pypi:mcp-server-time", "--owner", "alice", "--name", "time")
    return done.stdout.strip()


@pytest.fixture(scope="module")
def time_token(stack: Stack, time_server: str) -> str:
    done = stack.manage("issue_token", "--user", "alice", "--deployment", "alice/time")
    return done.stdout.strip()


def test_host_prints_only_the_url(stack: Stack, time_server: str) -> None:
    assert time_server == f"{stack.url}/mcp/alice/time"


def test_without_a_token_the_challenge_names_the_metadata(stack: Stack, time_server: str) -> None:
    answer = httpx.post(time_server, json={"jsonrpc": "2.0", "id": 1, "method": "ping"}, timeout=SECONDS)
    assert answer.status_code == 401
    challenge = answer.headers["WWW-Authenticate"]
    metadata = f"{stack.url}/.well-known/oauth-protected-resource/mcp/alice/time"
    assert challenge.startswith("Bearer ")
    assert f'resource_metadata="{metadata}"' in challenge
    document = httpx.get(metadata, timeout=SECONDS).json()
    assert document["resource"] == time_server
    assert document["scopes_supported"] == ["mcp:read", "mcp:call"]


@pytest.mark.parametrize("mode", ["legacy", "2026-07-28"])
async def test_sdk_2_lists_and_calls(time_server: str, time_token: str, mode: str) -> None:
    async with sdk2(time_server, time_token, mode) as client:
        assert client.protocol_version == ("2025-11-25" if mode == "legacy" else mode)
        names = {tool.name for tool in (await client.list_tools()).tools}
        assert {"get_current_time", "convert_time"} <= names
        now = json.loads(text_of(await client.call_tool("get_current_time", {"timezone": "Europe/Rome"})))
        assert now["timezone"] == "Europe/Rome"
        converted = await client.call_tool(
            "convert_time", {"source_timezone": "UTC", "target_timezone": "Asia/Tokyo", "time": "12:00"}
        )
        assert json.loads(text_of(converted))["time_difference"] == "+9.0h"


def test_sdk_1_lists_and_calls(time_server: str, time_token: str) -> None:
    done = subprocess.run(
        [
            find_uv_bin(), "run", "--isolated", "--no-project", "--with", "mcp>=1.20,<2", "python",
            str(HERE / "sdk1_client.py"), time_server, time_token,
            "convert_time", '{"source_timezone": "UTC", "target_timezone": "Asia/Tokyo", "time": "12:00"}',
        ],
        capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["protocol"] == "2025-11-25"
    assert "get_current_time" in seen["tools"]
    assert "+9.0h" in seen["text"]


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["legacy", "2026-07-28"])
async def test_an_npm_server_works_the_same_way(stack: Stack, mode: str) -> None:
    done = stack.manage(
        "host", "npm:@modelcontextprotocol/server-everything", "--owner", "alice", "--name", "everything"
    )
    url = done.stdout.strip()
    token = stack.manage("issue_token", "--user", "alice", "--deployment", "alice/everything").stdout.strip()
    async with sdk2(url, token, mode) as client:
        assert "echo" in {tool.name for tool in (await client.list_tools()).tools}
        assert "hello" in text_of(await client.call_tool("echo", {"message": "hello"}))


def test_a_token_opens_one_endpoint_only(stack: Stack, time_server: str, time_token: str) -> None:
    stack.manage("host", "pypi:mcp-server-time", "--owner", "bob", "--name", "clock")
    headers = {"Authorization": f"Bearer {time_token}"}
    message = {"jsonrpc": "2.0", "id": 1, "method": "x"}
    answer = httpx.post(f"{stack.url}/mcp/bob/clock", headers=headers, json=message, timeout=SECONDS)
    assert answer.status_code == 401


def test_unknown_package_is_refused_with_the_reason(stack: Stack) -> None:
    done = stack.manage("host", "pypi:no-such-package-here-0815", "--owner", "alice", "--name", "nothing", check=False)
    assert done.returncode != 0
    assert done.stdout == ""
    assert "no-such-package-here-0815" in done.stderr
    assert "Traceback" not in done.stderr


def test_package_without_an_entry_point_is_refused_with_the_reason(stack: Stack) -> None:
    done = stack.manage("host", "pypi:six", "--owner", "alice", "--name", "six", check=False)
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    assert "console script" in done.stderr or "entry point" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--user", "nobody", "--deployment", "alice/time"), "nobody"),
        (("--user", "alice", "--deployment", "alice/none"), "alice/none"),
        (("--user", "alice", "--deployment", "alice/time", "--ttl", "7776001"), "90 days"),
        (("--user", "alice", "--deployment", "alice/time", "--scope", "everything"), "everything"),
    ],
)
def test_issue_token_refuses_clearly(stack: Stack, time_server: str, arguments: tuple[str, ...], words: str) -> None:
    done = stack.manage("issue_token", *arguments, check=False)
    assert done.returncode != 0
    assert done.stdout == ""
    assert words in done.stderr
    assert "Traceback" not in done.stderr
