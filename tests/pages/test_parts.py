"""static/js/parts.js in Chromium, without a site: what is loaded, and where the page leads, while news arrives."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, Route, expect

from tests.pages.conftest import WAIT_MS

pytestmark = pytest.mark.asyncio(loop_scope="module")

SCRIPT = Path(__file__).parents[2] / "static" / "js" / "parts.js"
ORIGIN = "http://parts.test"
PAGE = """<!doctype html><title>Thing</title>
<form method="post" action="/delete"><input id="name" name="name" required><button>Delete</button></form>
<div data-part="state"><p>{state}</p><label>Note <input id="note" value="as sent"></label></div>"""
REFRESH = f"async () => (await import('{ORIGIN}/parts.js')).refreshParts()"


@dataclass
class FakePages:
    """Answers for a site: `state` is what its one page says, "" once that is gone. What a deletion leads to
    waits until its page has heard of it."""

    state: str = "Running"
    asked: list[str] = field(default_factory=list)
    is_deleted: asyncio.Event = field(default_factory=asyncio.Event)
    is_heard: asyncio.Event = field(default_factory=asyncio.Event)

    async def answer(self, route: Route) -> None:
        path = route.request.url.removeprefix(ORIGIN)
        self.asked.append(f"{route.request.method} {path}")
        if path == "/parts.js":
            await route.fulfill(body=SCRIPT.read_bytes(), content_type="text/javascript")
        elif path == "/delete":
            self.state = ""
            self.is_deleted.set()
            await self.is_heard.wait()
            await route.fulfill(body="<!doctype html><title>Things</title>", content_type="text/html")
        elif path == "/news":
            await self.is_deleted.wait()
            await route.fulfill(body="")
        elif path == "/heard":
            self.is_heard.set()
            await route.fulfill(body="")
        elif self.state:
            await route.fulfill(body=PAGE.replace("{state}", self.state), content_type="text/html")
        else:
            await route.fulfill(status=404, body="<!doctype html><title>Nothing here</title>", content_type="text/html")


@pytest.fixture
def pages() -> FakePages:
    return FakePages()


@pytest_asyncio.fixture(loop_scope="module")
async def page(chromium: Browser, pages: FakePages) -> AsyncIterator[Page]:
    context = await chromium.new_context()
    context.set_default_timeout(WAIT_MS)
    await context.route(f"{ORIGIN}/**", pages.answer)
    page = await context.new_page()
    await page.goto(f"{ORIGIN}/thing")
    await page.evaluate(f"import('{ORIGIN}/parts.js')")
    yield page
    pages.is_heard.set()
    await context.close()


async def test_what_changed_is_swapped_and_what_was_typed_stays(page: Page, pages: FakePages) -> None:
    await page.get_by_label("Note").fill("half a sentence")
    pages.state = "Stopped"
    await page.evaluate(REFRESH)
    await expect(page.get_by_text("Stopped")).to_be_visible()
    await expect(page.get_by_label("Note")).to_have_value("half a sentence")


async def test_a_page_that_is_gone_is_loaded_anew(page: Page, pages: FakePages) -> None:
    pages.state = ""
    async with page.expect_navigation():
        await page.evaluate(REFRESH)
    assert await page.title() == "Nothing here"


async def test_news_of_a_deletion_does_not_replace_where_its_form_leads(page: Page, pages: FakePages) -> None:
    """The news, and the 404 that it leads to, are here before the answer to the form is."""
    await page.evaluate(f"""async () => {{
      const {{ refreshParts }} = await import('{ORIGIN}/parts.js');
      const heard = async () => {{ await fetch('/news'); await refreshParts(); await fetch('/heard'); }};
      document.forms[0].addEventListener('submit', () => setTimeout(heard));
    }}""")
    await page.locator("#name").fill("thing")
    await page.get_by_role("button").click()
    await page.wait_for_url(f"{ORIGIN}/delete")
    assert await page.title() == "Things"
    assert pages.asked.count("GET /thing") == 2, "once to look at it, once for the news, never in place of the answer"


async def test_a_form_that_was_not_sent_keeps_nothing_back(page: Page, pages: FakePages) -> None:
    """The browser asks for the name first; one that a script takes over stays on the page too."""
    await page.get_by_role("button").click()
    await page.evaluate("document.forms[0].addEventListener('submit', (event) => event.preventDefault())")
    await page.locator("#name").fill("thing")
    await page.get_by_role("button").click()
    pages.state = ""
    async with page.expect_navigation():
        await page.evaluate(REFRESH)
    assert await page.title() == "Nothing here"
