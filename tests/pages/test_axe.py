"""Every page of the site, with rows in it, for everybody: WCAG 2.2 AA as axe sees it, and by the keyboard alone.

The pages are those of the walk (visits.py), as Django has rendered them, in Chromium with their styles and scripts; no
site is started for it. What scripts make of a live site is looked at by the tests of those pages.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from django.db import transaction
from playwright.async_api import Browser, Page

from accounts.models import User
from tests.nonces import without_nonces
from tests.pages.accessible import pictured
from tests.pages.filled import states
from tests.pages.rendered import WHO, pages_served
from tests.pages.visit import Visit
from tests.pages.visits import visits

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.django_db]

DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 360, "height": 740}
OPTIONS = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
}
MEMBER = "bob0"  # may call a server of Alice's, and not manage it
TABS = 2  # of the browser, side by side
# Of sections and rows that one template makes again and again (the operations of the API), the first ones are enough:
# what axe takes for a page grows by more than its length. Rows are unfolded, so that it sees what is within.
_LOOK = """async (options) => {
  for (const all of new Set([...document.querySelectorAll("section, .fold-row")].map((one) => one.parentElement)))
    for (const [kind, enough] of [["section", 12], [".fold-row", 2]])
      for (const more of [...all.querySelectorAll(`:scope > ${kind}`)].slice(enough)) more.remove();
  for (const fold of document.querySelectorAll(".fold-row")) fold.open = true;
  const found = (await axe.run(document, options)).violations
    .flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html.slice(0, 200)}`));
  const wider = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  return wider > 0 ? [...found, `it is ${wider} px too wide`] : found;
}"""


# What has the focus: whether that can be seen (on itself, or on the words that stand for it), and which one it is.
_FOCUS = """async () => {
  await new Promise((then) => requestAnimationFrame(() => requestAnimationFrame(then)));  // it may slide in
  const one = document.activeElement;
  if (one === null || one === document.body || one === document.documentElement) return null;
  window.stops ??= [];
  if (!window.stops.includes(one)) window.stops.push(one);
  const marked = [one, one.closest("label"), ...(one.labels ?? [])].filter(Boolean).some((each) => {
    const { outlineStyle, outlineWidth } = getComputedStyle(each);
    return outlineStyle !== "none" && parseFloat(outlineWidth) >= 1;
  });
  const box = one.getBoundingClientRect();
  const isSeen = box.bottom > 0 && box.top < innerHeight;
  const wrong = marked && isSeen ? "" : `${marked ? "off the screen" : "not marked"}: ${one.outerHTML.slice(0, 120)}`;
  return { number: window.stops.indexOf(one), wrong };
}"""
MAIN = (
    "/",
    "/registry/",
    "/servers/",
    "/servers/new",
    "/waiting/",
    "/credentials/",
    "/tasks/",
    "/docs/",
    "/accounts/login/",
)
MOST_STOPS = 400


@pytest.fixture(scope="module")
def pages(django_db_setup: None, django_db_blocker: Any) -> Iterator[list[Visit]]:
    """What people see, each page once: signed out many addresses say the same, or what they say to everybody."""
    with django_db_blocker.unblock(), transaction.atomic():
        found = visits(("alice", ""))
        found += states(User.objects.get(username="alice"), User.objects.get(username=MEMBER))
        transaction.set_rollback(True)
    yield list({own_part(visit): visit for visit in reversed(found) if visit.is_shown}.values())


def own_part(visit: Visit) -> bytes:
    """Of a page what is between its header and footer, and no other page's."""
    return without_nonces(visit.body).partition(b"<main")[2].partition(b"</main>")[0]


async def test_axe_finds_nothing_wrong_with_any_page(chromium: Browser, pages: list[Visit]) -> None:
    assert len(pages) > 100
    assert await looked_at(chromium, pages, viewport=DESKTOP) == {}


@pytest.mark.slow
async def test_nor_in_the_dark(chromium: Browser, pages: list[Visit]) -> None:
    assert await looked_at(chromium, pages, viewport=DESKTOP, color_scheme="dark") == {}


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_nor_on_a_phone_with_reduced_motion(chromium: Browser, pages: list[Visit], scheme: str) -> None:
    assert await looked_at(chromium, pages, viewport=PHONE, color_scheme=scheme, reduced_motion="reduce") == {}


@pytest.mark.slow
async def test_the_keyboard_goes_through_each_page_and_is_seen(chromium: Browser, pages: list[Visit]) -> None:
    of_server = [visit.path for visit in pages if visit.path.startswith("/d/alice/time0/") and visit.is_page]
    chosen = [visit for visit in pages if visit.path in (*MAIN, *of_server)]
    assert len(chosen) > 15
    wrong: dict[str, list[str]] = {}
    with pages_served(chosen) as address:
        for visit in chosen:
            fields = {WHO: visit.who}
            page = await chromium.new_page(base_url=address, extra_http_headers=fields, reduced_motion="reduce")
            await page.goto(visit.path, timeout=60_000)
            if found := await tabbed_through(page):
                wrong[visit.path] = found
            await page.close()
    assert wrong == {}


async def tabbed_through(page: Page) -> list[str]:
    """What is wrong on the way by the Tab key from the beginning to the end of a page."""
    wrong: list[str] = []
    for number in range(MOST_STOPS):
        await page.keyboard.press("Tab")
        stop = await page.evaluate(_FOCUS)
        if stop is None or (number and stop["number"] == 0):  # through: the browser's own buttons are next
            return wrong if number > 3 else [*wrong, f"only {number} stops"]
        if stop["number"] != number:
            return [*wrong, f"a trap: back at stop {stop['number']} after {number}"]
        if stop["wrong"]:
            wrong.append(stop["wrong"])
    return [*wrong, f"more than {MOST_STOPS} stops"]


async def looked_at(chromium: Browser, pages: list[Visit], **options: Any) -> dict[str, list[str]]:
    """What is wrong, by who looks and at which address."""
    wrong: dict[str, list[str]] = {}
    with pages_served(pages) as address:
        for who in ("alice", MEMBER, ""):
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
