"""How fast a task goes and how long it will take, from samples of its progress. Pure.

A sample is [seconds since 1970, progress]. Few are kept, the older the further apart, so that a task of hours is judged
by more than its last seconds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MOST = 24
LEAST_SPAN = 1.0  # seconds between two samples that say anything of the pace
_LARGEST = 1e15

Samples = Sequence[Sequence[float]]


def sampled(samples: Samples, at: float, progress: Mapping[str, Any]) -> list[list[float]]:
    """The samples with what `progress` says at `at`. One that goes back begins anew: it counts something else now."""
    kept = [list(sample) for sample in samples]
    value = number(progress.get("progress"))
    if value is None or (kept and kept[-1][1] == value):
        return kept
    if kept and value < kept[-1][1]:
        kept = []
    kept.append([round(at, 3), value])
    if len(kept) > MOST:
        half = MOST // 2
        kept = [kept[0], *kept[2:half:2], *kept[half:]]
    return kept


@dataclass(frozen=True)
class Pace:
    """None is what can't be known: `fraction` (0 to 1) without a total, the others before anything has moved."""

    fraction: float | None = None
    per_second: float | None = None
    left_seconds: float | None = None


def pace_of(samples: Samples, progress: Mapping[str, Any], now: float) -> Pace:
    """`progress` as the server gave it: progress, and perhaps total."""
    done, total = number(progress.get("progress")), number(progress.get("total"))
    if done is None:
        return Pace()
    fraction = min(max(done / total, 0.0), 1.0) if total is not None and total > 0 else None
    rate = _rate(samples)
    if rate is None or fraction is None or total is None:
        return Pace(fraction, rate)
    since = max(0.0, now - samples[-1][0])
    return Pace(fraction, rate, max(0.0, max(0.0, total - done) / rate - since))


def number(value: object) -> float | None:
    """A number that can be drawn, as a server sent it; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not -_LARGEST < value < _LARGEST:
        return None
    return float(value)


def _rate(samples: Samples) -> float | None:
    """Per second, over the later half of the time: what was slow at first need not stay so."""
    if len(samples) < 2:
        return None
    last_at, last = samples[-1]
    middle = last_at - (last_at - samples[0][0]) / 2
    before = [sample for sample in samples[:-1] if sample[0] <= middle]
    at, value = before[-1]
    return (last - value) / (last_at - at) if last_at - at >= LEAST_SPAN else None
