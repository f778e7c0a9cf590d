"""Four people: one who only reads, one who publishes and hosts, one who connects a client, and the site's operator.

Each does what they came for, on a desktop and on a phone. Nothing may fail on the way: no message in the console, no
refused request, no page wider than the screen. Pictures of every page lie in `screenshots/`, to be looked at.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from playwright.async_api import Browser, expect

from tests.pages.test_browser import state_of
from tests.pages.walks.conftest import ENTRY, PACKAGE, SECRET
from tests.pages.walks.walking import BUILD_MS, PASSWORD, WAIT_MS, Device, signs_in, walker
from tests.stack import Stack

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(900)]
ANSWER = "hello " + hashlib.sha256(SECRET.encode()).hexdigest()
SERVER_TABS = ["tools", "calls", "tasks", "logs", "versions", "settings", "settings/security", "access", "data"]
on_both = pytest.mark.parametrize("device", ["desktop", "phone"])


def account(site: Stack, name: str) -> None:
    """Hosting makes one; what it hosts does not answer."""
    address = "remote:https://mcp.example.org/mcp"
    site.manage("host", address, "--owner", name, "--name", "elsewhere", "--no-wait", check=False)


@asynccontextmanager
async def program(url: str, token: str) -> AsyncIterator[Client]:
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=60) as http,
        Client(streamable_http_client(url, http_client=http), mode="legacy") as client,
    ):
        yield client


async def greeted(client: Client) -> str:
    result: Any = await client.call_tool("greet", {})
    assert not result.is_error, result
    return str(result.content[0].text)


@on_both
async def test_a_newcomer_finds_out_what_this_is(chromium: Browser, entries: Stack, device: Device) -> None:
    """Without an account: finds a server, sees what it needs and how to run it, and reads the documentation."""
    async with walker(chromium, entries, f"newcomer-{device}", device) as nina:
        page = nina.page
        await nina.goto("/")
        await nina.look("home")
        await page.get_by_role("searchbox").fill("chamelon")
        await page.keyboard.press("Enter")
        await expect(page.get_by_text("Showing results for")).to_be_visible()
        await nina.look("search")
        await page.get_by_role("link", name="Chameleon").click()
        await expect(page.get_by_role("heading", name="Chameleon", level=1)).to_be_visible()
        await nina.look("server")
        for tab in ("tools", "configure", "install", "versions"):
            await nina.goto(f"/registry/servers/{ENTRY}/-/{tab}")
            await nina.look(tab)
        await nina.goto(f"/registry/servers/{ENTRY}/-/install")
        await expect(page.get_by_role("group", name="Command", exact=True)).to_contain_text(f"uvx {PACKAGE}")
        await page.get_by_role("link", name="Docs", exact=True).click()
        await nina.look("docs")
        await page.get_by_role("searchbox").first.fill("token")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("status")).to_contain_text("section")
        await nina.look("docs-search")
        await nina.goto("/docs/quick-start")
        await expect(page.get_by_text("make up").first).to_be_visible()
        await nina.look("quick-start")
        await nina.goto("/registry/?q=zqxjkvw")
        await expect(page.get_by_role("heading", name="No server matches")).to_be_visible()
        await nina.look("nothing")
        nina.expected.add(404)
        await nina.goto("/no/such/page")
        await nina.look("not-found")
        await nina.goto(f"/registry/servers/{ENTRY}")
        await page.get_by_role("link", name="Host", exact=True).click()
        await expect(page.get_by_role("button", name="Sign in")).to_be_visible()
        await nina.look("sign-in")


@on_both
async def test_a_developer_publishes_and_hosts(chromium: Browser, entries: Stack, device: Device) -> None:
    name, part = f"dora-{device}", f"quay-{device}"
    account(entries, name)
    entries.manage("namespace", "grant", "org.example", name)
    async with walker(chromium, entries, f"developer-{device}", device) as dora:
        page = dora.page
        await signs_in(dora, entries, name)
        await dora.look("my-servers")
        await dora.goto("/registry/publish/")
        await dora.look("publish")
        await page.get_by_label("Name", exact=True).first.fill(f"org.example/{part}")
        await page.get_by_label("Version", exact=True).fill("1.0.0")
        await page.get_by_label("Description").first.fill("What the quay says")
        await page.get_by_label("Remote server").select_option("streamable-http")
        await page.get_by_label("Its address").fill(f"https://{part}.example.org/mcp")
        await expect(page.get_by_role("region", name="Checks")).to_contain_text("in order")
        await dora.look("publish-filled")
        await page.get_by_role("button", name="Continue").click()
        await dora.look("prove")
        await page.get_by_role("button", name="Publish 1.0.0").click()
        await page.wait_for_url(f"**/registry/servers/org.example/{part}")
        await dora.look("published")

        await dora.goto(f"/servers/new?reference=registry:{ENTRY}")
        await dora.look("host")
        await page.get_by_label("API_KEY").fill(SECRET)
        await page.get_by_role("button", name="Host", exact=True).click()
        await page.wait_for_url(f"**/d/{name}/chameleon/")
        await dora.look("building")
        await expect(state_of(page)).to_have_text("Running", timeout=BUILD_MS)
        await page.get_by_role("link", name="Try it here").click()
        await expect(page.get_by_role("heading", name="greet")).to_be_visible(timeout=WAIT_MS)
        await dora.look("playground")
        await page.get_by_role("button", name="Call", exact=True).click()
        await expect(page.get_by_text(ANSWER).first).to_be_visible(timeout=WAIT_MS)
        await dora.look("called")
        await dora.goto(f"/d/{name}/chameleon/")
        await dora.look("running")
        for tab in SERVER_TABS:
            await dora.goto(f"/d/{name}/chameleon/{tab}")
            await dora.look(tab)
        await dora.goto("/")
        await expect(page.get_by_role("link", name=f"{name}/chameleon").first).to_be_visible()
        await dora.look("home")


@on_both
async def test_a_user_connects_a_client(chromium: Browser, entries: Stack, device: Device) -> None:
    """The client is refused until its user has given a key of their own, which the home page asks for by itself."""
    owner, name = f"olaf-{device}", f"ursula-{device}"
    account(entries, name)
    given = ("--owner", owner, "--name", "personal", "--access", "public", "--personal", "API_KEY")
    entries.manage("host", f"pypi:{PACKAGE}", *given, seconds=300)
    async with walker(chromium, entries, f"user-{device}", device) as ursula:
        page = ursula.page
        await signs_in(ursula, entries, name)
        await ursula.goto(f"/d/{owner}/personal/")
        await ursula.look("server-of-another")
        await page.get_by_role("button", name="Create a token").click()
        await ursula.look("token")
        url = (await page.get_by_role("group", name="MCP address", exact=True).inner_text()).strip()
        token = (await page.get_by_role("group", name="Token", exact=True).inner_text()).strip()
        entries.secrets.add(token)
        await ursula.goto("/")
        await expect(page.get_by_role("heading", name="Action required")).to_have_count(0)
        await page.evaluate("window.isSamePage = true")
        async with program(url, token) as client:
            refused: Any = await client.call_tool("greet", {})
            assert refused.is_error and "/elicit/" in refused.content[0].text  # for a client that can't show pages
            await expect(page.get_by_role("heading", name="Action required")).to_be_visible(timeout=WAIT_MS)
            assert await page.evaluate("window.isSamePage") is True
            await ursula.look("home-action")
            await ursula.goto("/waiting/")
            await ursula.look("waiting")
            await ursula.goto("/")
            await page.get_by_role("link", name="Give credentials").click()
            await ursula.look("credentials-asked")
            await page.get_by_label("API_KEY").fill(SECRET)
            await page.get_by_role("button", name="Store and try").click()
            await expect(page.get_by_role("heading", name="Your credentials are stored")).to_be_visible(timeout=WAIT_MS)
            await ursula.look("credentials-stored")
            assert await greeted(client) in (ANSWER, "hello [secret]")
        await ursula.goto("/")
        await expect(page.get_by_role("heading", name="Action required")).to_have_count(0)
        for path in ("credentials/", "tasks/", "account/apps", f"d/{owner}/personal/calls"):
            await ursula.goto(f"/{path}")
            await ursula.look(path.strip("/").replace("/", "-"))
        ursula.expected.add(404)
        await ursula.goto(f"/d/{owner}/personal/settings")
        await ursula.look("not-yours")


async def test_an_operator_sets_the_site_up(chromium: Browser, walk_site: Stack) -> None:
    """From the link of the first start to somebody who was invited and is in; then a look at it all on a phone."""
    link = walk_site.manage("admin_link").stdout.strip()
    async with walker(chromium, walk_site, "operator-desktop", "desktop") as otto:
        page = otto.page
        await otto.goto(link)
        await otto.look("first-account")
        await page.get_by_label("Name").fill("otto")
        await page.get_by_label("Password").fill(PASSWORD)
        await page.get_by_role("button", name="Create the account").click()
        await page.wait_for_url(f"{walk_site.url}/**")
        await otto.goto("/")
        await otto.look("home")
        await page.locator(".menu > summary").click()
        await expect(page.locator(".menu").get_by_role("link", name="People")).to_be_visible()
        await otto.look("menu")
        await page.locator(".menu").get_by_role("link", name="People").click()
        await page.get_by_label("For whom").fill("Ida, who writes servers")
        await page.get_by_role("button", name="Make a link").click()
        invitation = (await page.get_by_role("group", name="Invitation", exact=True).inner_text()).strip()
        await otto.look("people")
        async with walker(chromium, walk_site, "invited-phone", "phone") as ida:
            await ida.goto(invitation)
            await ida.look("invited")
            await ida.page.get_by_label("Name").fill("ida")
            await ida.page.get_by_label("Password").fill(PASSWORD)
            await ida.page.get_by_role("button", name="Create the account").click()
            await expect(ida.page.locator(".menu > summary")).to_be_visible()
            await ida.goto("/")
            await ida.look("home")
        await otto.goto("/people/")
        await expect(page.locator("#accounts")).to_contain_text("ida")
        paths = [
            "providers/",
            "registry/moderation/",
            "organizations/",
            "account/api-tokens",
            "accounts/2fa/",
            "api/docs",
        ]
        state = await page.context.storage_state()
        for path in paths:
            await otto.goto(f"/{path}")
            await otto.look(path.strip("/").replace("/", "-"))
    async with walker(chromium, walk_site, "operator-phone", "phone") as otto:
        await otto.page.context.add_cookies(state["cookies"])  # type: ignore[arg-type]
        for path in ["", "people/", *paths]:
            await otto.goto(f"/{path}")
            await otto.look(path.strip("/").replace("/", "-") or "home")
