"""The header: what leads somewhere is there at 360 px, and its menu is a menu for the keyboard, too."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, Page, expect

from tests.pages.walks.walking import Walker, signs_in, walker
from tests.stack import Stack

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]
OWNER = "hilda-of-the-very-long-name"


async def links_fit(walker: Walker) -> list[str]:
    """Names of the links, each of which is seen whole and large enough to be touched."""
    names = []
    for link in await walker.page.locator(".site-header .nav-link:visible, .site-header .button:visible").all():
        box = await link.bounding_box()
        assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= 360 and box["height"] >= 24
        names.append((await link.get_attribute("aria-label") or await link.inner_text()).strip())
    return names


async def focused(page: Page) -> str:
    return str(await page.evaluate("document.activeElement.innerText || document.activeElement.ariaLabel")).strip()


async def test_header_on_a_phone_and_by_keyboard(chromium: Browser, walk_site: Stack) -> None:
    address = "remote:https://mcp.example.org/mcp"
    walk_site.manage("host", address, "--owner", OWNER, "--name", "x", "--no-wait", check=False)
    async with walker(chromium, walk_site, "header-phone", "phone") as hilda:
        await hilda.goto("/")
        assert {"Registry", "Docs", "Sign in"} <= set(await links_fit(hilda))
        await signs_in(hilda, walk_site, OWNER)
        assert {"Registry", "My servers", "Tasks", "Docs", OWNER} <= set(await links_fit(hilda))
        page, menu = hilda.page, hilda.page.locator(".site-header .menu")
        await menu.locator("summary").focus()
        await page.keyboard.press("Enter")
        await expect(menu).to_have_attribute("open", "")
        await hilda.look("menu")
        await page.keyboard.press("Tab")
        assert await focused(page) == "Credentials"
        await page.keyboard.press("Escape")
        await expect(menu).not_to_have_attribute("open", "")
        assert await page.evaluate("document.activeElement.tagName") == "SUMMARY"
        await page.keyboard.press("Enter")
        for _ in range(12):  # through it and out of it
            await page.keyboard.press("Tab")
        await expect(menu).not_to_have_attribute("open", "")
