"""The official SDK's client connects through consent, is refreshed, asked again, and ended, on a whole site."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import TextContent

from tests.e2e.conftest import host
from tests.e2e.person import Person, Storage, provider
from tests.stack import Stack


@asynccontextmanager
async def connect(url: str, auth: Any) -> AsyncIterator[Client]:
    async with (
        httpx2.AsyncClient(auth=auth, timeout=30) as http,
        Client(streamable_http_client(url, http_client=http)) as client,
    ):
        yield client


async def echo(client: Client) -> str:
    result = await client.call_tool("echo", {"text": "hü"})
    assert isinstance(result.content[0], TextContent)
    return result.content[0].text


async def test_sdk_client_registers_asks_and_calls(local_site: Stack) -> None:
    url, _ = host(local_site, "slipway-test-legacy", "guarded")
    with Person(local_site, "alice") as person:
        await story(url, person)


async def story(url: str, person: Person) -> None:
    storage = Storage()
    auth = provider(url, person, storage)
    async with connect(url, auth) as client:
        assert await echo(client) == "hü"
    assert len(person.pages) == 1
    assert "alice/guarded" in person.pages[0]
    assert "Not verified" in person.pages[0]

    # A token that is not good any more is refreshed without the person.
    assert storage.tokens is not None
    before = storage.tokens.model_copy()
    auth.context.token_expiry_time = time.time() - 1
    async with connect(url, auth) as client:
        assert await echo(client) == "hü"
    assert len(person.pages) == 1
    assert storage.tokens.refresh_token != before.refresh_token

    # What was rotated away is dead, in each of the site's processes, within a second.
    async with httpx2.AsyncClient() as http:
        await refused(http, url, before.access_token)

    # Disconnecting ends the rest.
    person.press("/account/apps", action="revoke")
    async with httpx2.AsyncClient() as http:
        await refused(http, url, storage.tokens.access_token)


async def refused(http: httpx2.AsyncClient, url: str, token: str) -> None:
    end = time.monotonic() + 1.0
    while True:
        answer = await http.post(url, headers={"Authorization": f"Bearer {token}"}, content=b"{}")
        if answer.status_code == 401:
            break
        assert time.monotonic() < end, answer.text
    assert "invalid_token" in answer.headers["www-authenticate"]
