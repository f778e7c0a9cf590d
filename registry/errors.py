"""Why a change of the registry was refused. The API and the pages say it each in their own form."""

from __future__ import annotations

from collections.abc import Sequence

from common.errors import AppError
from registry.server_json.issues import Breach, Issue


class DocumentUnbound(AppError):
    """It is no server.json: members are missing, unknown, or of another type."""

    status = 422

    def __init__(self, breaches: Sequence[Breach]) -> None:
        first = breaches[0]
        words = f"This is no server.json: {first.path or 'the whole'}: {first.message}."
        super().__init__("document_unbound", words)
        self.breaches = tuple(breaches)


class DocumentInvalid(AppError):
    """It breaks rules. `issues` has all of them."""

    status = 422

    def __init__(self, issues: Sequence[Issue]) -> None:
        first = next(one for one in issues if one.is_error)
        super().__init__("document_invalid", f"This server.json breaks a rule: {first.path}: {first.message}.")
        self.issues = tuple(issues)


class NotPermitted(AppError):
    """Whoever asks has not proven the namespace, or the name is held or taken down."""

    status = 403


class ChangeRefused(AppError):
    """The change itself can't be made: a version that is there already, an address that another server has …"""

    status = 400


class ServerUnknown(AppError):
    status = 404

    def __init__(self, words: str = "Server not found") -> None:
        super().__init__("server_unknown", words)
