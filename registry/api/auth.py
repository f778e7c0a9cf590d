"""The operations under /auth: a proof in, a registry token out. They block, so threads call them.

Whatever is wrong with a proof is told in the way that publishers' programs print: 401, the cause in `errors`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings

from common.errors import AppError
from registry.api.bodies import json_of, unbound
from registry.api.problems import Detail, Problem, not_found
from registry.models import TrustedPublisher
from registry.proofs import exchanges
from registry.proofs.identity import Identity
from registry.server_json.binding import bind
from registry.server_json.shapes import Members, Text

MAX_BODY: Final = 64 * 1024
MAX_TEXT: Final = 16_384  # characters of one member


@dataclass(frozen=True)
class _Exchange:
    """What a body must have, all of it text and nothing else; and what to call with it, in that order."""

    title: str
    members: tuple[str, ...]
    prove: Callable[..., Identity]

    @property
    def shape(self) -> Members:
        return Members(dict.fromkeys(self.members, Text(most=MAX_TEXT)), self.members)


_SIGNED: Final = ("domain", "timestamp", "signed_timestamp")
EXCHANGES: Final[Mapping[str, _Exchange]] = {
    "github-at": _Exchange("GitHub authentication failed", ("github_token",), exchanges.by_github_token),
    "github-oidc": _Exchange("GitHub OIDC authentication failed", ("oidc_token",), exchanges.by_github_actions),
    "oidc": _Exchange("OIDC authentication failed", ("oidc_token",), exchanges.by_oidc),
    "dns": _Exchange("DNS authentication failed", _SIGNED, exchanges.by_dns),
    "http": _Exchange("HTTP authentication failed", _SIGNED, exchanges.by_http),
    "none": _Exchange("Anonymous authentication failed", (), exchanges.by_nothing),
}


def exchange(proof: str, content: bytes) -> dict[str, Any]:
    """The token object that answers `POST /auth/<proof>`. Raises Problem: 400, 401, 404, 413, 422."""
    wanted = EXCHANGES.get(proof)
    if wanted is None or not _is_on(proof):
        raise not_found("Endpoint not found.")
    members = _bound(content, wanted)
    try:
        token = exchanges.issue(wanted.prove(*members))
    except AppError as error:
        raise Problem(401, wanted.title, [Detail(error.message)]) from error
    return {"registry_token": token.value, "expires_at": token.expires_at}


def _is_on(proof: str) -> bool:
    if proof == "none":
        return bool(settings.REGISTRY_ANONYMOUS)
    return proof != "oidc" or TrustedPublisher.objects.exists()


def _bound(content: bytes, wanted: _Exchange) -> list[str]:
    """The members' texts, in order. Raises Problem for a body that has not exactly these."""
    if not wanted.members:
        return []
    if len(content) > MAX_BODY:
        raise Problem(413, f"The body is larger than {MAX_BODY} bytes.")
    found = json_of(content)
    if breaches := bind(found, wanted.shape):
        raise unbound(breaches)
    return [found[name] for name in wanted.members]
