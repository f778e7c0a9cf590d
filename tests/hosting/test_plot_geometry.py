"""Scales and paths of plots."""

from __future__ import annotations

import re

import pytest

from hosting.plots import geometry
from hosting.plots.activity import compact, duration
from hosting.plots.geometry import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH


@pytest.mark.parametrize(
    ("values", "is_whole", "top"),
    [
        ([], True, 2), ([0, 1], True, 2), ([3], True, 4), ([11], True, 20), ([100], True, 100), ([1001], True, 2000),
        ([], False, 1), ([0.3], False, 0.4), ([7], False, 8), ([4100], False, 5000), ([99], False, 100),
    ],
)  # fmt: skip
def test_an_axis_ends_at_a_round_number(values: list[float], is_whole: bool, top: float) -> None:
    axis = geometry.axis(values, is_whole=is_whole)
    assert axis.top == pytest.approx(top)
    assert [value for _, value in axis.lines] == pytest.approx([0, top / 2, top])
    assert (axis.y(0), axis.y(axis.top)) == (HEIGHT - BOTTOM, TOP)


def test_bars_stand_on_what_is_below_them() -> None:
    axis = geometry.axis([4], is_whole=True)
    lower, upper = geometry.bars([1, 0], [0, 0], axis), geometry.bars([3, 0], [1, 0], axis)
    [(x, low, high)] = re.findall(r"M([\d.]+) ([\d.]+)V([\d.]+)h", lower)
    [(other_x, other_low, other_high)] = re.findall(r"M([\d.]+) ([\d.]+)V([\d.]+)h", upper)
    assert (x, high) == (other_x, other_low) and (float(low), float(other_high)) == (HEIGHT - BOTTOM, TOP)
    assert LEFT < float(x) < LEFT + (WIDTH - LEFT - RIGHT) / 2


def test_one_of_very_many_is_seen() -> None:
    [(low, high)] = re.findall(r" ([\d.]+)V([\d.]+)h", geometry.bars([1], [0], geometry.axis([10_000], is_whole=True)))
    assert float(low) - float(high) == 1


def test_a_line_breaks_where_there_is_no_value() -> None:
    axis = geometry.axis([4], is_whole=False)
    assert re.sub(r"[\d. ]+", "", geometry.line([1, 2, None, 4], axis)) == "MLM"
    assert geometry.dots([1, None, 4], axis).count("h0") == 2
    assert geometry.line([None], axis) == geometry.dots([None], axis) == ""


def test_columns_fill_the_plot() -> None:
    columns = geometry.columns(24)
    assert float(columns[0].x) == LEFT
    assert float(columns[-1].x) + float(columns[-1].width) == pytest.approx(WIDTH - RIGHT, abs=0.2)


def test_numbers_on_axes() -> None:
    assert [compact(number) for number in (0, 5, 950, 1200, 10_000, 2_500_000)] == [
        "0",
        "5",
        "950",
        "1.2k",
        "10k",
        "2.5M",
    ]
    assert [duration(number) for number in (None, 0, 1500.4, 2_000_000)] == ["–", "0", "1.5 ms", "2 s"]
