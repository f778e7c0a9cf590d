"""What a runner answers to who asks for what can't be done."""

from __future__ import annotations


class RefusedError(Exception):
    """An operation that can't be done; becomes a Detached frame or a Refusal."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(detail or reason)
        self.reason = reason
        self.detail = detail
