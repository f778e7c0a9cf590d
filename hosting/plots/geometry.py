"""Scales and paths of a small plot. Pure: numbers in, attributes of SVG elements out.

Lengths are in units of the view box. What goes into an attribute is a string already: a template would write numbers as
the reader's language does.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

WIDTH: Final = 320
HEIGHT: Final = 120
LEFT: Final = 40  # room for the labels of the values
RIGHT: Final = 4
TOP: Final = 8
BOTTOM: Final = 20  # room for the labels of the times
PLOT_HEIGHT: Final = HEIGHT - TOP - BOTTOM
_GAP: Final = 0.28  # of a column, between bars


@dataclass(frozen=True)
class Column:
    """The part of the plot that belongs to one span of time: `x` and `width` as attributes."""

    x: str
    width: str


@dataclass(frozen=True)
class Axis:
    """`top` is the value at the upper edge; `lines` are the y at which there is a line, each with its value."""

    top: float
    lines: tuple[tuple[str, float], ...]

    def y(self, value: float) -> float:
        return HEIGHT - BOTTOM - value / self.top * PLOT_HEIGHT


def axis(values: Sequence[float], *, is_whole: bool) -> Axis:
    """From 0 to a round number that no value exceeds. `is_whole`: half of it is a whole number too."""
    top = _round_above(max(values, default=0), is_whole=is_whole)
    found = Axis(top, ())
    return Axis(top, tuple((attribute(found.y(value)), value) for value in (0, top / 2, top)))


def _round_above(value: float, *, is_whole: bool) -> float:
    steps = (1, 2, 4, 6, 8, 10) if is_whole else (1, 2, 4, 5, 6, 8, 10)
    if value <= (2 if is_whole else 0):
        return 2 if is_whole else 1
    power = 10.0 ** math.floor(math.log10(value))
    # A hair less, since 0.3 / 0.1 is more than 3.
    top: float = next(step * power for step in (*steps, 20) if step * power >= value * (1 - 1e-9))
    return float(round(top)) if is_whole else top


def columns(count: int) -> list[Column]:
    """Of equal width, side by side from the first label to the right edge."""
    return [Column(attribute(_left(place, count)), attribute(_left(1, count) - LEFT)) for place in range(count)]


def middle(place: int, count: int) -> float:
    """The x of a column's middle."""
    return (_left(place, count) + _left(place + 1, count)) / 2


def _left(place: int, count: int) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * place / count


def bars(values: Sequence[float], below: Sequence[float], axis: Axis) -> str:
    """A path of one bar for each value that is not 0, each on top of what is `below` it."""
    count = len(values)
    width = (_left(1, count) - LEFT) * (1 - _GAP)
    parts = []
    for place, (value, base) in enumerate(zip(values, below, strict=True)):
        if value:
            low, high = axis.y(base), axis.y(base + value)
            high = min(high, low - 1)  # one of ten thousand is seen too
            x = attribute(middle(place, count) - width / 2)
            parts.append(f"M{x} {attribute(low)}V{attribute(high)}h{attribute(width)}V{attribute(low)}z")
    return "".join(parts)


def line(values: Sequence[float | None], axis: Axis) -> str:
    """A path through all values; it breaks where there is none."""
    parts, is_drawing = [], False
    for place, value in enumerate(values):
        if value is not None:
            parts.append(f"{'L' if is_drawing else 'M'}{_point(place, value, len(values), axis)}")
        is_drawing = value is not None
    return "".join(parts)


def dots(values: Sequence[float | None], axis: Axis) -> str:
    """A path of a line without length at each value: its caps are the dots."""
    found = [(place, value) for place, value in enumerate(values) if value is not None]
    return "".join(f"M{_point(place, value, len(values), axis)}h0" for place, value in found)


def _point(place: int, value: float, count: int, axis: Axis) -> str:
    return f"{attribute(middle(place, count))} {attribute(axis.y(value))}"


def attribute(number: float) -> str:
    """A tenth of a unit is less than anybody sees."""
    return f"{number:.1f}".removesuffix(".0")
