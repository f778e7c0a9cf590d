"""The API's reference in a browser: operations are folded, and an address of one opens it, with and without scripts."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.api.described import operations
from tests.pages.conftest import OpenPage

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]
DESCRIBED = list(operations())
FEW_SCREENS_PX = 12_000  # on a phone; unfolded it is 80,000
FIRST_MS = 60_000  # whoever asks first has the description made


@pytest.mark.parametrize("with_scripts", [True, False])
async def test_an_address_opens_what_it_names(open_page: OpenPage, with_scripts: bool) -> None:
    name = DESCRIBED[-1].name
    async with open_page(java_script_enabled=with_scripts) as page:
        await page.goto(f"/api/docs#{name}", timeout=FIRST_MS)
        await expect(page.locator(f"[id='{name}']")).to_be_in_viewport()
        await expect(page.locator(f"details:has(> [id='{name}']) > summary")).to_be_in_viewport()
        assert await page.locator("details.fold-row[open]").count() == 1
        await page.locator(f"[id='{name}']").get_by_role("link", name="Problem", exact=True).click()
        await expect(page.locator("[id='type-Problem']")).to_be_in_viewport()


async def test_it_is_a_list_of_what_there_is(open_page: OpenPage) -> None:
    async with open_page(viewport={"width": 360, "height": 780}) as page:
        await page.goto("/api/docs", timeout=FIRST_MS)
        lines = await page.locator("summary:has(.api-method)").all_inner_texts()
        assert len(lines) == len(DESCRIBED)
        said = {tuple(line.split()[:2]) for line in lines}
        assert said == {(one.method.upper(), one.path) for one in DESCRIBED}
        assert await page.evaluate("document.documentElement.scrollHeight") < FEW_SCREENS_PX
