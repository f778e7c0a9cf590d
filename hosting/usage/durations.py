"""How long things took, counted in steps of which any number may be added up. Pure.

A step holds durations of the same length in bits that agree in the three bits after the first: below 16 µs one step is
one microsecond, above it a step is at most an eighth as wide as where it begins. So a percentile of any sum of counts
is known to 12.5 % at worst, and what lies within a step is taken as spread evenly.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

EXACT_BELOW: Final = 16  # microseconds
LARGEST: Final = 2**50  # microseconds, 35 years: so that a step fits a smallint


def step_of(microseconds: int) -> int:
    if microseconds < EXACT_BELOW:
        return max(microseconds, 0)
    shift = min(microseconds, LARGEST).bit_length() - 4
    return shift * 8 + (min(microseconds, LARGEST) >> shift)


def bounds(step: int) -> tuple[int, int]:
    """The first duration that falls into a step and the first that does not any more, in microseconds."""
    if step < EXACT_BELOW:
        return step, step + 1
    shift = step // 8 - 1
    low = (step % 8 + 8) << shift
    return low, low + (1 << shift)


def quantile(counts: Mapping[int, int], share: float) -> float | None:
    """The duration in microseconds that `share` (0 to 1) of what was counted did not exceed; None of nothing."""
    total = sum(counts.values())
    if not total:
        return None
    rank = share * (total - 1) + 0.5  # in the middle of the one that stands there
    before = 0
    for step in sorted(counts):
        if before + counts[step] >= rank:
            low, high = bounds(step)
            return low + (high - low) * (rank - before) / counts[step] if high - low > 1 else float(low)
        before += counts[step]
    raise AssertionError("the last step holds the last rank")
