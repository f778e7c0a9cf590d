"""A plot and the table of its numbers as HTML.

In Python, not in a template: there are hundreds of lines, labels and cells on a page, and a template takes ten times as
long for each.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from django.utils.formats import localize
from django.utils.safestring import SafeString, mark_safe

from hosting.plots import geometry
from hosting.plots.geometry import Column

# Of what is not told apart by its lines: patterns that the page defines once.
_PATTERNS = {"plot-hatched": ' fill="url(#plot-hatch)"', "plot-dotted": ' fill="url(#plot-dots)"'}


@dataclass(frozen=True)
class Label:
    at: str
    text: str


def drawn(
    values: Iterable[Label],
    times: Iterable[Label],
    paths: Iterable[tuple[str, str]],
    touched: Iterable[tuple[Column, str]],
) -> SafeString:
    """What is in the SVG element: lines with their values, times, (style, d) of each path, and a rectangle over each
    column, which tells a pointer that rests there its words."""
    left, right = geometry.LEFT, geometry.WIDTH - geometry.RIGHT
    parts = [
        f'<line class="plot-rule" x1="{left}" x2="{right}" y1="{label.at}" y2="{label.at}"/>'
        f'<text class="plot-label plot-value" x="{left - 5}" y="{label.at}" dy="3.5">{escape(label.text)}</text>'
        for label in values
    ]
    parts += [
        f'<text class="plot-label plot-time" x="{label.at}" y="115">{escape(label.text)}</text>' for label in times
    ]
    parts += [f'<path class="{style}"{_PATTERNS.get(style, "")} d="{path}"/>' for style, path in paths]
    parts += [
        f'<rect class="plot-touch" x="{column.x}" y="{geometry.TOP}" width="{column.width}"'
        f' height="{geometry.PLOT_HEIGHT}"><title>{escape(words)}</title></rect>'
        for column, words in touched
    ]
    return mark_safe("".join(parts))


def tabled(time: str, cells: Sequence[int | str]) -> SafeString:
    """A row of the table: when it was, and its numbers; those with a unit are strings."""
    return mark_safe(f'<tr><th scope="row" class="nowrap">{escape(time)}</th>{"".join(map(_cell, cells))}</tr>')


def _cell(cell: int | str) -> str:
    if isinstance(cell, int):
        number = cell if cell < 1000 else localize(cell)  # no language groups the digits of less
        return f'<td class="number">{number}</td>'
    return f'<td class="number nowrap">{escape(cell)}</td>'
