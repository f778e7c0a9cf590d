"""What Chromium says of how a page came to be seen (web.dev/articles/lcp and /cls). For tests and benchmarks.

OBSERVE goes into the page before anything else; READ is evaluated when it is there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

OBSERVE = """
window.painting = { lcp: 0, cls: 0, shifts: [] };
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) window.painting.lcp = entry.startTime;
}).observe({ type: "largest-contentful-paint", buffered: true });
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    if (entry.hadRecentInput) continue;
    window.painting.cls += entry.value;
    for (const { node, previousRect: before, currentRect: after } of entry.sources) {
      const rects = [before, after].map(({ x, y, width, height }) => [x, y, width, height].map(Math.round).join(" "));
      const what = node?.outerHTML ?? node?.textContent ?? "?";
      window.painting.shifts.push(`${rects.join(" -> ")}: ${what.slice(0, 160)}`);
    }
  }
}).observe({ type: "layout-shift", buffered: true });
"""
# Observers are told after a frame was drawn; the second frame is one that was drawn after all that was under way.
READ = """async () => {
  await document.fonts.ready;
  for (let frame = 0; frame < 3; frame++) await new Promise((drawn) => requestAnimationFrame(drawn));
  await new Promise((told) => setTimeout(told));
  return window.painting;
}"""


@dataclass(frozen=True)
class Painting:
    """`lcp` in milliseconds since the navigation; `cls` has no unit. `shifts` are what moved: x, y, width and height
    before and after, and its HTML."""

    lcp: float
    cls: float
    shifts: tuple[str, ...]

    @classmethod
    def of(cls, read: Any) -> Painting:
        """From what READ gave."""
        return cls(read["lcp"], read["cls"], tuple(read["shifts"]))
