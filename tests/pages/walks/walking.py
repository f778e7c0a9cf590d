"""Somebody's way through the site: whatever goes wrong on it, and a picture of each page in light and dark."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, Literal

from playwright.async_api import Browser, ConsoleMessage, Page, Request, Response

from tests.stack import ROOT, Stack

PASSWORD: Final = "calm harbour at seven"
WAIT_MS: Final = 30_000  # of a machine that many others use
BUILD_MS: Final = 180_000
WIDTHS: Final = {"desktop": (1280, 2560), "phone": (360,)}
SHOTS: Final = Path(os.environ.get("SLIPWAY_SHOTS", ROOT / "screenshots"))  # git-ignored

TALL_PX: Final = 6000  # of a page that is longer, such as the API's reference, the first screen is enough
_PAINTED: Final = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"

Device = Literal["desktop", "phone"]


class Walker:
    """One person at one screen. `look` judges the page that is there; `complaints` has what the browser said."""

    def __init__(self, page: Page, name: str, device: Device) -> None:
        self.page, self._name, self._device = page, name, device
        self.complaints: list[str] = []
        self.expected: set[int] = set()  # statuses that this person came to see
        self.clicks = 0
        self._seen = 0
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.complaints.append(f"{page.url}: {error}"))
        page.on("requestfailed", self._failed)
        page.on("response", self._answered)

    async def goto(self, path: str) -> None:
        await self.page.goto(path)

    async def click(self, role: Any, name: str, *, exact: bool = True) -> None:
        """Once, and counted."""
        await self.page.get_by_role(role, name=name, exact=exact).first.click()
        self.clicks += 1

    async def look(self, what: str) -> None:
        """No page is wider than its screen, be it small or very large."""
        self._seen += 1
        what = what.replace("/", "-")  # it may be the end of an address
        widths = WIDTHS[self._device]
        for width in widths:
            await self._resize(width)
            for scheme in ("light", "dark") if width < 2000 else ("light",):
                await self.page.emulate_media(color_scheme=scheme)
                await self.page.evaluate(_PAINTED)
                file = SHOTS / f"{self._name}-{self._seen:02}-{what}-{width}-{scheme}.png"
                height = await self.page.evaluate("document.documentElement.scrollHeight")
                # A picture of the full page would be one without touch: Chromium ends its emulation for that.
                await self._resize(width, height if height < TALL_PX else 0)
                await self.page.screenshot(path=file)
                await self._resize(width)
            wider = await self.page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert wider <= 0, f"{self.page.url} is {wider} px too wide at {width} px"
        await self._resize(widths[0])

    async def _resize(self, width: int, height: int = 0) -> None:
        """At least as high as a screen of that width is."""
        await self.page.set_viewport_size({"width": width, "height": max(height, 900 if width > 400 else 780)})

    def _console(self, message: ConsoleMessage) -> None:
        # What could not be loaded is told with its status by `_answered`.
        if message.type in ("error", "warning") and "Failed to load resource" not in message.text:
            self.complaints.append(f"{self.page.url}: {message.text}")

    def _failed(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # the page that asked was left meanwhile
            self.complaints.append(f"{request.url}: {request.failure}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400 and response.status not in self.expected:
            self.complaints.append(f"{response.status} {response.request.method} {response.url}")


@asynccontextmanager
async def walker(browser: Browser, site: Stack, name: str, device: Device) -> AsyncIterator[Walker]:
    """With a browser profile of their own; fails with what the browser complained of."""
    SHOTS.mkdir(exist_ok=True)
    context = await browser.new_context(
        base_url=site.url, reduced_motion="reduce", has_touch=device == "phone", is_mobile=device == "phone",
        viewport={"width": WIDTHS[device][0], "height": 900},
    )  # fmt: skip
    context.set_default_timeout(WAIT_MS)
    found = Walker(await context.new_page(), name, device)
    try:
        yield found
    finally:
        await context.close()
    assert found.complaints == []


async def signs_in(walker: Walker, site: Stack, name: str) -> None:
    """By a link of the operator's, which asks for a password."""
    await walker.goto(site.manage("sign_in_link", "--user", name).stdout.strip())
    await walker.page.get_by_label("Password").fill(PASSWORD)
    await walker.page.get_by_role("button", name="Set password and sign in").click()
    await walker.page.wait_for_url("**/servers/")
