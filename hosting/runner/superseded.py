"""Deployments that were placed elsewhere, as calls told us that knew of a later epoch than we did."""

from __future__ import annotations

import time

REMEMBER_SECONDS = 60.0  # longer than any web process goes by an old route


class Superseded:
    """So that who has not heard of it yet does not place them here once more."""

    def __init__(self) -> None:
        self._epochs: dict[str, tuple[int, float]] = {}  # by deployment: the epoch that we gave way to, and when

    def add(self, deployment: str, epoch: int) -> None:
        self._epochs[deployment] = (epoch, time.monotonic())

    def is_newer(self, deployment: str, epoch: int) -> bool:
        """Whether we gave way to a later epoch than this one."""
        newest, at = self._epochs.get(deployment, (0, 0.0))
        return newest > epoch and time.monotonic() - at < REMEMBER_SECONDS

    def forget(self, deployment: str) -> None:
        self._epochs.pop(deployment, None)
