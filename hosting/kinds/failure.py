"""The one error of a build, in words for the person who wants the server hosted."""

from __future__ import annotations


class BuildFailed(Exception):
    """No environment could be made of a reference.

    `reason` says what happened and what to do; `log` is what the tools printed (capped, credentials removed);
    `is_transient` is true where the same build may well succeed later, as when the index didn't answer.
    """

    def __init__(self, reason: str, log: str = "", *, is_transient: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.log = log
        self.is_transient = is_transient
