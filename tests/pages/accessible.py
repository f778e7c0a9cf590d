"""Whether a page can be used by everybody: axe finds nothing, it fits on a phone, and the keyboard gets everywhere."""

from __future__ import annotations

import os
from pathlib import Path

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page

PHONE = {"width": 360, "height": 740}
# A colour that is on its way to another one is neither: what fades has to be done with it.
_STILL = """() => Promise.allSettled(
  document.getAnimations().filter((one) => one instanceof CSSTransition).map((one) => one.finished))"""
PICTURES = os.environ.get("TEST_PICTURES", "")  # a folder: for people to look at


async def check_accessible(page: Page, name: str, within: str = "html") -> None:
    """On a desktop and on a phone, light and dark. Leaves a desktop's size and light colours behind."""
    for scheme in ("dark", "light"):
        await page.emulate_media(color_scheme=scheme)
        for width in (PHONE["width"], 1280):
            await page.set_viewport_size({"width": width, "height": PHONE["height"]})
            await page.evaluate(_STILL)
            await pictured(page, name)
            found = await Axe().run(page, within)
            assert not found.response["violations"], f"{name} {scheme} {width}: {found.generate_report()}"
            overflow = await page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
            assert overflow <= 0, f"{name} {scheme} {width} is {overflow} px too wide"


async def pictured(page: Page, name: str) -> None:
    """Where somebody wants to look at it."""
    if PICTURES and page.viewport_size is not None:
        scheme = await page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'")
        width = page.viewport_size["width"]
        await page.screenshot(path=Path(PICTURES) / f"{name}-{scheme}-{width}.png", full_page=True)


async def tab_to(page: Page, name: str, *, most: int = 60) -> None:
    """By the Tab key alone, until what is called so, or begins or ends so, has the focus."""
    for _ in range(most):
        await page.keyboard.press("Tab")
        said = await page.evaluate(
            """() => { const e = document.activeElement;
                 return [e.innerText, e.getAttribute("aria-label"), ...[...(e.labels ?? [])].map(l => l.innerText)]
                   .filter(Boolean).map(t => t.replace(/\\s+/g, " ").trim()) }"""
        )
        if any(each.startswith(name) or each.endswith(name) for each in said):
            return
    raise AssertionError(f"the keyboard does not reach {name}")
