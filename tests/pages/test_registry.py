"""The registry in a browser: search as you type, publish with checks while typing, host with a sealed secret; and what
strangers write in every public field acts nowhere."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.packages.local_index import LocalIndex
from tests.pages.conftest import OpenPage
from tests.pages.test_browser import sign_in_by_link, state_of
from tests.stack import Stack

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.slow]

OWNER = "rita"
SECRET = "s3cret-of-the-quay"
NAME = "org.example/chameleon"
BAD = "org.example/bad"
CHAMELEON = (Path(__file__).parents[1] / "servers" / "chameleon.py").read_text()
SHOTS = os.environ.get("SLIPWAY_SHOTS", "")  # a folder: keeps pictures of the pages there
SIZES = ((1280, "light"), (1280, "dark"), (360, "light"), (360, "dark"))
XSS = '"><img src=x onerror="document.title=1"><script>document.title=1</script>{{7*7}}</title><svg/onload=alert(1)>'
LONG = "W" * 90


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """With a package index of its own, and a registry of four entries."""
    with LocalIndex() as index:
        index.add_wheel("acme-chameleon", "1.0.0", {"acme_chameleon.py": CHAMELEON},
                        scripts={"acme-chameleon": "acme_chameleon:main"})  # fmt: skip
        folder = tmp_path_factory.mktemp("site")
        site = Stack(folder, WEB_PROCESSES="1", REGISTRY_READMES_A_MINUTE="0", **index.settings)
        try:
            site.start()
            file = folder / "entries.ndjson"
            file.write_text("".join(json.dumps(one) + "\n" for one in entries()))
            site.manage("import_registry", str(file))
            yield site
        finally:
            site.stop()


def entries() -> list[dict[str, Any]]:
    key = {"name": "API_KEY", "description": "What it is opened with", "isRequired": True, "isSecret": True}
    package = {
        "registryType": "pypi",
        "identifier": "acme-chameleon",
        "version": "1.0.0",
        "transport": {"type": "stdio"},
    }
    schema = "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json"
    base = {"$schema": schema, "description": "Says hello in the colour of its key", "version": "1.0.0"}
    hosted = {**base, "name": NAME, "title": "Chameleon", "packages": [{**package, "environmentVariables": [key]}]}
    said = {"name": XSS, "description": XSS, "default": XSS, "value": XSS, "isRequired": True}
    bad = {
        **base,
        "name": BAD,
        "title": XSS,
        "description": XSS,
        "websiteUrl": "javascript:document.title=1",
        "repository": {"url": XSS, "source": XSS},
        "icons": [{"src": XSS}],
        "packages": [{**package, "registryType": kind, "identifier": XSS,
                      "environmentVariables": [said, {**said, "name": "X"}],
                      "packageArguments": [{**said, "type": "positional"}]} for kind in ("npm", "pypi", "oci", XSS)],
        "remotes": [{"type": "streamable-http", "url": f"https://e.example/{XSS}", "headers": [said]}],
    }  # fmt: skip
    wide = {**base, "name": f"org.example/{LONG}", "title": LONG, "description": LONG, "remotes": [
        {"type": "sse", "url": f"https://e.example/{LONG}{LONG}"}]}  # fmt: skip
    return [hosted, {**hosted, "version": "1.1.0", "title": "Chameleon two"}, bad, {**bad, "version": "2.0.0"}, wide]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def signed_in(stack: Stack, open_page: OpenPage) -> Any:
    stack.manage(
        "host", "remote:https://mcp.example.org/mcp", "--owner", OWNER, "--name", "first", "--no-wait", check=False
    )
    stack.manage("namespace", "grant", "org.example", OWNER, check=False)
    async with open_page() as page:
        await sign_in_by_link(page, stack, OWNER)
        return await page.context.storage_state()


async def look(page: Page, name: str) -> None:
    """Whether a page fits, at two widths in light and dark; with pictures where they are wanted."""
    for width, scheme in SIZES:
        await page.set_viewport_size({"width": width, "height": 900})
        await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        wider = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if SHOTS:
            await page.screenshot(path=f"{SHOTS}/{name}-{width}-{scheme}.png", full_page=True)
        assert wider <= 0, f"{name} is {wider} px too wide at {width} px"


async def test_search_follows_what_is_typed(open_page: OpenPage, signed_in: Any) -> None:
    async with open_page() as page:
        await page.goto("/registry/")
        await expect(page.get_by_role("heading", name="Chameleon two")).to_be_visible()
        await page.get_by_role("searchbox").fill("camel")
        await page.get_by_role("searchbox").fill("chamelon")
        await expect(page.get_by_text("Showing results for")).to_be_visible()
        await expect(page).to_have_url("/registry/?q=chamelon")
        await look(page, "browse")


async def test_what_strangers_write_acts_nowhere(open_page: OpenPage, signed_in: Any) -> None:
    async with open_page(storage_state=signed_in) as page:
        page.on("dialog", lambda _: pytest.fail("a script ran"))
        for path in [
            "",
            *(f"/-/{tab}" for tab in ("tools", "configure", "install")),
            "/-/versions?from=1.0.0&to=2.0.0",
        ]:
            await page.goto(f"/registry/servers/{BAD}{path}")
            assert await page.title() != "1"
            assert await page.locator("main img, main script, main svg:not(.icon)").count() == 0
            await look(page, "bad" + path.replace("/", "").partition("?")[0])
        for path in (
            "/registry/",
            "/registry/?q=bad",
            f"/registry/report/{BAD}",
            f"/servers/new?reference=registry:{BAD}",
        ):
            await page.goto(path)
            assert await page.title() != "1" and await page.locator("main img, main script").count() == 0


async def test_pages_of_a_server_fit(open_page: OpenPage, signed_in: Any) -> None:
    async with open_page(storage_state=signed_in) as page:
        for tab in ("", "/-/tools", "/-/configure", "/-/install", "/-/versions?from=1.0.0&to=1.1.0"):
            await page.goto(f"/registry/servers/{NAME}{tab}")
            await look(page, "server" + tab.replace("/", "").partition("?")[0])
        await page.goto(f"/registry/servers/org.example/{LONG}/-/install")
        await look(page, "wide")
        await page.goto(f"/registry/report/{NAME}")
        await look(page, "report")


async def test_form_says_what_is_wrong_while_it_is_filled_in(open_page: OpenPage, signed_in: Any) -> None:
    async with open_page(storage_state=signed_in) as page:
        await page.goto("/registry/publish/")
        if await (anew := page.get_by_role("button", name="Start over")).is_visible():  # another test's draft
            await anew.click()
            await expect(anew).to_be_hidden()
        await look(page, "publish-empty")
        await page.get_by_label("Name", exact=True).first.fill("org.example/quay")
        await page.get_by_label("Version", exact=True).press_sequentially("^1")  # `fill` would leave it
        checks = page.get_by_role("region", name="Checks")
        await expect(checks).to_contain_text("range")
        version, description = page.get_by_label("Version", exact=True), page.get_by_label("Description").first
        await expect(version).not_to_have_attribute("aria-invalid", "true")  # still being typed
        await version.blur()
        await expect(version).to_have_attribute("aria-invalid", "true")
        await expect(version).to_have_accessible_description(re.compile("range"))
        await expect(description).not_to_have_attribute("aria-invalid", "true")  # not come to yet
        await look(page, "publish-wrong")
        await page.get_by_label("Version", exact=True).fill("1.0.0")
        await page.get_by_label("Description").first.fill("What the quay says")
        await page.get_by_label("Remote server").select_option("streamable-http")
        await page.get_by_label("Its address").fill("https://quay.example.org/mcp")
        await expect(checks).to_contain_text("in order")
        await expect(version).not_to_have_attribute("aria-invalid", "true")
        await expect(page.get_by_role("group", name="server.json").last).to_contain_text("quay.example.org")
        await page.get_by_role("button", name="Continue").click()
        await page.wait_for_url("**/registry/publish/prove")
        await look(page, "prove")


async def test_form_works_without_scripts(open_page: OpenPage, signed_in: Any) -> None:
    async with open_page(storage_state=signed_in, java_script_enabled=False) as page:
        await page.goto("/registry/publish/")
        await page.get_by_label("Version", exact=True).fill("^1")
        await page.get_by_role("button", name="Check", exact=True).last.click()
        assert "range" in await page.get_by_role("region", name="Checks").inner_text()
        await expect(page.get_by_label("Version", exact=True)).to_have_accessible_description(re.compile("range"))


async def test_host_button_leads_in_one_form_to_a_running_server(open_page: OpenPage, signed_in: Any) -> None:
    async with open_page(storage_state=signed_in) as page:
        await page.goto(f"/registry/servers/{NAME}")
        await page.get_by_role("link", name="Host", exact=True).click()
        await look(page, "host")
        await page.get_by_label("API_KEY").fill(SECRET)
        await page.get_by_role("button", name="Host", exact=True).click()
        await page.wait_for_url(f"**/d/{OWNER}/chameleon/")
        await expect(state_of(page)).to_have_text("Running", timeout=120_000)  # it starts only with its key
        await page.goto(f"/d/{OWNER}/chameleon/settings")
        assert SECRET not in await page.content()
        await page.goto(f"/registry/servers/{NAME}/-/tools")
        await expect(page.get_by_text("greet")).to_be_visible()
