"""Pages after their scripts ran, in Chromium and in the language of marks: what stands outside was never translated.

The site is a copy that speaks a catalogue of `make messages`, so everything from the files to the page is real.
"""

from __future__ import annotations

import ast
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, expect

from tests.languages.catalogues import OwnCopy, translated
from tests.languages.marked import CODE
from tests.languages.unmarked import unmarked
from tests.pages.conftest import chromium as chromium
from tests.pages.walks.conftest import ENTRY, documents
from tests.stack import ROOT, Stack

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

TRAVEL = ROOT / "tests/servers/travel.py"
# What it says when a model asks is in English, so a page that shows it to people is, too.
TASK_TOOLS = ROOT / "mcp_endpoint/tasks/tools.py"
OWNER = "ida"
PASSWORD = "calm harbour at seven"
WAIT_MS = 60_000
TABS = ["", "tools", "calls", "tasks", "logs", "versions", "settings", "settings/running", "access", "data"]


def strings(source: str) -> frozenset[str]:
    """Everything that a program can say as it is written, by paragraphs."""
    found = [node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant)]
    texts = [text for text in found if isinstance(text, str)]
    return frozenset(part.strip(" .\n") for text in texts for part in (text, *text.split("\n\n")))


def texts(value: Any) -> Iterator[str]:
    """Every string in a JSON document."""
    match value:
        case str():
            yield value
        case dict() | list():
            for member in value.values() if isinstance(value, dict) else value:
                yield from texts(member)


# What is typed below, what others say in it, and names.
_SAID = frozenset(
    [
        *("ida", "Ada", "Esperanto", "Playground", "chamelon", "chameleon", "zqxjkvw", "local", "task", "action"),
        *("accept", "With", "words", "ticket.bin"),
    ]
)
_SAID_IN_WORDS = ("info travel", "looking for a bed in Bern", "beside it", "travel://ticket.bin")
DATA = strings(TRAVEL.read_text()) | strings(TASK_TOOLS.read_text()) | {*texts(documents()), *_SAID, *_SAID_IN_WORDS}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    root = translated(tmp_path_factory.mktemp("copy"))
    own = OwnCopy(tmp_path_factory.mktemp("site"), root, WEB_PROCESSES="1", REGISTRY_READMES_A_MINUTE="0")
    try:
        own.start()
        file = own.home / "entries.ndjson"
        file.write_text("".join(json.dumps(one) + "\n" for one in documents()))
        own.manage("import_registry", str(file))
        own.manage("host", f"source:{TRAVEL}", "--owner", OWNER, "--name", "travel", seconds=300)
        yield own
    finally:
        own.stop()


class Reader:
    """One person who reads every word; `found` has those in no marks, each with what was looked at."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.found: list[str] = []

    async def look(self, what: str) -> None:
        body = await self.page.content()
        self.found += [f"{what}: {words}" for words in unmarked(body, DATA)]

    async def goto(self, path: str) -> None:
        await self.page.goto(path, timeout=WAIT_MS)
        await self.page.wait_for_load_state("networkidle")
        await self.look(path)

    async def click(self, role: Any, name: str) -> None:
        await self.page.get_by_role(role, name=name).first.click()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def signed_in(site: Stack, chromium: Browser) -> Any:
    context = await chromium.new_context(base_url=site.url, locale=CODE)
    page = await context.new_page()
    await page.goto(site.manage("sign_in_link", "--user", OWNER).stdout.strip())
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Set password and sign in").click()
    await page.wait_for_url("**/servers/")
    state = await context.storage_state()
    await context.close()
    return state


@pytest.fixture
def reading(chromium: Browser, site: Stack, signed_in: Any) -> Any:
    """`async with reading() as reader`: fails with what stood in no marks, and with errors of scripts."""

    @asynccontextmanager
    async def opened(**options: Any) -> AsyncIterator[Reader]:
        settings = {"base_url": site.url, "locale": CODE, "storage_state": signed_in, **options}
        context = await chromium.new_context(**settings)
        context.set_default_timeout(WAIT_MS)
        reader = Reader(await context.new_page())
        reader.page.on("pageerror", lambda error: reader.found.append(str(error)))
        yield reader
        await context.close()
        assert not reader.found, "\n".join(dict.fromkeys(reader.found))

    return opened


async def test_pages_for_everybody(reading: Any) -> None:
    async with reading(storage_state=None) as reader:
        for path in ("/", "/registry/", "/registry/?q=chamelon", "/registry/?q=zqxjkvw", "/docs/", "/api/docs"):
            await reader.goto(path)
        for tab in ("", "/-/tools", "/-/configure", "/-/install", "/-/versions"):
            await reader.goto(f"/registry/servers/{ENTRY}{tab}")
        await reader.goto("/no/such/page")


async def test_pages_of_an_owner(reading: Any) -> None:
    async with reading(permissions=["clipboard-read", "clipboard-write"]) as reader:
        page = reader.page
        for path in ("/", "/servers/", "/tasks/", "/credentials/"):
            await reader.goto(path)
        for tab in TABS:
            await reader.goto(f"/d/{OWNER}/travel/{tab}")
        await page.goto(f"/d/{OWNER}/travel/")
        await expect(page.locator("[data-live-status]")).to_have_text("⟦Live⟧")
        await reader.click("button", "Copy: ")
        await reader.look("copied")
        await reader.click("button", "Stop")
        await expect(page.locator(".deployment-title .badge").first).to_have_text("⟦Stopped⟧", timeout=WAIT_MS)
        await reader.look("stopped")
        await page.get_by_role("button", name="⟦Start⟧", exact=True).click()
        await expect(page.locator(".deployment-title .badge").first).to_have_text("⟦Running⟧", timeout=WAIT_MS)
        await reader.look("running")


async def test_forms_that_are_filled_in_wrongly(reading: Any) -> None:
    async with reading() as reader:
        page = reader.page
        await reader.goto("/servers/new")
        await page.get_by_label("Package or address").fill("pip install something")
        await page.get_by_label("⟦Name⟧").fill("not fine")
        await page.get_by_role("button", name="⟦Host⟧", exact=True).click()
        await page.wait_for_load_state("networkidle")
        await reader.look("host form, refused")
        await reader.goto("/registry/publish/")
        await page.get_by_label("⟦Name⟧", exact=True).first.fill("Not A name")
        await page.get_by_label("⟦Version⟧", exact=True).fill("latest")
        await page.wait_for_timeout(1500)
        await reader.look("publish form, refused")


async def choose(page: Page, name: str) -> Locator:
    panel = page.locator("[data-playground-chosen]")
    await page.locator(".playground-entry", has_text=name).first.click()
    return panel


async def done(panel: Locator, words: str = "⟦Done⟧") -> None:
    await expect(panel.locator(".playground-run .badge").first).to_have_text(words, timeout=WAIT_MS)


async def test_the_playground(reading: Any) -> None:
    async with reading() as reader:
        page = reader.page
        await page.goto(f"/d/{OWNER}/travel/playground", timeout=WAIT_MS)
        await expect(page.locator("[data-playground-status]")).to_have_text(
            "⟦Connected to Travel 1.0⟧", timeout=WAIT_MS
        )
        await reader.look("connected")
        panel = await choose(page, "plan_trip")
        await panel.get_by_role("button", name="⟦Call⟧", exact=True).click()
        await reader.look("nothing filled in")
        await panel.get_by_label("Full name").fill("Ada")
        await panel.get_by_label("email").fill("ada@example.org")
        await panel.get_by_label("city").fill("Bern")
        await panel.get_by_role("button", name="⟦Call⟧", exact=True).click()
        question = page.get_by_role("region", name="The server asks you")
        await expect(question).to_be_visible(timeout=WAIT_MS)
        await reader.look("asked")
        await question.get_by_label("Book it?").select_option(index=1)
        await question.get_by_role("button", name="Submit").click()
        await done(panel)
        await page.locator(".playground-trace > summary").click()
        await reader.look("answered")
        panel = await choose(page, "fail")
        await panel.get_by_role("button", name="⟦Call⟧", exact=True).click()
        await done(panel, "⟦Failed⟧")
        await reader.look("failed")
        panel = await choose(page, "picture")
        await panel.get_by_role("button", name="⟦Call⟧", exact=True).click()
        await done(panel)
        await reader.look("picture")
        panel = await choose(page, "echo")
        await panel.get_by_role("button", name="Write as JSON").click()
        await panel.get_by_label("Arguments").fill("{not json")
        await panel.get_by_role("button", name="⟦Call⟧", exact=True).click()
        await reader.look("no JSON")
        await page.locator("label", has_text="Prompts").click()
        panel = await choose(page, "postcard")
        await panel.get_by_role("button", name="⟦Get⟧", exact=True).click()
        await reader.look("prompt")
        await page.locator("label", has_text="Resources").click()
        panel = await choose(page, "guide")
        await reader.look("template of a resource")


async def test_a_task_that_asks(reading: Any) -> None:
    async with reading() as reader:
        page = reader.page
        await page.goto(f"/d/{OWNER}/travel/playground", timeout=WAIT_MS)
        await expect(page.locator("[data-playground-status]")).to_have_text("⟦Connected to Travel 1.0⟧")
        panel = await choose(page, "ask_model")
        await panel.get_by_role("button", name="Run as task").click()
        await expect(page.get_by_role("region", name="The server asks your model")).to_be_visible(timeout=WAIT_MS)
        await reader.look("as a task")
        await panel.get_by_role("link", name="Page of this task").click()
        await expect(page.locator(".deployment-title .badge").first).to_be_visible()
        await reader.look("page of the task")
        await reader.goto("/tasks/")
        await reader.goto("/")
