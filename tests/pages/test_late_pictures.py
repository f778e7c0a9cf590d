"""Pictures of a README that the site was still fetching when the page wanted them: asked for again, with no reload."""

from __future__ import annotations

import secrets
import struct
import zlib
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Page, Route, expect

from tests.playground.conftest import ORIGIN, Run
from tests.playground.conftest import chromium as chromium
from tests.playground.conftest import page as page
from tests.playground.conftest import run as run

pytestmark = pytest.mark.asyncio(loop_scope="module")

CONNECT = """(() => {
  document.body.innerHTML = `<div id="readme"><img data-pending src="${a}"></div>`;
  window.stop = m.connect(document.querySelector("#readme"));
  return null;
})()"""


def png(width: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows = zlib.compress(b"\0" + b"\x80" * width)
    head = struct.pack(">IIBBBBB", width, 1, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.fixture
def address() -> str:
    """Of each test's own: the browser remembers pictures."""
    return f"/late-{secrets.token_hex(4)}.png"


@pytest_asyncio.fixture(loop_scope="module")
async def asked(page: Page, address: str) -> AsyncIterator[list[str]]:
    """What is asked for, in order. The site has the picture from the third time on."""
    seen: list[str] = []

    async def answer(route: Route) -> None:
        seen.append(route.request.url.removeprefix(ORIGIN))
        await route.fulfill(body=png(7 if len(seen) > 2 else 1), content_type="image/png")

    await page.route(f"**{address}*", answer)
    yield seen
    await page.evaluate("stop()")
    await page.unroute_all()


async def test_a_late_picture_is_asked_for_until_it_is_there(
    page: Page, run: Run, address: str, asked: list[str]
) -> None:
    await run("../controllers/pictures", CONNECT, address)

    image = page.locator("#readme img")
    await expect(image).not_to_have_attribute("data-pending", "", timeout=60_000)
    assert await image.evaluate("image => image.naturalWidth") == 7
    assert asked == [address, f"{address}?1", f"{address}?2"]


async def test_nothing_is_asked_once_the_page_has_gone_on(page: Page, run: Run, address: str, asked: list[str]) -> None:
    await run("../controllers/pictures", CONNECT, address)
    await expect(page.locator("#readme img")).to_have_js_property("complete", True)
    await page.evaluate("stop()")

    await page.evaluate("new Promise((passed) => setTimeout(passed, 1500))")  # the first pause is a second
    assert asked == [address]
