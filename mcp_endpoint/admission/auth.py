"""Bearer token -> Principal, or the challenge to send back. No database: claims are verified once and remembered.

RFC 6750 (bearer tokens), RFC 9728 section 5.1 (`resource_metadata` in the challenge), the basic/authorization pages.
Tokens are remembered by their SHA-256 digest; expiry, audience and revocation are checked on every request.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from mcp_endpoint.admission.limits import TOKEN_BYTES

READ: Final = "mcp:read"
CALL: Final = "mcp:call"
BASIC: Final = f"{READ} {CALL}"

# A broader scope covers the narrower ones (2026-07-28 basic/authorization, scope hierarchy).
_COVERS: Final = {"mcp:admin": {"mcp:admin", CALL, READ}, CALL: {CALL, READ}, READ: {READ}}
_CALLING: Final = frozenset({"tools/call", "tasks/update", "tasks/cancel"})
_CACHE_SIZE: Final = 20_000


class TokenClaims(Protocol):
    """What a verified token says; oauth.claims.Claims is one."""

    @property
    def sub(self) -> str: ...
    @property
    def client_id(self) -> str: ...
    @property
    def scope(self) -> frozenset[str]: ...
    @property
    def jti(self) -> str: ...
    @property
    def exp(self) -> float: ...


class InvalidTokenError(Exception):
    """The token is not valid for this resource; the message may be shown to its bearer."""


Verify = Callable[[str, str, float], TokenClaims]
"""(token, audience, now) -> claims; raises InvalidTokenError. Pure."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who a request acts for. `key` is the same for every token of one user, client and resource."""

    sub: str
    client_id: str
    scopes: frozenset[str]
    jti: str
    expires_at: float
    resource: str
    key: str
    may_call: bool  # everything but administration
    is_anonymous: bool = False


@dataclass(frozen=True, slots=True)
class Challenge:
    """Why a request is refused, as WWW-Authenticate says it."""

    status: int
    error: str
    description: str
    scope: str = BASIC

    def header(self, metadata_url: str) -> bytes:
        parts = [f'resource_metadata="{metadata_url}"', f'scope="{self.scope}"']
        if self.error:
            parts = [f'error="{self.error}"', f'error_description="{self.description}"', *parts]
        return ("Bearer " + ", ".join(parts)).encode("latin-1", "replace")


NO_TOKEN: Final = Challenge(401, "", "A bearer token for this server is needed.")


def scope_for(method: str) -> str:
    return CALL if method in _CALLING else READ


def missing_scope(principal: Principal, method: str) -> Challenge | None:
    """2025-11-25 basic/authorization, "Runtime Insufficient Scope Errors"."""
    wanted = scope_for(method)
    if wanted in principal.scopes:
        return None
    scope = BASIC if wanted == CALL else wanted
    return Challenge(403, "insufficient_scope", f"The token lacks the scope {wanted}.", scope)


class Authenticator:
    """Verifies tokens; remembers the claims of those that held."""

    def __init__(self, verify: Verify, is_revoked: Callable[[str], bool]) -> None:
        self._verify = verify
        self._is_revoked = is_revoked
        self._known: dict[bytes, Principal] = {}

    def authenticate(self, authorization: bytes | None, resource: str, now: float) -> Principal | Challenge:
        """The principal of this request for `resource` (compared byte for byte with the token's audience)."""
        if authorization is None:
            return NO_TOKEN
        scheme, _, token = authorization.partition(b" ")
        token = token.strip()
        if scheme.lower() != b"bearer" or not token:
            return NO_TOKEN
        if len(token) > TOKEN_BYTES or not token.isascii():
            return _invalid("The token is malformed.")
        digest = hashlib.sha256(token).digest()
        principal = self._known.get(digest)
        if principal is None:
            try:
                principal = _principal(self._verify(token.decode("ascii"), resource, now), resource)
            except InvalidTokenError as error:
                return _invalid(str(error))
            if len(self._known) >= _CACHE_SIZE:
                self._known.pop(next(iter(self._known)))
            self._known[digest] = principal
        if not self.is_good(principal, now):
            self._known.pop(digest, None)
            return _invalid("The token has expired or was revoked.")
        if principal.resource != resource:
            return _invalid("The token was issued for another server.")
        return principal

    def is_good(self, principal: Principal, now: float) -> bool:
        """Whether the token behind `principal` still stands; asked every second for open streams."""
        return principal.expires_at > now and not self._is_revoked(principal.jti)


def _principal(claims: TokenClaims, resource: str) -> Principal:
    scopes = frozenset(covered for scope in claims.scope for covered in _COVERS.get(scope, {scope}))
    key = f"{claims.sub} {claims.client_id} {resource}"
    return Principal(claims.sub, claims.client_id, scopes, claims.jti, float(claims.exp), resource, key, CALL in scopes)


def _invalid(description: str) -> Challenge:
    return Challenge(401, "invalid_token", description.replace('"', "'").replace("\\", "/"))
