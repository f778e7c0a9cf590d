"""When Chromium has painted the largest part of the main pages, and whether anything moves afterwards.

python -m benchmarks.pages.paint FOLDER [--times 5] [--hold FILE]; needs Chromium and the development requirements.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
from pathlib import Path

from playwright.sync_api import Browser, ViewportSize, sync_playwright

from benchmarks.pages.site import SERVERS, VERSIONS, Grown, grown
from benchmarks.registry.priority import in_front
from tests.pages.painting import OBSERVE, READ, Painting

MAIN = {
    "home": "/",
    "browse": "/registry/",
    "search": "/registry/?q=github",
    "server page": "/registry/servers/org.example.tools/weather",
    "deployment": "/d/alice/time0/",
    "playground": "/d/alice/time0/playground",
    "docs": "/docs/architecture",
    "tasks": "/tasks/",
}
SIZES: dict[str, ViewportSize] = {"desktop": {"width": 1280, "height": 800}, "phone": {"width": 360, "height": 740}}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("folder", type=Path, help="where the site's data is kept; made the first time")
    arguments.add_argument("--times", type=int, default=5, help="how often each page is opened, by a new visitor")
    arguments.add_argument("--hold", type=Path, help="a file that is there while it measures")
    arguments.add_argument("--in-front", action="store_true", help="of everything else on the machine; as root")
    given = arguments.parse_args()
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with grown(given.folder, SERVERS, VERSIONS) as site, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        if given.hold:
            given.hold.touch()
        try:
            with in_front(site.pid, is_wanted=given.in_front):
                measured(browser, site, given.times)
        finally:
            if given.hold:
                given.hold.unlink(missing_ok=True)
            browser.close()


def measured(browser: Browser, site: Grown, times: int) -> None:
    print("| page | LCP, desktop ms | CLS | LCP, phone ms | CLS |\n|---|---|---|---|---|", flush=True)
    for name, path in MAIN.items():
        cells = []
        for size in SIZES.values():
            seen = [visited(browser, site, path, size) for _ in range(times)]
            cells += [f"{statistics.median(one.lcp for one in seen):.0f}", f"{max(one.cls for one in seen):.3f}"]
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


def visited(browser: Browser, site: Grown, path: str, size: ViewportSize) -> Painting:
    """By a new visitor, whose browser has kept nothing."""
    context = browser.new_context(base_url=site.url, viewport=size)
    name, _, value = site.cookie.partition("=")
    context.add_cookies([{"name": name, "value": value, "url": site.url}])
    context.add_init_script(OBSERVE)
    page = context.new_page()
    page.goto(path, wait_until="networkidle")
    seen = Painting.of(page.evaluate(READ))
    context.close()
    return seen


if __name__ == "__main__":
    main()
