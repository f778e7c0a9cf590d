"""Nothing moves on a page that comes to be seen: the cumulative layout shift of the main pages is 0 in Chromium."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.pages.conftest import OpenPage
from tests.pages.painting import OBSERVE, READ, Painting
from tests.pages.test_browser import sign_in_by_link
from tests.stack import Stack

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

OWNER = "laura"
SERVER = Path(__file__).parents[1] / "servers" / "travel.py"
WAIT_MS = 60_000
MOVED = 0.005  # what is less is 0.00 where browsers show it: a word in a corner that becomes another word
MAIN = [
    "/",
    "/registry/",
    "/servers/",
    f"/d/{OWNER}/travel/",
    f"/d/{OWNER}/travel/playground",
    "/docs/",
    "/docs/architecture",
    "/tasks/",
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def signed_in(stack: Stack, open_page: OpenPage) -> Any:
    """The cookies of OWNER, whose server is awake."""
    stack.manage("host", f"source:{SERVER}", "--owner", OWNER, "--name", "travel", seconds=300)
    async with open_page() as page:
        await sign_in_by_link(page, stack, OWNER)
        await page.goto(f"/d/{OWNER}/travel/playground")
        await expect(page.locator("[data-playground-status]")).to_have_text("Connected to Travel 1.0", timeout=WAIT_MS)
        return await page.context.storage_state()


@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.parametrize("path", MAIN)
async def test_nothing_moves(open_page: OpenPage, signed_in: Any, path: str, width: int) -> None:
    async with open_page(storage_state=signed_in, viewport={"width": width, "height": 800}) as page:
        await page.add_init_script(OBSERVE)
        await page.goto(path, wait_until="load")
        if "/d/" in path:
            await expect(page.locator("[data-live-status]")).to_have_text("Live", timeout=WAIT_MS)
        if path.endswith("playground"):
            await expect(page.locator("[data-playground-status]")).to_contain_text("Connected", timeout=WAIT_MS)
        seen = Painting.of(await page.evaluate(READ))
        assert seen.cls < MOVED, "\n".join(seen.shifts)
        assert seen.lcp > 0  # it was watched
