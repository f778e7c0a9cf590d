"""Several ways to do the same by turns in one process, so that whatever else the machine does meets all of them."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Taken:
    """Seconds of one piece of work: by the clock, and of this process's processor time."""

    wall: float
    cpu: float


def by_turns(ways: Mapping[str, tuple[int, Callable[[], object]]], rounds: int) -> dict[str, Taken]:
    """Each way is (how many pieces of work one run does, the run). Medians over the rounds, after one that counts
    nothing."""
    found: dict[str, list[Taken]] = {name: [] for name in ways}
    for round_ in range(rounds + 1):
        for name, (pieces, run) in ways.items():
            wall, cpu = time.perf_counter(), time.process_time()
            run()
            taken = Taken((time.perf_counter() - wall) / pieces, (time.process_time() - cpu) / pieces)
            if round_:
                found[name].append(taken)
    return {
        name: Taken(statistics.median(one.wall for one in times), statistics.median(one.cpu for one in times))
        for name, times in found.items()
    }
