"""Why a proof or a token is not accepted. Messages go to whoever publishes: what is wrong, and what to do."""

from __future__ import annotations

from django.utils.translation import gettext

from common.errors import AppError


class ProofRefused(AppError):
    """Of any exchange or bearer token."""

    status = 401

    def __init__(self, message: str, code: str = "proof_refused") -> None:
        super().__init__(code, message)


class ProofUnavailable(ProofRefused):
    """Not refused, but not to be checked now: the other side doesn't answer. Told with the same status."""

    def __init__(self, message: str) -> None:
        super().__init__(message, "proof_unavailable")


class NamespaceBlocked(ProofRefused):
    def __init__(self, label: str) -> None:
        words = gettext("The namespace %(namespace)s is blocked on this site. Ask its operator.")
        super().__init__(words % {"namespace": label}, "namespace_blocked")
