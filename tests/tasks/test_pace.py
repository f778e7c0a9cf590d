"""How fast a task goes, from samples of its progress."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hosting.tasks.pace import MOST, Pace, pace_of, sampled


def run(*steps: tuple[float, Any]) -> list[list[float]]:
    samples: list[list[float]] = []
    for at, value in steps:
        samples = sampled(samples, at, {"progress": value})
    return samples


def test_rate_and_time_left() -> None:
    samples = run((0, 0), (10, 20), (20, 40))
    assert pace_of(samples, {"progress": 40, "total": 100}, 20) == Pace(0.4, 2.0, 30.0)


def test_time_goes_on_while_nothing_is_said() -> None:
    samples = run((0, 0), (10, 20))
    progress = {"progress": 20, "total": 100}
    assert pace_of(samples, progress, 25).left_seconds == 25
    assert pace_of(samples, progress, 1000).left_seconds == 0


def test_the_later_half_counts() -> None:
    samples = run((0, 0), (50, 1), (60, 11), (70, 21), (100, 51))
    assert pace_of(samples, {"progress": 51, "total": 151}, 100).per_second == 1.0


@pytest.mark.parametrize(
    ("progress", "pace"),
    [
        ({}, Pace()),
        ({"progress": "half"}, Pace()),
        ({"progress": True, "total": 2}, Pace()),
        ({"progress": 3}, Pace(None, None, None)),
        ({"progress": 3, "total": 0}, Pace(None, None, None)),
        ({"progress": 3, "total": 2}, Pace(1.0, None, None)),
        ({"progress": -3, "total": 2}, Pace(0.0, None, None)),
        ({"progress": float("inf"), "total": 2}, Pace()),
        ({"progress": 10**400, "total": 2}, Pace()),
    ],
)
def test_what_can_not_be_known_is_not_made_up(progress: dict[str, Any], pace: Pace) -> None:
    assert pace_of([[0, 1]], progress, 5) == pace


def test_who_goes_back_counts_something_else() -> None:
    assert run((0, 5), (1, 6), (2, 1)) == [[2, 1]]


def test_the_same_again_is_no_sample() -> None:
    assert run((0, 5), (1, 5), (2, 6)) == [[0, 5], [2, 6]]


@given(st.lists(st.tuples(st.floats(0.01, 100), st.floats(0, 50)), max_size=200))
def test_few_samples_are_kept_in_order_with_the_last(steps: list[tuple[float, float]]) -> None:
    at, value, samples = 0.0, 0.0, list[list[float]]()
    for seconds, more in steps:
        at, value = at + seconds, value + more
        samples = sampled(samples, at, {"progress": value})
    assert len(samples) <= MOST
    assert samples == sorted(samples)
    if samples:
        assert samples[-1][1] == value
        pace = pace_of(samples, {"progress": value, "total": value + 1}, at)
        assert pace.left_seconds is None or pace.left_seconds >= 0
