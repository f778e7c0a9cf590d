"""A call that somebody takes away from the Playground: the text as it stands there does what the page did."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.clients import packages
from tests.pages.conftest import OpenPage
from tests.pages.test_browser import sign_in_by_link
from tests.stack import Stack

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

TRAVEL = Path(__file__).parents[1] / "servers" / "travel.py"
OWNER = "cora"
WAIT_MS = 60_000
GIVEN: dict[str, Any] = {
    "quotes": 'it\'s "so" $(id) `id` \\ $HOME !!',
    "lines": "one\ntwo\ttab\r",
    "signs": "Zürich 東京 \U0001f600 \u2028 '''\"\"\"",
    "rest": [None, True, -1.5, 9007199254740991, {}, []],
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def signed_in(stack: Stack, open_page: OpenPage) -> Any:
    """The cookies of OWNER, who has the server "travel"."""
    stack.manage("host", f"source:{TRAVEL}", "--owner", OWNER, "--name", "travel", seconds=300)
    async with open_page() as page:
        await sign_in_by_link(page, stack, OWNER)
        return await page.context.storage_state()


async def taken(page: Page, language: str) -> str:
    """What the copy button gives for a call of `echo`."""
    await page.goto(f"/d/{OWNER}/travel/playground", timeout=WAIT_MS)
    await expect(page.locator("[data-playground-status]")).to_contain_text("Connected", timeout=WAIT_MS)
    await page.locator(".playground-entry", has_text="echo").first.click()
    panel = page.locator("[data-playground-chosen]")
    await panel.get_by_role("button", name="Write as JSON").click()
    await panel.get_by_label("Arguments").fill(json.dumps(GIVEN))
    await panel.get_by_text("This call as code").click()
    await panel.locator(".playground-code label", has_text=language).click()
    await panel.locator("[data-copy-button]:visible").click()
    found: str = await page.evaluate("navigator.clipboard.readText()")
    return found


async def run(stack: Stack, *command: str, cwd: Path | None = None) -> str:
    token = stack.manage("issue_token", "--user", OWNER, "--deployment", f"{OWNER}/travel").stdout.strip()
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=cwd,
        env={"PATH": os.environ["PATH"], "SLIPWAY_TOKEN": token},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(120):
        printed, complaints = await process.communicate()
    assert process.returncode == 0, complaints.decode()
    return printed.decode()


async def test_curl_calls_as_the_page_does(stack: Stack, open_page: OpenPage, signed_in: Any) -> None:
    async with open_page(storage_state=signed_in, permissions=["clipboard-read", "clipboard-write"]) as page:
        command = await taken(page, "curl")
    said = await run(stack, "sh", "-c", command.replace("curl ", "curl --silent --show-error ", 1))
    answer = json.loads(said if said.startswith("{") else said.partition("data: ")[2].partition("\n")[0])
    assert "result" in answer, said
    assert json.loads(answer["result"]["content"][0]["text"]) == GIVEN


async def test_python_calls_as_the_page_does(stack: Stack, open_page: OpenPage, signed_in: Any) -> None:
    async with open_page(storage_state=signed_in, permissions=["clipboard-read", "clipboard-write"]) as page:
        program = await taken(page, "Python")
    said = await run(stack, sys.executable, "-c", program + "\n")
    assert "9007199254740991" in said and "東京" in said and "is_error=False" in said


@pytest.mark.timeout(900)  # npm installs the SDK the first time
async def test_typescript_calls_as_the_page_does(stack: Stack, open_page: OpenPage, signed_in: Any) -> None:
    async with open_page(storage_state=signed_in, permissions=["clipboard-read", "clipboard-write"]) as page:
        program = await taken(page, "TypeScript")
    there = await asyncio.to_thread(packages.folder)  # that has the SDK in its node_modules
    told = program.replace("console.log(", "console.log(JSON.stringify(").replace(
        "));\nawait client", ")));\nawait client"
    )
    said = await run(stack, *packages.node("--input-type=module", "--eval", told), cwd=there)
    assert json.loads(json.loads(said)["content"][0]["text"]) == GIVEN
