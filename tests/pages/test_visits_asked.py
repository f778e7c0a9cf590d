"""Hosted servers that send people to a page of another site (elicitation by URL), and a person at the Playground: the
address is read before anything opens, refused or not, and the call goes on by itself once they have been there."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, expect

from tests.pages.accessible import check_accessible
from tests.pages.conftest import OpenPage
from tests.pages.test_browser import sign_in_by_link
from tests.stack import Stack

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

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
# All tokens of that server, as if their ten minutes were over.
_REVOKED = """
from events.actors import OPERATOR
from hosting.models import Deployment
from oauth.services import endpoint_tokens_revoke_for
endpoint_tokens_revoke_for(actor=OPERATOR, deployment_id=Deployment.objects.get(name="booth").pk)
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


class Line:
    """A SOCKS proxy (RFC 1928) between a browser and the site, for a network that fails."""

    def __init__(self) -> None:
        self.is_down = False
        self._open: set[asyncio.StreamWriter] = set()

    @classmethod
    @asynccontextmanager
    async def opened(cls) -> AsyncIterator[tuple[Line, str]]:
        """With the address that a browser is given."""
        line = cls()
        async with await asyncio.start_server(line._serve, "127.0.0.1", 0) as server:
            yield line, f"socks5://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            line.cut()

    def cut(self) -> None:
        for writer in self._open:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            if self.is_down:
                return
            _, methods = await reader.readexactly(2)
            await reader.readexactly(methods)
            writer.write(b"\x05\x00")
            kind = (await reader.readexactly(4))[3]
            await reader.readexactly(4 if kind == 1 else (await reader.readexactly(1))[0])
            port = int.from_bytes(await reader.readexactly(2), "big")
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
            self._open.add(far_writer)
            writer.write(b"\x05\x00\x00\x01" + bytes(6))
            await asyncio.gather(_carried(reader, far_writer), _carried(far_reader, writer))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


async def _carried(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while octets := await reader.read(65_536):
            writer.write(octets)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


async def test_a_line_that_breaks_is_taken_up_again(chromium: Browser, stack: Stack, signed_in: Any) -> None:
    """The result of a call comes on another stream than it was asked on."""
    async with Line.opened() as (line, proxy):
        context = await chromium.new_context(
            base_url=stack.url, storage_state=signed_in, proxy={"server": proxy, "bypass": "<-loopback>"}
        )
        page = await context.new_page()
        panel, question = await asked(page, "2025-11-25")
        await context.route(f"https://{HOST}/**", lambda route: route.fulfill(body="Seats"))
        await question.get_by_role("button", name=f"Open {HOST}").click()
        note = page.get_by_text(f"You opened {HOST}")
        await expect(note).to_be_visible()
        line.is_down = True
        async with page.expect_event("requestfailed", timeout=WAIT_MS):
            line.cut()
        line.is_down = False

        other = await chromium.new_context(base_url=stack.url, storage_state=signed_in)
        here = await chosen(await other.new_page(), "booth", "2025-11-25", "arrive")
        await here.get_by_role("button", name="Call", exact=True).click()
        await ended(here, "Welcome.")
        await ended(panel, "Seat 7 is yours.")
        await other.close()
        await context.close()


@pytest.mark.parametrize("era", ERAS)
async def test_a_token_that_ends_meanwhile_is_renewed(
    open_page: OpenPage, stack: Stack, signed_in: Any, era: str
) -> None:
    async with open_page(storage_state=signed_in) as page:
        panel, question = await asked(page, era)
        # A session's stream may end with its token, and the page has another one before it answers.
        async with page.expect_response(lambda answer: answer.url.endswith("/playground/token")):
            stack.manage("shell", "--no-imports", "-c", _REVOKED)
            await asyncio.sleep(3)  # the endpoint looks twice a second; nothing tells when it did
            await question.get_by_role("button", name="Decline").click()
        await ended(panel, "No seat: decline.")
