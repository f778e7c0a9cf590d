"""Tasks in a browser: begun by an MCP client, watched live, answered, refused, cancelled and run again."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.pages.conftest import OpenPage
from tests.pages.test_browser import sign_in_by_link
from tests.stack import Stack
from tests.tasks.conftest import LegacyTasks

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

ROLLOUT = Path(__file__).parents[1] / "servers" / "rollout.py"
OWNER = "tessa"
WAIT_MS = 60_000
PHONE = {"width": 360, "height": 740}
SECRET = "s3cret-of-the-harbour"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def signed_in(stack: Stack, open_page: OpenPage) -> Any:
    """The cookies of OWNER, who has the server "rollout"."""
    stack.manage("host", f"source:{ROLLOUT}", "--owner", OWNER, "--name", "rollout", seconds=300)
    async with open_page() as page:
        await sign_in_by_link(page, stack, OWNER)
        return await page.context.storage_state()


@pytest_asyncio.fixture(loop_scope="module")
async def client(stack: Stack, signed_in: Any) -> AsyncIterator[LegacyTasks]:
    token = stack.manage("issue_token", "--user", OWNER, "--deployment", f"{OWNER}/rollout").stdout.strip()
    async with httpx.AsyncClient(timeout=60) as http:
        client = LegacyTasks(f"{stack.url}/mcp/{OWNER}/rollout", token, http)
        await client.initialize()
        yield client


async def start(client: LegacyTasks, **arguments: Any) -> str:
    return str((await client.start("roll_out", **arguments))["taskId"])


def state_of(page: Page) -> Any:
    return page.locator(".deployment-title .badge").first


async def until_asked(page: Page, task_id: str) -> None:
    await page.goto(f"/tasks/{task_id}/")
    await expect(state_of(page)).to_have_text("Needs an answer", timeout=WAIT_MS)


async def test_a_task_is_watched_answered_and_done_without_a_reload(
    open_page: OpenPage, signed_in: Any, client: LegacyTasks
) -> None:
    async with open_page(storage_state=signed_in) as page:
        task_id = await start(client, steps=12, pause=0.5, api_key=SECRET)
        await page.goto("/tasks/")
        await page.evaluate("window.isSamePage = true")
        row = page.locator("tr", has_text="roll_out").first
        await expect(row.locator(".badge")).to_have_text("Needs an answer", timeout=WAIT_MS)
        await expect(page.locator(".nav-waiting")).to_be_visible()
        assert await page.evaluate("window.isSamePage") is True

        await page.locator(".nav-waiting").click()
        await page.get_by_role("link", name="roll_out").first.click()
        await page.wait_for_url(f"**/tasks/{task_id}/")
        await page.evaluate("window.isSamePage = true")
        await expect(page.locator("[data-live-status]")).to_have_text("Live")
        await expect(page.locator(".output-line")).to_have_count(12)
        await page.get_by_label("All at once").check()
        await page.get_by_label("Share of the hosts").fill("500")
        await page.evaluate("document.querySelector('form[action$=answer]').noValidate = true")
        await page.get_by_role("button", name="Submit").click()
        await expect(page.locator(".errorlist")).to_contain_text("less than or equal to 100")
        await expect(page.get_by_label("All at once")).to_be_checked()
        await page.get_by_label("Share of the hosts").fill("50")
        await page.get_by_label("America").check()
        await page.get_by_role("button", name="Submit").click()
        await expect(page.get_by_role("status").get_by_text("Your answer was taken")).to_be_visible()
        await expect(state_of(page)).to_have_text("Done", timeout=WAIT_MS)
        await expect(page.get_by_text("Rolled out fast to 50 %.")).to_be_visible()
        await expect(page.get_by_text('"us"')).to_be_visible()
        image = page.get_by_alt_text("Image from the result")
        await expect(image).to_be_visible()
        assert await image.evaluate("image => image.naturalWidth") == 120
        assert SECRET not in await page.content()
    assert (await client.get(task_id))["result"]["status"] == "completed"


async def test_progress_and_log_move_while_one_looks(open_page: OpenPage, signed_in: Any, client: LegacyTasks) -> None:
    async with open_page(storage_state=signed_in) as page:
        task_id = await start(client, steps=20, pause=0.5)
        await page.goto(f"/tasks/{task_id}/")
        await page.evaluate("window.isSamePage = true")
        await expect(page.locator(".output-line", has_text="host-3")).to_be_visible(timeout=WAIT_MS)
        await expect(page.locator(".output-line", has_text="host-12")).to_be_visible(timeout=WAIT_MS)
        await expect(page.locator(".task-pace")).to_contain_text(re.compile(r"a second|a minute"), timeout=WAIT_MS)
        await expect(page.locator(".task-pace")).to_contain_text("left")
        assert 0 < await page.locator(".deployment-state progress").evaluate("bar => bar.value") < 100
        await page.get_by_role("button", name="Cancel the task").click()
        await expect(state_of(page)).to_have_text("Cancelled")
        lines = await page.locator(".output-line").all_inner_texts()
        assert len(lines) == len(set(lines))


async def test_what_is_typed_outlives_news(open_page: OpenPage, signed_in: Any, client: LegacyTasks) -> None:
    async with open_page(storage_state=signed_in) as page, open_page(storage_state=signed_in) as other:
        task_id = await start(client, steps=1)
        await until_asked(page, task_id)
        await page.get_by_label("Note").fill("half a sent")
        await page.evaluate(
            "import(new URL('parts.js', document.querySelector('script[src$=\"/app.js\"]').src))"
            ".then((parts) => parts.refreshParts())"
        )
        await expect(page.get_by_label("Note")).to_have_value("half a sent")
        await until_asked(other, task_id)
        await other.get_by_role("button", name="Decline").click()
        await expect(state_of(page)).to_have_text("Tool error", timeout=WAIT_MS)
        await expect(page.get_by_text("It was not wanted: decline.")).to_be_visible()


async def test_a_late_answer_is_told_from_where_the_first_came(
    open_page: OpenPage, signed_in: Any, client: LegacyTasks
) -> None:
    async with (
        open_page(storage_state=signed_in, java_script_enabled=False) as page,
        open_page(storage_state=signed_in, java_script_enabled=False) as late,
    ):
        task_id = await start(client, steps=1)
        await until_asked(page, task_id)
        await late.goto(f"/tasks/{task_id}/")
        await page.get_by_role("button", name="Cancel", exact=True).click()
        await expect(page.get_by_text("Your answer was taken")).to_be_visible()
        await late.get_by_role("button", name="Decline").click()
        await expect(late.locator(".messages")).to_contain_text("Your answer was not used")


async def test_run_again_with_other_arguments(open_page: OpenPage, signed_in: Any, client: LegacyTasks) -> None:
    async with open_page(storage_state=signed_in) as page:
        task_id = await start(client, steps=1, api_key=SECRET)
        await until_asked(page, task_id)
        await page.get_by_role("button", name="Decline").click()
        await page.get_by_text("Run again…").click()
        field = page.get_by_role("textbox", name="Arguments")
        assert SECRET not in await field.input_value()
        await field.fill('{"steps": 2, "api_key": "[hidden]"')
        await page.locator(".task-again button").click()
        await expect(page.locator(".task-again .errorlist")).to_contain_text("This is not JSON")
        await page.get_by_role("textbox", name="Arguments").fill('{"steps": 2, "api_key": "[hidden]"}')
        await page.locator(".task-again button").click()
        await expect(state_of(page)).to_have_text("Needs an answer", timeout=WAIT_MS)
        assert task_id not in page.url
        await expect(page.locator(".output-line", has_text="step 2 of 2")).to_be_visible()
        await page.get_by_label("Host by host").check()
        await page.get_by_role("button", name="Submit").click()
        await expect(page.get_by_text("Rolled out slow to 20 %.")).to_be_visible(timeout=WAIT_MS)


async def test_a_stranger_finds_nothing(open_page: OpenPage, signed_in: Any, client: LegacyTasks, stack: Stack) -> None:
    task_id = await start(client, steps=1)
    stack.manage("host", f"source:{ROLLOUT}", "--owner", "ursula", "--name", "own", seconds=300)
    async with open_page() as page:
        await sign_in_by_link(page, stack, "ursula")
        answer = await page.goto(f"/tasks/{task_id}/")
        assert answer is not None and answer.status == 404
        await page.goto("/tasks/")
        await expect(page.get_by_text("No tasks yet")).to_be_visible()


async def test_no_page_of_tasks_is_wider_than_a_phone(open_page: OpenPage, signed_in: Any, client: LegacyTasks) -> None:
    async with open_page(storage_state=signed_in, viewport=PHONE) as page:
        done = await start(client, steps=3)
        await until_asked(page, done)
        await page.get_by_label("Host by host").check()
        await page.get_by_role("button", name="Submit").click()
        await expect(state_of(page)).to_have_text("Done", timeout=WAIT_MS)
        asking = await start(client, steps=3, path="/srv/" + "long" * 60)
        await until_asked(page, asking)
        server = f"/d/{OWNER}/rollout"
        for path in ["/tasks/", f"/tasks/{asking}/", f"/tasks/{done}/", f"{server}/tasks", f"{server}/tools"]:
            await page.goto(path)
            wider = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            assert await page.evaluate(wider) <= 0, path
            nav = page.locator(".site-header .nav")
            assert await nav.evaluate("nav => nav.scrollWidth - nav.clientWidth") <= 0, path  # nothing lies on another
