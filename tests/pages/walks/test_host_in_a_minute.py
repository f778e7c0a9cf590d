"""From an entry's page to the first answer of its tool: how many clicks it takes, and how many seconds."""

from __future__ import annotations

import hashlib
import time
from typing import Any

import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from playwright.async_api import Browser, expect

from tests.pages.test_browser import state_of
from tests.pages.walks.conftest import ENTRY, SECRET
from tests.pages.walks.walking import BUILD_MS, signs_in, walker
from tests.stack import Stack

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]
CLICKS = 3  # Host on the entry, Host on its form, Create a token
OWNER = "minna"


async def first_call(url: str, token: str) -> str:
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=60) as http,
        Client(streamable_http_client(url, http_client=http)) as client,
    ):
        result: Any = await client.call_tool("greet", {})
        assert not result.is_error, result
        return str(result.content[0].text)


async def test_from_an_entry_to_a_first_call(chromium: Browser, entries: Stack, capsys: Any) -> None:
    site = entries
    site.manage("host", "remote:https://mcp.example.org/mcp", "--owner", OWNER, "--name", "x", "--no-wait", check=False)
    async with walker(chromium, site, "minute", "desktop") as minna:
        await signs_in(minna, site, OWNER)
        page = minna.page
        await minna.goto(f"/servers/new?reference=registry:{ENTRY}")
        await minna.look("form")
        await minna.goto(f"/registry/servers/{ENTRY}")

        began = time.monotonic()
        await minna.click("link", "Host")
        await page.get_by_label("API_KEY").fill(SECRET)
        await minna.click("button", "Host")
        await page.wait_for_url(f"**/d/{OWNER}/chameleon/")
        await page.evaluate("window.isSamePage = true")
        await expect(state_of(page)).to_have_text("Running", timeout=BUILD_MS)
        assert await page.evaluate("window.isSamePage") is True  # it was all told live
        running = time.monotonic() - began
        await minna.click("button", "Create a token")
        url = await page.get_by_role("group", name="MCP address", exact=True).inner_text()
        token = await page.get_by_role("group", name="Token", exact=True).inner_text()
        site.secrets.add(token.strip())
        answer = await first_call(url.strip(), token.strip())
        took = time.monotonic() - began
        await minna.look("connected")

    assert answer == "hello " + hashlib.sha256(SECRET.encode()).hexdigest()
    assert minna.clicks == CLICKS
    with capsys.disabled():
        print(
            f"\nfrom entry to first call: {minna.clicks} clicks, {running:.1f} s to running, {took:.1f} s to the answer"
        )
