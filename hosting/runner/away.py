"""What stands in for a connection whose other end was asked to come back on a new one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


class Away:
    """Keeps what is sent meanwhile. A `follower.Wire` that followers do not write events to."""

    is_open = True
    writable = False

    def __init__(self, held: Iterable[Any] = ()) -> None:
        self.held: list[Any] = list(held)

    def send(self, frame: Any) -> None:
        self.held.append(frame)

    def close(self, reason: str = "") -> None:
        self.held.clear()
        self.is_open = False
