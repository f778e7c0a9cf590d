"""The operations under /auth, and /health: a proof in, a registry token out. All block, so threads call them.

Whatever is wrong with a proof is told in the way that publishers' programs print: 401, the cause in `errors`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
from django.conf import settings

from common.errors import AppError
from registry.api.problems import Detail, Problem, invalid, not_found
from registry.models import TrustedPublisher
from registry.proofs import exchanges
from registry.proofs.identity import Identity

MAX_BODY: Final = 64 * 1024
MAX_TEXT: Final = 16_384  # characters of one member


class _Exchange:
    """What a body must have, all of it text and nothing else; and what to call with it, in that order."""

    def __init__(self, title: str, members: tuple[str, ...], prove: Callable[..., Identity]) -> None:
        self.title, self.members, self.prove = title, members, prove


_SIGNED: Final = ("domain", "timestamp", "signed_timestamp")
EXCHANGES: Final[Mapping[str, _Exchange]] = {
    "github-at": _Exchange("GitHub authentication failed", ("github_token",), exchanges.by_github_token),
    "github-oidc": _Exchange("GitHub OIDC authentication failed", ("oidc_token",), exchanges.by_github_actions),
    "oidc": _Exchange("OIDC authentication failed", ("oidc_token",), exchanges.by_oidc),
    "dns": _Exchange("DNS authentication failed", _SIGNED, exchanges.by_dns),
    "http": _Exchange("HTTP authentication failed", _SIGNED, exchanges.by_http),
    "none": _Exchange("Anonymous authentication failed", (), exchanges.by_nothing),
}


def exchange(proof: str, body: bytes) -> dict[str, Any]:
    """The token object that answers `POST /auth/<proof>`. Raises Problem: 401, 404, 413, 422."""
    wanted = EXCHANGES.get(proof)
    if wanted is None or not _is_on(proof):
        raise not_found("Endpoint not found.")
    members = _bound(body, wanted.members)
    try:
        token = exchanges.issue(wanted.prove(*members))
    except AppError as error:
        raise Problem(401, wanted.title, [Detail(error.message)]) from error
    return {"registry_token": token.value, "expires_at": token.expires_at}


def health() -> dict[str, Any]:
    """What answers `GET /health`: the publisher's command reads there which OAuth app to log in with."""
    found = {"status": "ok"}
    if settings.REGISTRY_GITHUB_CLIENT_ID:
        found["github_client_id"] = settings.REGISTRY_GITHUB_CLIENT_ID
    return found


def _is_on(proof: str) -> bool:
    if proof == "none":
        return bool(settings.REGISTRY_ANONYMOUS)
    return proof != "oidc" or TrustedPublisher.objects.exists()


def _bound(body: bytes, members: tuple[str, ...]) -> list[str]:
    """The members' texts, in order. Raises Problem for a body that has not exactly these."""
    if len(body) > MAX_BODY:
        raise Problem(413, f"The body is larger than {MAX_BODY} bytes.")
    if not members:
        return []
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise invalid([Detail("the body is not valid JSON", "body")]) from error
    if not isinstance(found, dict):
        raise invalid([Detail("expected object", "body")])
    errors = [_fault(name, found) for name in members]
    errors += [Detail("unexpected property", f"body.{name}"[:200]) for name in found if name not in members]
    if faults := [each for each in errors if each is not None]:
        raise invalid(faults)
    return [found[name] for name in members]


def _fault(name: str, found: Mapping[str, Any]) -> Detail | None:
    if name not in found:
        return Detail(f"expected required property {name} to be present", "body")
    value = found[name]
    if not isinstance(value, str):
        return Detail("expected string", f"body.{name}")
    if len(value) > MAX_TEXT or "\0" in value:
        return Detail(f"expected at most {MAX_TEXT} characters, without NUL", f"body.{name}")
    return None
