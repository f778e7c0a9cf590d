"""A key in a browser: a client's call sends its user to the page, by keyboard alone, and nobody else sees the key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.async_api import Page, expect

from tests.pages.accessible import PHONE, check_accessible, tab_to
from tests.pages.conftest import OpenPage
from tests.pages.test_browser import sign_in_by_link
from tests.stack import Stack

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

SERVER = Path(__file__).parents[1] / "servers" / "legacy.py"
OWNER, TRIER, FOUNDER = "keyla", "ingrid", "harriet"  # one for each test: nobody finds what another left
SECRET = "s3cret-key-of-the-lighthouse"
WAIT_MS = 60_000
PICKY = SERVER.with_name("picky.py")


class Caller:
    """A client of 2025-11-25 that opens pages it is told of."""

    def __init__(self, http: httpx.AsyncClient, url: str, token: str) -> None:
        self._http = http
        self._url = url
        self._headers = {"authorization": f"Bearer {token}", "accept": "application/json, text/event-stream"}

    async def ask(self, method: str, params: Any) -> Any:
        message = {"jsonrpc": "2.0", "id": 1 if method == "initialize" else 2, "method": method, "params": params}
        answer = await self._http.post(self._url, json=message, headers=self._headers)
        self._headers |= {k: v for k, v in answer.headers.items() if k == "mcp-session-id"}
        text = answer.text
        if answer.headers["content-type"].startswith("text/event-stream"):
            text = [line for line in text.splitlines() if line.startswith("data: {")][-1].removeprefix("data: ")
        return httpx.Response(200, text=text).json()

    async def call(self, name: str) -> Any:
        return await self.ask("tools/call", {"name": "environ", "arguments": {"name": name}})


async def fits(page: Page) -> bool:
    return bool(await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


async def test_a_key_is_asked_for_in_the_browser_and_goes_to_the_server_only(open_page: OpenPage, stack: Stack) -> None:
    stack.manage("host", f"source:{SERVER}", "--owner", OWNER, "--name", "keyed", seconds=300)
    token = stack.manage("issue_token", "--user", OWNER, "--deployment", f"{OWNER}/keyed").stdout.strip()
    async with open_page() as page, httpx.AsyncClient(timeout=60) as http:
        await sign_in_by_link(page, stack, OWNER)
        await page.goto(f"/d/{OWNER}/keyed/settings/users")
        await page.locator("#personal").get_by_label("Names").fill("ACME_KEY")
        await page.locator("#personal").get_by_role("button").click()
        await expect(page.get_by_text("Each user is asked for theirs")).to_be_visible()

        client = Caller(http, f"{stack.url}/mcp/{OWNER}/keyed", token)
        about = {"clientInfo": {"name": "t", "version": "1"}, "capabilities": {"elicitation": {"url": {}}}}
        await client.ask("initialize", {"protocolVersion": "2025-11-25", **about})
        refused = await client.call("ACME_KEY")
        assert refused["error"]["code"] == -32042, refused
        (asked,) = refused["error"]["data"]["elicitations"]

        await page.set_viewport_size(PHONE)
        await page.goto(asked["url"])
        await expect(page.get_by_role("heading", name=f"{OWNER}/keyed asks for credentials of yours")).to_be_visible()
        assert await fits(page)
        await page.get_by_label("ACME_KEY").focus()
        await page.keyboard.type(SECRET)
        await tab_to(page, "Store and try")
        await page.keyboard.press("Enter")
        done = page.get_by_role("heading", name="Your credentials are stored")
        await expect(done).to_be_visible(timeout=WAIT_MS)
        assert (await client.call("ACME_KEY"))["result"]["content"][0]["text"] == "[secret]"

        await page.goto("/credentials/")
        assert await fits(page)
        await expect(page.get_by_text("ACME_KEY", exact=True).first).to_be_visible()
        assert SECRET not in await page.content()
        await page.get_by_role("button", name="Delete ACME_KEY").click()
        await expect(page.get_by_text("Nothing is stored")).to_be_visible()
        assert (await client.call("ACME_KEY"))["error"]["code"] == -32042
    dump = stack.manage("dumpdata", "vault", "events", "hosting").stdout
    assert "secret:use" in dump and SECRET not in dump
    logs = "".join(path.read_text(errors="replace") for path in stack.home.rglob("*.log"))
    assert logs and SECRET not in logs


async def test_all_of_it_by_keyboard_alone_and_a_tool_of_the_owners_tries_it(open_page: OpenPage, stack: Stack) -> None:
    flags = ("--personal", "API_KEY", "--check-tool", "whoami", "--check-arguments", "{}")
    stack.manage("host", f"source:{PICKY}", "--owner", TRIER, "--name", "checked", *flags, seconds=300)
    token = stack.manage("issue_token", "--user", TRIER, "--deployment", f"{TRIER}/checked").stdout.strip()
    async with open_page() as page, httpx.AsyncClient(timeout=60) as http:
        await sign_in_by_link(page, stack, TRIER)
        await page.goto("/credentials/")
        await expect(page.locator(".nav-waiting")).to_be_hidden()
        client = Caller(http, f"{stack.url}/mcp/{TRIER}/checked", token)
        about = {"clientInfo": {"name": "t", "version": "1"}, "capabilities": {"elicitation": {"url": {}}}}
        await client.ask("initialize", {"protocolVersion": "2025-11-25", **about})
        refused = await client.ask("tools/call", {"name": "whoami", "arguments": {}})
        assert refused["error"]["code"] == -32042, refused
        await expect(page.locator(".nav-waiting")).to_be_visible(timeout=WAIT_MS)

        await tab_to(page, "1 1 thing waits for you")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", name="Action required")).to_be_visible()
        await check_accessible(page, "waiting")
        await tab_to(page, "Give credentials")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", name=f"{TRIER}/checked asks for credentials")).to_be_visible()
        await check_accessible(page, "elicit")

        await tab_to(page, "API_KEY")
        await page.keyboard.type("bad-key-of-the-harbour")
        await tab_to(page, "Store and try")
        await page.keyboard.press("Enter")
        said = page.locator("blockquote")
        await expect(said).to_have_text(
            "401 from <b>acme</b>: [secret] is no key. See https://evil.example/keys", timeout=WAIT_MS
        )
        assert await page.get_by_role("link", name="evil").count() == 0
        assert "bad-key" not in await page.content()
        await check_accessible(page, "elicit-failed")

        await tab_to(page, "API_KEY")
        await page.keyboard.type("good-key-of-the-harbour")
        await tab_to(page, "Keep what you type")
        await page.keyboard.press("ArrowDown")
        await tab_to(page, "Store and try")
        await page.keyboard.press("Enter")
        done = page.get_by_role("heading", name="Your credentials are stored")
        await expect(done).to_be_visible(timeout=WAIT_MS)
        await expect(page.locator(".nav-waiting")).to_be_hidden(timeout=WAIT_MS)
        await check_accessible(page, "elicit-done")
        answer = await client.ask("tools/call", {"name": "whoami", "arguments": {}})
        assert answer["result"]["content"][0]["text"] == "you", answer

        await tab_to(page, "See your credentials")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", name="Credentials", exact=True)).to_be_visible()
        await expect(page.get_by_text("expires in")).to_be_visible()
        await check_accessible(page, "credentials")
        await tab_to(page, "by you API_KEY")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", name="Uses of API_KEY")).to_be_visible()
        await check_accessible(page, "uses")
        await page.go_back()
        await tab_to(page, "Delete API_KEY")
        await page.keyboard.press("Enter")
        await expect(page.get_by_text("It was deleted, and what ran with it was ended.")).to_be_visible()
        await check_accessible(page, "credentials-empty")


async def test_an_organizations_key_is_stored_by_keyboard_alone(open_page: OpenPage, stack: Stack) -> None:
    stack.manage("host", f"source:{PICKY}", "--owner", FOUNDER, "--name", "any", "--no-wait")
    stack.manage("site_role", FOUNDER, "publisher")
    async with open_page() as page:
        await sign_in_by_link(page, stack, FOUNDER)
        await page.goto("/organizations/")
        await page.get_by_label("Name", exact=True).fill("harbour")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("link", name="Credentials")).not_to_have_count(0)
        await page.goto("/organizations/harbour/credentials")
        await check_accessible(page, "organization-none")
        await tab_to(page, "Setting")
        await page.keyboard.type("ACME_KEY")
        await tab_to(page, "Value")
        await page.keyboard.type(SECRET)
        await tab_to(page, "Store it")
        await page.keyboard.press("Enter")
        await expect(page.get_by_text("Stored. It counts for members")).to_be_visible()
        await expect(page.get_by_text("all servers", exact=True)).to_be_visible()
        assert SECRET not in await page.content()
        await check_accessible(page, "organization")
        await tab_to(page, "Delete ACME_KEY")
        await page.keyboard.press("Enter")
        await expect(page.get_by_text("None yet")).to_be_visible()
