"""The Playground against a hosted server: a nested form, progress, a question, results; and markup in what it says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Locator, Page, expect

from tests.pages.conftest import OpenPage
from tests.pages.test_browser import sign_in_by_link
from tests.stack import Stack

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

TRAVEL = Path(__file__).parents[1] / "servers" / "travel.py"
OWNER = "gina"
PATH = f"/d/{OWNER}/travel/playground"
WAIT_MS = 60_000
ERAS = ["2025-11-25", "2026-07-28"]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def signed_in(stack: Stack, open_page: OpenPage) -> Any:
    """The cookies of OWNER, who has the server "travel"."""
    stack.manage("host", f"source:{TRAVEL}", "--owner", OWNER, "--name", "travel", seconds=300)
    async with open_page() as page:
        await sign_in_by_link(page, stack, OWNER)
        return await page.context.storage_state()


async def connected(page: Page, era: str = ERAS[0]) -> None:
    await page.goto(PATH, timeout=WAIT_MS)
    await page.get_by_label("Protocol").select_option(era)
    await expect(page.locator("[data-playground-status]")).to_have_text("Connected to Travel 1.0", timeout=WAIT_MS)


async def choose(page: Page, name: str) -> Locator:
    """The panel of the chosen thing."""
    panel = page.locator("[data-playground-chosen]")
    before = (
        await panel.locator(":scope > *").first.element_handle() if await panel.locator(":scope > *").count() else None
    )
    await page.locator(".playground-entry", has_text=name).first.click()
    if before is not None:
        await before.wait_for_element_state("hidden")  # the panel of what was chosen before
    return panel


async def call(panel: Locator) -> None:
    await panel.get_by_role("button", name="Call", exact=True).click()


async def done(panel: Locator, words: str = "Done") -> None:
    await expect(panel.locator(".playground-run .badge").first).to_have_text(words, timeout=WAIT_MS)


@pytest.mark.parametrize("era", ERAS)
async def test_a_nested_form_is_filled_called_asked_and_answered(open_page: OpenPage, signed_in: Any, era: str) -> None:
    async with open_page(storage_state=signed_in) as page:
        await connected(page, era)
        panel = await choose(page, "plan_trip")
        await call(panel)  # with nothing filled in: told where it is missing, and nothing is sent
        await expect(panel.get_by_text("3 things do not fit the schema")).to_be_visible()
        await expect(panel.get_by_label("Full name")).to_be_focused()
        await expect(panel.get_by_label("Full name")).to_have_attribute("aria-invalid", "true")
        await panel.get_by_label("Full name").fill("Ada Lovelace")
        await panel.get_by_label("email").fill("ada@example.org")
        await panel.get_by_label("city").fill("Bern")
        await panel.get_by_role("button", name="Add to stops").click()
        await panel.get_by_label("city").nth(1).fill("Basel")
        await panel.get_by_label("budget").select_option("By day")
        await panel.get_by_label("each_day").fill("12.5")
        await panel.get_by_label("food").check()
        await call(panel)
        await expect(panel.locator(".playground-run progress")).to_have_js_property("value", 2, timeout=WAIT_MS)
        question = page.get_by_role("region", name="The server asks you")
        await expect(question).to_contain_text("Shall this be booked?")
        await question.get_by_label("Book it?").select_option("Yes (true)")
        await question.get_by_label("seat").select_option("Window")
        await question.get_by_role("button", name="Submit").click()
        await done(panel)
        await expect(question).to_have_count(0)
        await expect(panel.get_by_role("group", name="stops").last).to_contain_text("Basel")
        await expect(panel.locator(".playground-log")).to_contain_text("looking for a bed in Bern")
        await panel.get_by_text("As JSON", exact=True).click()
        result = json.loads(await panel.get_by_role("group", name="Result as JSON").inner_text())
        assert result["structuredContent"]["answer"] == {"action": "accept", "content": {"sure": True, "seat": "w"}}
        await expect(page.locator("[data-playground-announce]")).to_contain_text("plan_trip: done after")


async def test_the_trace_has_each_message_and_never_the_token(open_page: OpenPage, signed_in: Any) -> None:
    async with open_page(storage_state=signed_in) as page:
        tokens: list[str] = []
        page.on("request", lambda request: tokens.append(request.headers.get("authorization", "")))
        cookies: list[str] = []
        page.on(
            "request",
            lambda request: cookies.append(request.headers.get("cookie", "")) if "/mcp/" in request.url else None,
        )
        await connected(page)
        panel = await choose(page, "echo")
        await panel.get_by_role("button", name="Write as JSON").click()
        await panel.get_by_label("Arguments").fill('{"a": [1, {"b": null}]}')
        await call(panel)
        await done(panel)
        await page.locator(".playground-trace > summary").click()
        lines = page.locator(".playground-line")
        await expect(lines.filter(has_text="tools/call")).to_have_count(2)
        await expect(lines.filter(has_text="result").filter(has_text="tools/call")).to_contain_text(" ms")
        await lines.filter(has_text="request").filter(has_text="tools/call").click()
        sent = json.loads(await page.get_by_role("group", name="request tools/call").inner_text())
        assert sent["params"]["arguments"] == {"a": [1, {"b": None}]}
        bearer = next(token for token in tokens if token).removeprefix("Bearer ")
        assert bearer not in await page.content()
        assert set(cookies) == {""}


async def test_cancelling_reaches_the_server(open_page: OpenPage, signed_in: Any) -> None:
    async with open_page(storage_state=signed_in) as page:
        await connected(page)
        panel = await choose(page, "slow")
        await call(panel)
        await expect(panel.get_by_text("1 of 10 · begun")).to_be_visible(timeout=WAIT_MS)
        await panel.get_by_role("button", name="Cancel").click()
        await done(panel, "Failed")
        await expect(panel.get_by_text("Cancelled")).to_be_visible()
        await expect(page.locator(".playground-line", has_text="notifications/cancelled")).to_have_count(1)


async def test_a_tools_own_failure_and_a_models_answer_are_shown(open_page: OpenPage, signed_in: Any) -> None:
    async with open_page(storage_state=signed_in) as page:
        await connected(page)
        panel = await choose(page, "fail")
        await call(panel)
        await done(panel, "Failed")
        await expect(panel.locator(".alert-bad")).to_contain_text("The tool says that it failed")
        await expect(panel).to_contain_text("There is no train on Sundays.")
        panel = await choose(page, "ask_model")
        await call(panel)
        question = page.get_by_role("region", name="The server asks your model")
        await question.get_by_label("Answer of the model").fill("Bergen")
        await question.get_by_role("button", name="Answer").click()
        await done(panel)
        await expect(panel).to_contain_text("The model says: Bergen")


async def test_pictures_recordings_and_files_are_shown(open_page: OpenPage, signed_in: Any) -> None:
    async with open_page(storage_state=signed_in) as page:
        await connected(page)
        panel = await choose(page, "picture")
        await call(panel)
        await done(panel)
        await expect(panel.get_by_role("img", name="Image from the result")).to_have_js_property("naturalWidth", 96)
        duration = "audio => audio.readyState || new Promise(r => audio.addEventListener('loadedmetadata', r))"
        await panel.locator("audio").evaluate(duration)
        assert await panel.locator("audio").evaluate("audio => audio.duration") == 0.5
        await expect(panel.get_by_role("link", name="Download")).to_have_attribute("download", "ticket.bin")


async def test_nothing_that_a_server_says_becomes_markup(open_page: OpenPage, signed_in: Any) -> None:
    async with open_page(storage_state=signed_in) as page:
        await connected(page)
        panel = await choose(page, "onerror")
        await call(panel)
        await done(panel)
        await page.locator(".playground-trace > summary").click()
        for line in await page.locator(".playground-line").all():
            await line.click()
        closed = panel.locator("details:not([open]) > summary")  # those inside come once the outer one is open
        while await closed.count():
            await closed.first.click()
        assert await page.title() == f"Playground · {OWNER}/travel · Slipway"
        assert await page.locator(".playground script, .playground iframe, [onerror]").count() == 0
        assert await page.locator("a[href^='javascript' i]").count() == 0
        sources = await page.locator(".playground img").evaluate_all("all => all.map((one) => one.src)")
        assert [source for source in sources if not source.startswith("data:image/png;base64,")] == []
        await expect(panel.locator("h2")).to_contain_text("<script>")


async def test_resources_and_prompts_are_read_with_completed_arguments(open_page: OpenPage, signed_in: Any) -> None:
    async with open_page(storage_state=signed_in) as page:
        await connected(page, "2026-07-28")
        await page.locator("label", has_text="Prompts").click()
        panel = await choose(page, "postcard")
        await panel.get_by_role("button", name="Get", exact=True).click()  # nothing is sent without what is needed
        await expect(panel.get_by_label("city")).to_be_focused()
        await panel.get_by_label("city").fill("be")
        await expect(panel.locator("datalist option").first).to_have_attribute("value", "Bern", timeout=WAIT_MS)
        await panel.get_by_label("city").fill("Bern")
        await panel.get_by_role("button", name="Get", exact=True).click()
        await done(panel)
        await expect(panel).to_contain_text("Write a postcard from Bern.")
        await page.locator("label", has_text="Resources").click()
        panel = await choose(page, "guide")
        await panel.get_by_label("city").fill("Zürich/See")
        await panel.get_by_role("button", name="Read", exact=True).click()
        await done(panel)
        await expect(panel).to_contain_text("All about travel://guide/Z%C3%BCrich%2FSee")
        await page.locator("label", has_text="Tools").click()
        panel = await choose(page, "picture")
        await call(panel)
        await done(panel)
        await panel.get_by_role("button", name="Read Guide to Bern").click()
        await done(panel)
        await expect(panel).to_contain_text("All about travel://guide/Bern")


@pytest.mark.parametrize("era", ERAS)
async def test_a_call_runs_as_a_task_that_asks(open_page: OpenPage, signed_in: Any, era: str) -> None:
    async with open_page(storage_state=signed_in) as page:
        await connected(page, era)
        panel = await choose(page, "ask_model")
        await panel.get_by_role("button", name="Run as task").click()
        question = page.get_by_role("region", name="The server asks your model")
        await question.get_by_label("Answer of the model").fill("Basel", timeout=WAIT_MS)
        if era == "2025-11-25":  # in the other one the server decides, and a call that asks at once is none
            await expect(panel.get_by_role("link", name="Page of this task")).to_be_visible()
        await question.get_by_role("button", name="Answer").click()
        await done(panel)
        await expect(panel).to_contain_text("The model says: Basel")


async def test_a_revoked_token_is_replaced_without_a_word(open_page: OpenPage, signed_in: Any) -> None:
    async with open_page(storage_state=signed_in) as page, open_page(storage_state=signed_in) as other:
        await connected(page)
        await other.goto(f"/d/{OWNER}/travel/access")
        while await (revoke := other.get_by_role("button", name="Revoke")).count():
            await revoke.first.click()
        panel = await choose(page, "echo")
        await call(panel)
        await done(panel)


async def test_a_session_that_ended_is_begun_anew(open_page: OpenPage, signed_in: Any) -> None:
    async with open_page(storage_state=signed_in) as page, open_page(storage_state=signed_in) as other:
        await connected(page)
        panel = await choose(page, "echo")
        await call(panel)
        await done(panel)
        greetings = page.locator(".playground-line", has_text="request").filter(has_text="initialize #")
        before = await greetings.count()
        await other.goto(f"/d/{OWNER}/travel/", timeout=WAIT_MS)
        await other.get_by_role("button", name="Restart").click()
        await expect(other.locator(".deployment-title .badge").first).to_have_text("Running", timeout=WAIT_MS)
        await call(panel)
        await done(panel)
        await expect(greetings).to_have_count(before + 1)


async def test_no_width_is_too_narrow(open_page: OpenPage, signed_in: Any) -> None:
    async with open_page(storage_state=signed_in, viewport={"width": 360, "height": 740}) as page:
        await connected(page)
        for name in ("onerror", "picture"):
            panel = await choose(page, name)
            await call(panel)
            await done(panel)
            wider = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            assert await page.evaluate(wider) <= 0, name


async def violations(page: Page) -> list[str]:
    """What axe finds against WCAG 2.2 AA and its own advice, with the element of each."""
    found = await Axe().run(page)
    return [f"{rule['id']}: {node['html'][:200]}" for rule in found.response["violations"] for node in rule["nodes"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_wrong(open_page: OpenPage, signed_in: Any, scheme: str) -> None:
    async with open_page(storage_state=signed_in, color_scheme=scheme) as page:
        await connected(page)
        assert await violations(page) == []
        panel = await choose(page, "plan_trip")
        await panel.get_by_label("budget").select_option("By day")
        await call(panel)
        await expect(panel.get_by_text("do not fit the schema")).to_be_visible()
        assert await violations(page) == []
        await panel.get_by_role("button", name="Write as JSON").click()
        await panel.get_by_label("Arguments").fill('{"traveller": {}, "stops": [{"city": "Bern"}]}')
        await call(panel)
        await expect(page.get_by_role("region", name="The server asks you")).to_be_visible(timeout=WAIT_MS)
        assert await violations(page) == []
        panel = await choose(page, "onerror")
        await call(panel)
        await done(panel)
        await panel.get_by_text("This call as code").click()
        await page.locator(".playground-trace > summary").click()
        await page.locator(".playground-line").last.click()
        assert await violations(page) == []


async def test_the_keyboard_alone_is_enough(open_page: OpenPage, signed_in: Any) -> None:
    async with open_page(storage_state=signed_in) as page:
        await connected(page)
        await page.get_by_role("searchbox", name="Filter tools").focus()
        await page.keyboard.type("ask_m")
        await expect(page.locator(".playground-entry:visible")).to_have_count(1)
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        panel = page.locator("[data-playground-chosen]")
        await expect(panel.get_by_role("heading", name="ask_model")).to_be_focused()
        await page.keyboard.press("Tab")
        await expect(panel.get_by_role("button", name="Call", exact=True)).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(page.get_by_label("Answer of the model")).to_be_focused(timeout=WAIT_MS)
        await page.keyboard.type("Basel")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await done(panel)
        await expect(panel).to_contain_text("The model says: Basel")
        await expect(panel.get_by_role("button", name="Call", exact=True)).to_be_focused()
