"""Counting durations in steps: what a step holds, and how near percentiles of counts come to those of the values."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from hosting.usage.durations import LARGEST, bounds, quantile, step_of


def test_each_duration_lies_within_its_step_and_steps_follow_each_other() -> None:
    dice = random.Random(1)
    for microseconds in [*range(2000), *(dice.randrange(2**40) for _ in range(2000)), LARGEST]:
        low, high = bounds(step_of(microseconds))
        assert low <= microseconds < high
        assert high - low <= max(1, low / 8)
    assert all(bounds(step)[1] == bounds(step + 1)[0] for step in range(300))
    assert (step_of(-5), step_of(LARGEST * 8)) == (0, step_of(LARGEST)) and step_of(LARGEST) < 2**15


@pytest.mark.parametrize("share", [0.5, 0.95])
def test_percentiles_of_counts_are_those_of_the_values(share: float) -> None:
    dice = random.Random(2)
    values = sorted(round(dice.lognormvariate(9, 1.5)) for _ in range(5000))
    found = quantile(Counter(map(step_of, values)), share)
    exact = values[round(share * (len(values) - 1))]
    assert found is not None and abs(found - exact) < exact * 0.03


def test_percentiles_of_few() -> None:
    assert quantile({}, 0.5) is None
    assert quantile({7: 1}, 0.95) == 7.0
    low, high = bounds(step_of(1_000_000))
    only = quantile({step_of(1_000_000): 1}, 0.5)
    assert only is not None and low < only < high
