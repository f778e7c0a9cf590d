"""Hosted servers that send people to a page of another site (elicitation by URL), and a person at the Playground: the
address is read before anything opens, refused or not, and the call goes on by itself once they have been there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Locator, Page, expect

from tests.pages.accessible import check_accessible
from tests.pages.conftest import OpenPage
from tests.pages.test_browser import sign_in_by_link
from tests.stack import Stack

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

SERVERS = Path(__file__).parents[1] / "servers"
OWNER = "vera"
HOST = "seats.example.org"
ADDRESS = f"https://{HOST}/choose?show=42&back=https%3A%2F%2Fseats.example.org.evil.example%2F"
# So that another tab reaches the process that waits.
_SHARED = """
from events.actors import OPERATOR
from hosting.configuration.configuring import isolation_set
from hosting.models import Deployment
isolation_set(actor=OPERATOR, deployment=Deployment.objects.get(name="booth"), isolation="principal")
"""
ERAS = ["2025-11-25", "2026-07-28"]
WAIT_MS = 60_000


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def signed_in(stack: Stack, open_page: OpenPage) -> Any:
    """The cookies of OWNER, who has a server of each era."""
    for name in ("booth", "modern"):
        stack.manage("host", f"source:{SERVERS / f'{name}.py'}", "--owner", OWNER, "--name", name, seconds=300)
    stack.manage("shell", "--no-imports", "-c", _SHARED)
    async with open_page() as page:
        await sign_in_by_link(page, stack, OWNER)
        return await page.context.storage_state()


async def chosen(page: Page, server: str, era: str, tool: str) -> Locator:
    """The panel of the tool."""
    await page.goto(f"/d/{OWNER}/{server}/playground", timeout=WAIT_MS)
    await page.get_by_label("Protocol").select_option(era)
    await expect(page.locator("[data-playground-status]")).to_contain_text("Connected", timeout=WAIT_MS)
    await page.locator(".playground-entry", has_text=tool).first.click()
    return page.locator("[data-playground-chosen]")


async def asked(page: Page, era: str) -> tuple[Locator, Locator]:
    """The panel of a call that waits for its person, and the question."""
    panel = await chosen(page, "booth", era, "reserve")
    await panel.get_by_label("address").fill(ADDRESS)
    await panel.get_by_role("button", name="Call", exact=True).click()
    question = page.get_by_role("region", name="The server asks you to visit a page")
    await expect(question).to_be_visible(timeout=WAIT_MS)
    return panel, question


async def ended(panel: Locator, words: str) -> None:
    await expect(panel.locator(".playground-run .badge").first).to_have_text("Done", timeout=WAIT_MS)
    await expect(panel.locator(".playground-run")).to_contain_text(words)


@pytest.mark.parametrize("era", ERAS)
async def test_it_is_read_opened_and_goes_on_by_itself(open_page: OpenPage, signed_in: Any, era: str) -> None:
    async with open_page(storage_state=signed_in) as page:
        panel, question = await asked(page, era)
        address = question.locator(".playground-address")
        await expect(address).to_have_text(ADDRESS)  # all of it
        await expect(address.locator("strong")).to_have_text(HOST)
        await expect(address).to_be_focused()
        assert len(page.context.pages) == 1  # nothing is opened before somebody agrees
        await check_accessible(page, f"visit-{era}", ".playground-question")

        await page.context.route(f"https://{HOST}/**", lambda route: route.fulfill(body="Seats"))
        async with page.context.expect_page() as opening:
            await question.get_by_role("button", name=f"Open {HOST} in a new tab").click()
        other = await opening.value
        await other.wait_for_load_state()
        assert other.url == ADDRESS and await other.evaluate("[window.opener, document.referrer]") == [None, ""]
        note = page.get_by_text(f"You opened {HOST}")
        await expect(note).to_be_visible()
        await expect(question).to_have_count(0)

        arriving = await page.context.new_page()  # as the page would tell its server
        here = await chosen(arriving, "booth", era, "arrive")
        await here.get_by_role("button", name="Call", exact=True).click()
        await ended(here, "Welcome.")
        await ended(panel, "Seat 7 is yours.")
        await expect(note).to_have_count(0)


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize(("button", "said"), [("Decline", "decline"), ("Cancel", "cancel")])
async def test_refused_it_opens_nothing(open_page: OpenPage, signed_in: Any, era: str, button: str, said: str) -> None:
    async with open_page(storage_state=signed_in) as page:
        panel, question = await asked(page, era)
        await question.get_by_role("button", name=button, exact=True).click()
        await ended(panel, f"No seat: {said}.")
        assert len(page.context.pages) == 1


@pytest.mark.parametrize("era", ERAS)
async def test_a_server_of_the_stateless_era_asks_the_same(open_page: OpenPage, signed_in: Any, era: str) -> None:
    async with open_page(storage_state=signed_in) as page:
        panel = await chosen(page, "modern", era, "want")
        asks = {"method": "elicitation/create", "params": {"mode": "url", "message": "Go there.", "url": ADDRESS}}
        await panel.get_by_role("button", name="Write as JSON").click()
        await panel.get_by_label("Arguments").fill(json.dumps(asks))
        await panel.get_by_role("button", name="Call", exact=True).click()
        question = page.get_by_role("region", name="The server asks you to visit a page")
        await expect(question.locator(".playground-address strong")).to_have_text(HOST, timeout=WAIT_MS)
        await question.get_by_role("button", name="Decline").click()
        await ended(panel, '"action": "decline"')
        assert len(page.context.pages) == 1
