"""Chromium for the tests of pages: the machine's own, driven by Playwright. What a page complains of fails its test."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, ConsoleMessage, Page, Response, async_playwright, expect

from tests.stack import Stack

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
WAIT_MS = 60_000  # of a machine that many others use; nothing waits so long where it is not wrong
expect.set_options(timeout=WAIT_MS)  # which `set_default_timeout` says nothing of: it would be 5 s

OpenPage = Callable[..., Any]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium() -> AsyncIterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("There is no Chromium on this machine; install the package chromium to run the tests of pages.")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        await browser.close()


@pytest.fixture(scope="module")
def open_page(chromium: Browser, stack: Stack) -> OpenPage:
    """`async with open_page(**context_options) as page`: a browser profile of its own, at the site's address.

    `expected`: statuses that this test came to see.
    """

    @asynccontextmanager
    async def opened(*, expected: Collection[int] = (), **options: Any) -> AsyncIterator[Page]:
        complaints: list[str] = []

        def console(message: ConsoleMessage) -> None:
            # A refused page is the test's own business; `answered` below tells of pages that should not fail.
            if message.type == "error" and "Failed to load resource" not in message.text:
                complaints.append(message.text)

        def answered(response: Response) -> None:
            if response.status in expected:
                return
            if response.status >= 500 or (response.status >= 400 and "/static/" in response.url):
                complaints.append(f"{response.status} {response.url}")

        context = await chromium.new_context(base_url=stack.url, **options)
        context.set_default_timeout(WAIT_MS)
        page = await context.new_page()
        page.on("console", console)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("response", answered)
        try:
            yield page
        finally:
            await context.close()  # also of a test that failed: its page goes on asking
        assert complaints == []

    return opened
