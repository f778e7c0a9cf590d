"""The Playground while parts of the site die under it: words for the call that is lost, and the next one answered."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from contextlib import suppress
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

TRAVEL = Path(__file__).parents[1] / "servers" / "travel.py"
OWNER = "kira"
WAIT_MS = 60_000


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def signed_in(stack: Stack, open_page: OpenPage) -> Any:
    """The cookies of OWNER, who has the server "travel"."""
    stack.manage("host", f"source:{TRAVEL}", "--owner", OWNER, "--name", "travel", seconds=300)
    async with open_page() as page:
        await sign_in_by_link(page, stack, OWNER)
        return await page.context.storage_state()


@pytest.mark.parametrize("era", ["2025-11-25", "2026-07-28"])
@pytest.mark.parametrize(
    ("part", "words"), [("hosting.runner", "The call was lost"), ("travel.py", "ended during the call")]
)
async def test_a_call_that_is_lost_is_told_and_the_next_one_is_answered(
    stack: Stack, open_page: OpenPage, signed_in: Any, part: str, words: str, era: str
) -> None:
    # On a busy machine a runner may be back later than calls wait for it.
    async with open_page(storage_state=signed_in, expected={503}) as page:
        await page.goto(f"/d/{OWNER}/travel/playground", timeout=WAIT_MS)
        await page.get_by_label("Protocol").select_option(era)
        await expect(page.locator("[data-playground-status]")).to_have_text("Connected to Travel 1.0", timeout=WAIT_MS)
        panel = page.locator("[data-playground-chosen]")
        run = panel.locator(".playground-run")
        await page.locator(".playground-entry", has_text="slow").first.click()
        await panel.get_by_role("button", name="Call", exact=True).click()
        await expect(panel.get_by_text("1 of 10 · begun")).to_be_visible(timeout=WAIT_MS)
        for pid, command in (await asyncio.to_thread(stack.processes)).items():
            if part in command:
                with suppress(ProcessLookupError):  # one that went with its parent
                    os.kill(pid, signal.SIGKILL)
        await expect(run).to_contain_text(words, timeout=WAIT_MS)
        async with asyncio.timeout(60):
            while not await run.get_by_text("Done", exact=True).count():
                await page.locator(".playground-entry", has_text="echo").first.click()
                await panel.get_by_role("button", name="Call", exact=True).click()
                await expect(run.locator(".badge").first).to_be_visible(timeout=WAIT_MS)


@pytest.mark.parametrize("width", [1280, 360])
async def test_without_a_network_it_says_so_where_nothing_moves_and_tries_again(
    stack: Stack, open_page: OpenPage, signed_in: Any, width: int
) -> None:
    async with open_page(storage_state=signed_in, viewport={"width": width, "height": 800}) as page:
        await page.add_init_script(OBSERVE)
        await page.route("**/mcp/**", lambda route: route.abort("connectionrefused"))
        await page.goto(f"/d/{OWNER}/travel/playground", timeout=WAIT_MS)
        status, chosen = page.locator("[data-playground-status]"), page.locator("[data-playground-chosen]")
        await expect(status).to_have_text("Not connected", timeout=WAIT_MS)
        await expect(chosen).to_contain_text("No connection to the server")
        await expect(chosen.locator(".alert")).to_be_in_viewport()  # on a phone it is below the list
        seen = Painting.of(await page.evaluate(READ))
        assert seen.cls < 0.005, "\n".join(seen.shifts)

        await page.unroute_all()
        await chosen.get_by_role("button", name="Try again").click()
        await expect(status).to_have_text("Connected to Travel 1.0", timeout=WAIT_MS)
        await expect(chosen).to_have_text(re.compile("Choose what to try"))

        await page.locator(".playground-entry", has_text="echo").first.click()
        await expect(chosen.get_by_role("button", name="Call", exact=True)).to_be_visible()
        await page.route("**/mcp/**", lambda route: route.abort("connectionrefused"))
        await page.get_by_role("button", name="Reconnect").click()
        await expect(page.locator("[data-playground-problem]")).to_contain_text("No connection to the server")
        await expect(chosen.get_by_role("button", name="Call", exact=True)).to_be_visible()  # what was chosen stays
