"""Why a change of the registry was refused. The API and the pages say it each in their own form."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext

from common.errors import AppError
from registry.server_json.issues import Breach, Issue


class DocumentUnbound(AppError):
    """It is no server.json: members are missing, unknown, or of another type."""

    status = 422

    def __init__(self, breaches: Sequence[Breach]) -> None:
        first = breaches[0]
        words = gettext("This is no server.json: %(place)s: %(problem)s.")
        place = first.path or gettext("the whole")
        super().__init__("document_unbound", words % {"place": place, "problem": first.message})
        self.breaches = tuple(breaches)


class DocumentInvalid(AppError):
    """It breaks rules. `issues` has all of them."""

    status = 422

    def __init__(self, issues: Sequence[Issue]) -> None:
        first = next(one for one in issues if one.is_error)
        words = gettext("This server.json breaks a rule: %(place)s: %(problem)s.")
        super().__init__("document_invalid", words % {"place": first.path, "problem": first.message})
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
