"""What our own client owes its user when a server wants a page visited (client/elicitation, "Safe URL Handling")."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page, Request, expect

from tests.playground.conftest import ORIGIN, Run

pytestmark = pytest.mark.asyncio(loop_scope="module")

ADDRESS = "https://accounts.example.org/connect?id=7&next=accounts.example.org"
ASK = """(() => {
  document.body.replaceChildren(Object.assign(document.createElement("div"), { id: "place" }));
  window.said = [];
  window.call = new AbortController();
  window.answered = m.answer(document.querySelector("#place"), (words) => said.push(words),
    "elicitation/create", { mode: "url", message: "Visit https://elsewhere.example", ...a }, call.signal);
  return null;
})()"""
COMPLETE = "(m.completed(a), null)"


@dataclass
class There:
    """A site that a server wants visited, and the heads of the requests that reached it."""

    address: str
    heads: list[bytes] = field(default_factory=list)


@pytest_asyncio.fixture(loop_scope="module")
async def there() -> AsyncIterator[There]:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(asyncio.IncompleteReadError):  # Chromium opens connections that it may not need
                site.heads.append((await reader.readuntil(b"\r\n\r\n")).lower())
                writer.write(
                    b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\nConnection: close\r\n\r\nOK"
                )
                await writer.drain()
        finally:
            writer.close()  # also at the end of the loop: what nobody has closed fails a later test

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as listener:
        site = There(f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/connect?id=7")
        yield site


@pytest_asyncio.fixture(loop_scope="module")
async def asked_for(page: Page) -> AsyncIterator[list[str]]:
    """What the browser asks of anybody but this page's own files, until the test ends."""
    asked: list[str] = []

    def note(request: Request) -> None:
        if not request.url.startswith(f"{ORIGIN}/"):
            asked.append(request.url)

    page.context.on("request", note)
    yield asked
    page.context.remove_listener("request", note)
    assert page.context.pages == [page]


@contextlib.asynccontextmanager
async def visited(page: Page) -> AsyncIterator[Page]:
    """Agrees, and waits for the answer in the new tab: one that came late would be the next test's."""
    async with page.context.expect_page() as opening:
        await page.get_by_role("button", name="Open 127.0.0.1").click()
    other = await opening.value
    await expect(other.locator("body")).to_have_text("OK")
    yield other
    await other.close()


async def test_nothing_is_opened_or_fetched_before_somebody_agrees(page: Page, run: Run, asked_for: list[str]) -> None:
    await run("questions", ASK, {"url": ADDRESS})

    shown = page.locator(".playground-address")
    await expect(shown).to_have_text(ADDRESS)  # all of it
    await expect(shown.locator("strong")).to_have_text("accounts.example.org")
    await expect(shown).to_be_focused()  # and no button that a key pressed by mistake would press
    assert await page.locator("a, link, iframe, img").count() == 0  # nor are addresses in its words links
    assert asked_for == [] and len(page.context.pages) == 1


async def test_agreeing_opens_a_tab_that_knows_nothing_of_this_one(page: Page, run: Run, there: There) -> None:
    await run("questions", ASK, {"url": there.address})
    assert there.heads == []
    async with visited(page) as other:
        assert await page.evaluate("answered") == {"action": "accept"}
        assert other.url == there.address and await other.evaluate("[opener, document.referrer]") == [None, ""]
    head = there.heads[0]
    assert b"get /connect?id=7 " in head and b"referer" not in head and b"cookie" not in head


@pytest.mark.parametrize(("button", "action"), [("Decline", "decline"), ("Cancel", "cancel")])
async def test_saying_no_opens_nothing(page: Page, run: Run, asked_for: list[str], button: str, action: str) -> None:
    await run("questions", ASK, {"url": ADDRESS})
    await page.get_by_role("button", name=button).click()

    assert await page.evaluate("answered") == {"action": action}
    assert asked_for == [] and await page.locator("#place *").count() == 0


@pytest.mark.parametrize(
    "url",
    [
        "http://accounts.example.org/",
        "javascript:document.title='owned'",
        "data:text/html,<script>1</script>",
        "file:///etc/passwd",
        "https://accounts.example.org@evil.example/",
        "accounts.example.org",
        "https://",
        None,
        {"href": "https://evil.example"},
    ],
)
async def test_what_is_no_safe_address_can_only_be_declined(
    page: Page, run: Run, asked_for: list[str], url: Any
) -> None:
    await run("questions", ASK, {"url": url})

    await expect(page.locator("#place .alert")).to_contain_text("not opened")
    assert [await one.inner_text() for one in await page.get_by_role("button").all()] == ["Decline", "Cancel"]
    await page.locator("form").evaluate("form => form.requestSubmit()")  # as the Enter key would
    await page.get_by_role("button", name="Decline").click()
    assert await page.evaluate("answered") == {"action": "decline"} and asked_for == []


@pytest.mark.parametrize("url", ["http://localhost:8001/callback", "http://127.0.0.1/x"])
async def test_this_machine_may_be_visited_without_tls(page: Page, run: Run, url: str) -> None:
    await run("questions", ASK, {"url": url})
    await expect(page.get_by_role("button", name="Open ")).to_have_count(1)


async def test_letters_that_look_like_others_are_written_plainly(page: Page, run: Run) -> None:
    await run("questions", ASK, {"url": "https://\u0440\u0430ypal.com/sign-in"})  # two Cyrillic letters

    await expect(page.locator(".playground-address strong")).to_have_text("xn--ypal-43d9g.com")
    await expect(page.get_by_role("button", name="Open xn--ypal-43d9g.com in a new tab")).to_be_visible()
    await expect(page.locator("#place .alert")).to_contain_text("can look like others")
    await expect(page.locator("#place .alert")).to_contain_text("The server wrote it in another way")


async def test_characters_that_turn_text_around_are_written_out(page: Page, run: Run) -> None:
    await run("questions", ASK, {"url": "https://evil.example/\u202egro.knab//:sptth", "message": "a\u202eb"})

    assert "\u202e" not in await page.locator("#place").inner_text()
    await expect(page.locator(".playground-said")).to_have_text("a⟦U+202E⟧b")


async def test_the_server_says_that_it_is_done(page: Page, run: Run, there: There) -> None:
    await run("questions", ASK, {"url": there.address, "elicitationId": "one"})
    async with visited(page):
        note = page.locator("#place .alert", has_text="You opened 127.0.0.1")
        await expect(note).to_be_visible()
    for unknown in ({"elicitationId": "two"}, {"elicitationId": None}, {}, None):
        await run("visiting", COMPLETE, unknown)
    await expect(note).to_be_visible()

    await run("visiting", COMPLETE, {"elicitationId": "one"})
    await run("visiting", COMPLETE, {"elicitationId": "one"})

    await expect(note).to_have_count(0)
    assert (await page.evaluate("said")).count("The server says that you are done there.") == 1


async def test_a_note_goes_with_its_call(page: Page, run: Run, there: There) -> None:
    await run("questions", ASK, {"url": there.address, "elicitationId": "three"})
    async with visited(page):
        await expect(page.locator("#place .alert")).to_contain_text("You opened")
    await page.evaluate("answered")
    await page.evaluate("call.abort()")

    await expect(page.locator("#place *")).to_have_count(0)


async def test_pages_that_a_call_needs_first_are_opened_one_by_one(page: Page, run: Run, asked_for: list[str]) -> None:
    pages = [{"url": ADDRESS, "elicitationId": "four", "message": "First"}, {"url": "http://evil.example"}, None]
    show = """(window.said = [], document.body.replaceChildren(
      ...m.shownError({ code: -32042, data: { elicitations: a } }, (words) => said.push(words))), null)"""
    await run("result", show, pages)
    assert asked_for == []
    assert await page.get_by_role("button", name="Open ").count() == 1
    await expect(page.locator(".playground-link")).to_have_count(3)

    await run("visiting", COMPLETE, {"elicitationId": "four"})

    await expect(page.locator(".playground-link").first).to_contain_text("Call again")
    assert len(await page.evaluate("said")) == 1
