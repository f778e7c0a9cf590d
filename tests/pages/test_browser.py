"""The site in a browser: from a one-time link to a server that runs, with and without JavaScript, on a phone too."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.pages.conftest import WAIT_MS, OpenPage
from tests.stack import Stack

pytestmark = pytest.mark.asyncio(loop_scope="module")

OWNER = "mary"
PASSWORD = "calm harbour at seven"
BUILD_MS = 120_000
TABS = ["", "tools", "calls", "logs", "versions", "settings", "settings/users", "access"]


def state_of(page: Page) -> Any:
    return page.locator(".deployment-title .badge").first


async def sign_in_by_link(page: Page, stack: Stack, name: str) -> None:
    await page.goto(stack.manage("sign_in_link", "--user", name).stdout.strip())
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Set password and sign in").click()
    await page.wait_for_url("**/servers/")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def signed_in(stack: Stack, open_page: OpenPage) -> Any:
    """The cookies of OWNER, who has the server "time"."""
    stack.manage("host", "pypi:mcp-server-time", "--owner", OWNER, "--name", "time", seconds=300)
    async with open_page() as page:
        await sign_in_by_link(page, stack, OWNER)
        return await page.context.storage_state()


async def test_from_the_form_to_a_running_server_without_a_reload(open_page: OpenPage, signed_in: Any) -> None:
    async with open_page(storage_state=signed_in) as page:
        await page.goto("/servers/")
        await expect(page.get_by_role("link", name=f"{OWNER}/time")).to_be_visible()
        await page.get_by_role("link", name="Host a server").click()
        await page.get_by_label("Package or address").fill("npm:@modelcontextprotocol/server-everything")
        await page.get_by_label("Name").fill("everything")
        await page.get_by_role("button", name="Host", exact=True).click()
        await page.wait_for_url(f"**/d/{OWNER}/everything/")
        await page.evaluate("window.isSamePage = true")
        await expect(page.locator("[data-live-status]")).to_have_text("Live")
        await expect(state_of(page)).to_have_text("Running", timeout=BUILD_MS)
        await expect(page.locator("[data-live-announce]")).to_have_text("everything: Running")
        assert await page.evaluate("window.isSamePage") is True
        await page.get_by_role("link", name="Tools").click()
        await expect(page.locator(".tool-name", has_text="echo").first).to_be_visible(timeout=BUILD_MS)
        await page.get_by_role("link", name="Logs").click()
        await expect(page.locator(".output-line", has_text="Starting").first).to_be_visible(timeout=BUILD_MS)


async def test_page_says_what_a_client_needs(open_page: OpenPage, signed_in: Any, stack: Stack) -> None:
    async with open_page(storage_state=signed_in, permissions=["clipboard-read", "clipboard-write"]) as page:
        await page.goto(f"/d/{OWNER}/time/")
        await page.get_by_role("button", name="Copy: MCP address").click()
        async with asyncio.timeout(WAIT_MS / 1000):  # it is written in the background
            while await page.evaluate("navigator.clipboard.readText()") != f"{stack.url}/mcp/{OWNER}/time":
                pass
        for client in ["Claude Code", "VS Code", "Cursor", "JSON", "Python", "curl"]:
            await page.locator(".tabs label", has_text=client).click()
            await expect(page.get_by_role("group", name=client, exact=True)).to_contain_text(f"/mcp/{OWNER}/time")
        await page.reload()
        await expect(page.get_by_role("radio", name="curl")).to_be_checked()


async def test_tools_show_their_schema(open_page: OpenPage, signed_in: Any) -> None:
    async with open_page(storage_state=signed_in) as page:
        await page.goto(f"/d/{OWNER}/time/tools")
        tool = page.locator(".tool", has_text="convert_time")
        await tool.get_by_text("Input schema").click(timeout=BUILD_MS)
        await expect(tool.locator("pre").first).to_contain_text('"source_timezone"')


async def test_stop_and_start_without_javascript(open_page: OpenPage, signed_in: Any) -> None:
    async with open_page(storage_state=signed_in, java_script_enabled=False) as page:
        await page.goto(f"/d/{OWNER}/time/")
        await page.get_by_role("button", name="Stop").click()
        await expect(state_of(page)).to_have_text("Stopped")
        await page.get_by_role("button", name="Start", exact=True).click()
        await expect(page.get_by_role("button", name="Stop")).to_be_visible()


async def test_another_page_follows_a_stop(open_page: OpenPage, signed_in: Any) -> None:
    async with open_page(storage_state=signed_in) as watching, open_page(storage_state=signed_in) as acting:
        await watching.goto(f"/d/{OWNER}/time/")
        await expect(watching.locator("[data-live-status]")).to_have_text("Live")
        await acting.goto(f"/d/{OWNER}/time/")
        await acting.get_by_role("button", name="Stop").click()
        await expect(state_of(watching)).to_have_text("Stopped")
        await watching.get_by_role("button", name="Start", exact=True).click()
        await expect(watching.get_by_role("button", name="Stop")).to_be_visible()


async def test_deleting_asks_for_the_name(open_page: OpenPage, signed_in: Any, stack: Stack) -> None:
    stack.manage("host", "pypi:mcp-server-time", "--owner", OWNER, "--name", "short-lived", seconds=300)
    async with open_page(storage_state=signed_in) as page:
        await page.goto(f"/d/{OWNER}/short-lived/settings#delete")  # where it was when all settings were on one page
        await page.get_by_role("button", name="Delete for good").click()
        assert page.url.endswith("/short-lived/settings/delete#delete")  # the field is required
        await page.get_by_label("to confirm").fill("short-lived")
        await page.get_by_role("button", name="Delete for good").click()
        await page.wait_for_url("**/servers/")
        await expect(page.get_by_role("link", name="short-lived")).to_have_count(0)


async def test_mistakes_in_the_form_are_told(open_page: OpenPage, signed_in: Any) -> None:
    async with open_page(storage_state=signed_in) as page:
        await page.goto("/servers/new")
        await page.get_by_label("Package or address").fill("pip install something")
        await page.get_by_label("Name").fill("fine")
        await page.get_by_role("button", name="Host", exact=True).click()
        await expect(page.locator("form.panel")).to_contain_text("write pypi:mcp-server-time")
        await page.get_by_label("Name").fill("not fine")
        await page.get_by_role("button", name="Host", exact=True).click()
        field = page.get_by_label("Name")
        await expect(field).to_have_attribute("aria-invalid", "true")
        described = (await field.get_attribute("aria-describedby") or "").split()
        await expect(page.locator(f"#{described[-1]}")).to_contain_text("letters")


async def test_a_stranger_learns_nothing_of_a_private_server(open_page: OpenPage, signed_in: Any, stack: Stack) -> None:
    stack.manage("host", "pypi:mcp-server-time", "--owner", "stranger", "--name", "time", seconds=300)
    async with open_page() as page:
        await sign_in_by_link(page, stack, "stranger")
        answer = await page.goto(f"/d/{OWNER}/time/")
        assert answer is not None
        assert answer.status == 404
        await expect(page.get_by_role("heading", level=1)).to_have_text("There is nothing here")


async def test_used_link_says_so(open_page: OpenPage, stack: Stack) -> None:
    async with open_page() as page:
        await page.goto("/join/no-such-token")
        await expect(page.get_by_role("heading", level=1)).to_have_text("This link is no longer good")


async def test_theme_is_chosen_and_kept(open_page: OpenPage) -> None:
    async with open_page(color_scheme="light") as page:
        await page.goto("/")
        ground = "getComputedStyle(document.body).backgroundColor"
        light = await page.evaluate(ground)
        button = page.get_by_role("button", name="Theme")
        await button.click()
        await button.click()
        await expect(button).to_have_accessible_name("Theme: dark")
        dark = await page.evaluate(ground)
        assert dark != light
        await page.reload()
        assert await page.evaluate(ground) == dark


@pytest.mark.parametrize("width", [360, 2560])
async def test_no_page_is_wider_than_the_screen(open_page: OpenPage, signed_in: Any, width: int) -> None:
    async with open_page(storage_state=signed_in, viewport={"width": width, "height": 800}) as page:
        server = [f"/d/{OWNER}/time/{tab}" for tab in TABS]
        for path in ["/", "/servers/", "/servers/new", *server, "/accounts/password/change/", "/nowhere"]:
            await page.goto(path)
            wider = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            assert await page.evaluate(wider) <= 0, path


async def test_keyboard_reaches_everything_of_the_header(open_page: OpenPage, signed_in: Any) -> None:
    async with open_page(storage_state=signed_in) as page:
        await page.goto("/servers/")
        await page.keyboard.press("Tab")
        await expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(page.locator("#main")).to_be_focused()
        menu = page.locator("details.menu")
        await menu.locator("summary").focus()
        await page.keyboard.press("Enter")
        await expect(menu.get_by_role("button", name="Sign out")).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(menu.get_by_role("button", name="Sign out")).to_be_hidden()
        await expect(menu.locator("summary")).to_be_focused()
