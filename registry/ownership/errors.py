"""Why a package is not taken for a server's. Messages say what to write into the package, and where."""

from __future__ import annotations

from common.errors import AppError, Unavailable


class OwnershipUnproven(AppError):
    """The package is not there, or doesn't say that it belongs to this server."""

    def __init__(self, message: str) -> None:
        super().__init__("ownership_unproven", message)


class OwnershipUnknown(Unavailable):
    """The index could not be asked now: the same request may succeed later."""

    def __init__(self, message: str, retry_after: int = 30) -> None:
        super().__init__("ownership_unknown", message, retry_after=retry_after)
