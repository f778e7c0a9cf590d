"""Named points between two writes of a task's jobs: where a worker may die, and tests of that let it."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum


class Step(StrEnum):
    CLAIMED = "claimed"  # the row names its exchange; the runner knows nothing of it yet
    OPENED = "opened"  # the runner has the call; the row does not say so
    READ = "read"  # events were read; none is in the row
    TAKEN = "taken"  # they are in the row; the runner still holds them


def _go_on(step: Step) -> None:
    """What happens at every step of a site that runs."""


reached: Callable[[Step], None] = _go_on
