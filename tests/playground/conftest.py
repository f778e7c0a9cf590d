"""The Playground's modules in Chromium without a site: static/ is served to the page from disk."""

from __future__ import annotations

import mimetypes
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest_asyncio
from playwright.async_api import Browser, Page, Route

from tests.pages.conftest import chromium as chromium  # the browser, made once for each module

STATIC = Path(__file__).parents[2] / "static"
ORIGIN = "http://playground.test"
PAGE = f"<!doctype html><title>Playground</title><div data-playground data-icons='{ORIGIN}/i.svg'></div>"
POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self' blob:"

Run = Callable[..., Awaitable[Any]]


async def _serve(route: Route) -> None:
    path = route.request.url.removeprefix(ORIGIN).partition("?")[0]
    if path == "/":
        await route.fulfill(body=PAGE, content_type="text/html", headers={"Content-Security-Policy": POLICY})
    elif (file := STATIC / path.removeprefix("/")).is_file():
        await route.fulfill(body=file.read_bytes(), content_type=mimetypes.guess_type(file.name)[0])
    else:
        await route.fulfill(status=404)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def page(chromium: Browser) -> AsyncIterator[Page]:
    """An empty page under the policy of the real one. What it complains of fails the module."""
    complaints: list[str] = []
    context = await chromium.new_context(timezone_id="Europe/Zurich")
    await context.route(f"{ORIGIN}/**", _serve)
    page = await context.new_page()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    await page.goto(ORIGIN + "/")
    yield page
    await context.close()
    assert complaints == []


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def run(page: Page) -> Run:
    """`await run("schema", "m.kindOf(a, a)", value)`: an expression of a module `m` and an argument `a`."""

    async def evaluate(module: str, expression: str, argument: Any = None) -> Any:
        script = (
            f"async (a) => {{ const m = await import('{ORIGIN}/js/playground/{module}.js'); return {expression}; }}"
        )
        return await page.evaluate(script, argument)

    return evaluate
