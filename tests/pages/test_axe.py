"""Every page of the site, with rows in it, under the eyes of axe: WCAG 2.2 AA, signed in and signed out.

The pages are those of the walk (visits.py), as Django has rendered them, in Chromium with their styles and scripts; no
site is started for it. What scripts make of a live site is looked at by the tests of those pages.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT  # type: ignore[import-untyped]
from django.db import transaction
from playwright.async_api import Browser

from tests.nonces import without_nonces
from tests.pages.accessible import pictured
from tests.pages.rendered import WHO, pages_served
from tests.pages.visits import Visit, visits

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(600), pytest.mark.django_db]

DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 360, "height": 740}
OPTIONS = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
}
TABS = 2  # of the browser, side by side
# Of sections that one template makes again and again (the operations of the API), the first ones are enough: what axe
# takes for a page grows by more than its length.
_LOOK = """async (options) => {
  for (const all of new Set([...document.querySelectorAll("section")].map((one) => one.parentElement)))
    for (const more of [...all.querySelectorAll(":scope > section")].slice(12)) more.remove();
  const found = (await axe.run(document, options)).violations
    .flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html.slice(0, 200)}`));
  const wider = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  return wider > 0 ? [...found, `it is ${wider} px too wide`] : found;
}"""


@pytest.fixture(scope="module")
def pages(django_db_setup: None, django_db_blocker: Any) -> Iterator[list[Visit]]:
    """What people see, each page once: signed out many addresses say the same, or what they say to everybody."""
    with django_db_blocker.unblock(), transaction.atomic():
        found = visits(("alice", ""))
        transaction.set_rollback(True)
    yield list({own_part(visit): visit for visit in reversed(found) if visit.is_shown}.values())


def own_part(visit: Visit) -> bytes:
    """Of a page what is between its header and footer, and no other page's."""
    return without_nonces(visit.body).partition(b"<main")[2].partition(b"</main>")[0]


async def test_axe_finds_nothing_wrong_with_any_page(chromium: Browser, pages: list[Visit]) -> None:
    assert len(pages) > 70
    assert await looked_at(chromium, pages, viewport=DESKTOP) == {}


@pytest.mark.slow
async def test_nor_in_the_dark(chromium: Browser, pages: list[Visit]) -> None:
    assert await looked_at(chromium, pages, viewport=DESKTOP, color_scheme="dark") == {}


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_nor_on_a_phone_with_reduced_motion(chromium: Browser, pages: list[Visit], scheme: str) -> None:
    assert await looked_at(chromium, pages, viewport=PHONE, color_scheme=scheme, reduced_motion="reduce") == {}


async def looked_at(chromium: Browser, pages: list[Visit], **options: Any) -> dict[str, list[str]]:
    """What is wrong, by who looks and at which address."""
    wrong: dict[str, list[str]] = {}
    with pages_served(pages) as address:
        for who in ("alice", ""):
            context = await chromium.new_context(base_url=address, extra_http_headers={WHO: who}, **options)
            context.set_default_timeout(60_000)
            await context.add_init_script(AXE_SCRIPT)
            left = [visit for visit in pages if visit.who == who]

            async def look(context: Any = context, left: list[Visit] = left) -> None:
                page = await context.new_page()
                while left:
                    visit = left.pop()
                    await page.goto(visit.path)
                    await pictured(page, visit.path.strip("/").replace("/", "-") or "home")
                    if found := await page.evaluate(_LOOK, OPTIONS):
                        wrong[f"{visit.who or 'nobody'} {visit.path}"] = found

            await asyncio.gather(*(look() for _ in range(TABS)))
            await context.close()
    return wrong
