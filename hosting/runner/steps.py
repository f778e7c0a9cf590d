"""Named points between two writes of the outbox: where a runner may die, and tests of that let it."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum


class Step(StrEnum):
    WANTED = "wanted"  # a call is to run as a task; nothing of it is on disk
    BEGUN = "begun"  # its header is on disk; no instance has the call
    HAPPENED = "happened"  # what must not be lost has happened; it is not on disk
    WRITTEN = "written"  # it is on disk; nobody was told
    TOLD = "told"  # a job is on its way; nobody has taken anything
    TAKEN = "taken"  # the site has everything; the file is still there


def _go_on(step: Step) -> None:
    """What happens at every step of a runner that runs."""


reached: Callable[[Step], None] = _go_on
