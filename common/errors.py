"""Errors that people may read. Services raise them; each surface (HTML, JSON, JSON-RPC, shell) converts them once.

`message` says what happened and what to do next. Nothing internal belongs in it: an unexpected error is logged and
never becomes an AppError.
"""

from __future__ import annotations

from typing import Any


class AppError(Exception):
    """`code` is stable and for programs; `message` is a sentence or two for people; `status` is the HTTP status."""

    status = 400

    def __init__(self, code: str, message: str, status: int | None = None, *, detail: Any = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.detail = detail
        if status is not None:
            self.status = status


class BadInput(AppError):
    """What was sent can't be used. `field` names the form field that is to blame, where one is."""

    status = 400

    def __init__(self, code: str, message: str, *, field: str = "", detail: Any = None) -> None:
        super().__init__(code, message, detail=detail)
        self.field = field


class Forbidden(AppError):
    """The actor is known and may not. Where even the existence is private, raise NotFound instead."""

    status = 403


class NotFound(AppError):
    """There is no such thing, or the actor may not know that there is."""

    status = 404


class Conflict(AppError):
    """The thing exists already, or isn't in a state that allows this."""

    status = 409


class Unavailable(AppError):
    """It would work later. `retry_after` is in seconds and becomes the Retry-After header."""

    status = 503

    def __init__(self, code: str, message: str, *, retry_after: int = 5, detail: Any = None) -> None:
        super().__init__(code, message, detail=detail)
        self.retry_after = retry_after
