"""Apps that hosted servers bring, in the Playground: they work, ask before they act, and find no way out; from the
site's own address and from one beside it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, FrameLocator, Locator, Page, expect

from tests.pages.accessible import check_accessible
from tests.pages.conftest import OpenPage
from tests.pages.test_browser import sign_in_by_link
from tests.stack import Stack

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

ATLAS = Path(__file__).parents[1] / "servers" / "atlas.py"
OWNER = "mira"
PATH = f"/d/{OWNER}/atlas/playground"
WAIT_MS = 60_000


class BesideStack(Stack):
    """A site with apps under another name of the same port."""

    @property
    def apps_url(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def environment(self) -> Mapping[str, str]:
        return {**super().environment, "SLIPWAY_APPS_URL": self.apps_url}


@pytest.fixture(scope="module", params=["own", "beside"])
def stack(request: pytest.FixtureRequest, stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    if request.param == "own":
        yield stack
        return
    site = BesideStack(tmp_path_factory.mktemp("beside"))
    try:
        yield site.start()
    finally:
        site.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def signed_in(stack: Stack, open_page: OpenPage) -> Any:
    """The cookies of OWNER, who has the server "atlas"."""
    stack.manage("host", f"source:{ATLAS}", "--owner", OWNER, "--name", "atlas", seconds=300)
    async with open_page() as page:
        await sign_in_by_link(page, stack, OWNER)
        return await page.context.storage_state()


async def called(page: Page, tool: str = "map", era: str = "2025-11-25", **arguments: str) -> Locator:
    """The panel of the tool, after a call."""
    await page.goto(PATH, timeout=WAIT_MS)
    await page.get_by_label("Protocol").select_option(era)
    await expect(page.locator("[data-playground-status]")).to_contain_text("Connected to Atlas 1.0", timeout=WAIT_MS)
    await page.locator(".playground-entry", has_text=tool).first.click()
    panel = page.locator("[data-playground-chosen]")
    for name, value in arguments.items():
        await panel.get_by_label(name).fill(value)
    await panel.get_by_role("button", name="Call", exact=True).click()
    await expect(panel.locator(".playground-run .badge").first).to_have_text("Done", timeout=WAIT_MS)
    return panel


def sent_by(page: Page) -> Locator:
    """The calls of tools in the trace."""
    return page.locator(".playground-line", has_text="tools/call").filter(has_text="request")


def app_in(page: Page) -> FrameLocator:
    return page.frame_locator(".playground-frame")


@pytest.mark.parametrize("era", ["2025-11-25", "2026-07-28"])
async def test_an_app_shows_the_result_and_is_as_high_as_it_says(open_page: OpenPage, signed_in: Any, era: str) -> None:
    async with open_page(storage_state=signed_in) as page:
        await called(page, era=era, city="Bern")
        app = app_in(page)
        await expect(app.get_by_role("heading")).to_have_text("Bern", timeout=WAIT_MS)
        await expect(app.locator("pre")).to_have_text("slipway-playground light map")
        await expect(app.locator("li").first).to_have_text('input: {"city":"Bern"}')
        frame = page.locator(".playground-frame")
        await expect(frame).to_have_css("block-size", "333px")
        assert await frame.get_attribute("sandbox") == "allow-scripts"
        await check_accessible(page, "app")
        await page.get_by_role("button", name="Close").click()
        await expect(frame).to_have_count(0)


async def test_it_uses_the_server_only_when_its_user_allows_it(open_page: OpenPage, signed_in: Any) -> None:
    async with open_page(storage_state=signed_in) as page:
        await called(page, city="Bern")
        app = app_in(page)
        sent = sent_by(page)
        await app.get_by_role("button", name="Scale").click()
        question = page.get_by_role("group", name="The app asks")
        await expect(question).to_contain_text("call scale")
        await expect(sent).to_have_count(1)  # that of the person alone
        await app.get_by_role("button", name="Secret").click()  # a second question while there is one
        await expect(app.locator("li").last).to_have_text("secret: The user is being asked something else.")
        await question.get_by_role("button", name="Allow").click()
        await expect(app.locator("li").last).to_contain_text('"structuredContent":{"by":2}', timeout=WAIT_MS)
        await app.get_by_role("button", name="Scale").click()  # asked once for each app
        await expect(sent).to_have_count(3, timeout=WAIT_MS)
        await app.get_by_role("button", name="Secret").click()
        await expect(app.locator("li").last).to_have_text("secret: There is no tool secret for apps.", timeout=WAIT_MS)
        await expect(sent).to_have_count(3)


async def test_refused_it_does_nothing(open_page: OpenPage, signed_in: Any) -> None:
    async with open_page(storage_state=signed_in) as page:
        await called(page, city="Bern")
        app = app_in(page)
        for button, words in (("Scale", "does not allow"), ("Link", "The user refused")):
            await app.get_by_role("button", name=button).click()
            await page.get_by_role("button", name="Refuse").click()
            await expect(app.locator("li").last).to_contain_text(words)
        assert len(page.context.pages) == 1
        await expect(sent_by(page)).to_have_count(1)


async def test_a_link_is_read_before_it_opens(open_page: OpenPage, signed_in: Any) -> None:
    async with open_page(storage_state=signed_in) as page:
        await called(page, city="Bern")
        await app_in(page).get_by_role("button", name="Link").click()
        question = page.get_by_role("group", name="The app asks")
        await expect(question.locator(".playground-address")).to_have_text("https://maps.example.org/bern")
        assert len(page.context.pages) == 1
        async with page.context.expect_page() as opening:
            await question.get_by_role("button", name="Open maps.example.org").click()
        await (await opening.value).close()
        await expect(app_in(page).locator("li").last).to_have_text("link: {}")


@asynccontextmanager
async def elsewhere() -> AsyncIterator[tuple[str, list[bytes]]]:
    """A host that no app may reach: its address, and what reached it."""
    seen: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readline())
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/leak", seen


async def test_there_is_no_way_out(chromium: Browser, stack: Stack, signed_in: Any) -> None:
    # Not `open_page`: each refused way is an error in the console
    context = await chromium.new_context(base_url=stack.url, storage_state=signed_in)
    page = await context.new_page()
    async with elsewhere() as (address, seen):
        panel = await called(page, city="Bern", elsewhere=address, site=f"{stack.url}/api/deployments")
        said = app_in(page).locator("li")
        await expect(said.last).to_have_text("tried", timeout=WAIT_MS)
        found = dict(words.split(": ", 1) for words in await said.all_inner_texts() if ": " in words)

        ways = {"cookies", "storage", "page", "top", "popup"}
        ways |= {"fetch elsewhere", "fetch site", "image", "script", "socket"}
        assert {name: found[name] for name in ways} == dict.fromkeys(ways, "refused")
        assert seen == [] and page.url == stack.url + PATH and len(context.pages) == 1
        await app_in(page).get_by_role("button", name="Leave").click()  # to where it would take along what it knows
        await expect(app_in(page).get_by_role("heading", name="Bern")).to_have_count(0)
        await expect(panel.locator(".playground-run .badge").first).to_have_text("Done")
        await context.close()
        assert seen == []


async def test_the_document_comes_from_where_it_is_said_to(chromium: Browser, stack: Stack, signed_in: Any) -> None:
    """Without a cookie, even where its host has one, and for a frame of the page alone."""
    host = stack.apps_url if isinstance(stack, BesideStack) else stack.url
    context = await chromium.new_context(base_url=stack.url, storage_state=signed_in)
    if host != stack.url:
        await context.add_cookies([{"name": "planted", "value": "1", "url": host}])
    page = await context.new_page()
    async with page.expect_response(lambda answer: "/app/" in answer.url) as answering:
        await called(page, city="Bern")
    answer = await answering.value
    await expect(app_in(page).get_by_role("heading")).to_have_text("Bern", timeout=WAIT_MS)
    fields = await answer.request.all_headers()

    assert answer.url.startswith(f"{host}/") and fields["sec-fetch-dest"] == "iframe"
    assert await answer.header_value("set-cookie") is None
    assert ("cookie" in fields) == (host == stack.url)
    if host != stack.url:
        other = await context.new_page()
        for path in (answer.url, f"{host}{PATH}", f"{host}/", f"{host}/healthz"):
            shown = await other.goto(path)
            assert shown is not None and shown.status == 404, path
    await context.close()


async def test_what_others_say_is_not_heard(open_page: OpenPage, signed_in: Any) -> None:
    async with open_page(storage_state=signed_in) as page:
        await called(page, city="Bern")
        await expect(app_in(page).get_by_role("heading")).to_have_text("Bern", timeout=WAIT_MS)
        await page.evaluate(
            """async () => {
              const call = { jsonrpc: "2.0", id: 99, method: "tools/call", params: { name: "scale" } };
              postMessage(call, "*");  // as a script of the page, or a window that has hold of it
              const other = document.createElement("iframe");
              other.sandbox = "allow-scripts";
              document.body.append(other);
              dispatchEvent(new MessageEvent("message", { data: call, origin: "null", source: other.contentWindow }));
              dispatchEvent(new MessageEvent("message", { data: call, origin: location.origin, source: window }));
              await new Promise((resolve) => setTimeout(resolve));
              other.remove();
            }"""
        )
        await expect(page.get_by_role("group", name="The app asks")).to_have_count(0)


async def test_what_is_no_app_is_not_shown(open_page: OpenPage, signed_in: Any) -> None:
    async with open_page(storage_state=signed_in) as page:
        panel = await called(page, "broken")
        await expect(panel.locator(".alert-bad")).to_contain_text("ui://atlas/none is no text/html;profile=mcp-app")
        await expect(page.locator("iframe[src]")).to_have_count(0)
