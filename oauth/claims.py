"""Access tokens: minting and verifying, purely. JWT access tokens of RFC 9068, signed with ES256 and nothing else.

Nothing here reads a database, a clock, a file or a setting, so the MCP endpoint calls `verify` in its event loop. The
algorithm is fixed by our key and never taken from the token's header; a header that offers a key of its own is refused.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

ALGORITHM = "ES256"
TYPE = "at+jwt"  # RFC 9068, 2.1
MAX_TOKEN_CHARACTERS = 8192
_ES256: Final = jws.JWSRegistry.algorithms[ALGORITHM]
_HEADER_FIELDS = frozenset({"alg", "typ", "kid"})


class InvalidTokenError(Exception):
    """The token must not be accepted. `reason` is a short sentence without any of the token's contents."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Claims:
    """What a verified token says. Times are seconds since the epoch; `sub` is the user's id."""

    sub: str
    client_id: str
    aud: str
    scope: frozenset[str]
    jti: str
    iat: int
    exp: int
    iss: str


def mint(claims: Claims, *, key: ECKey) -> str:
    """Signs. `key` holds the private part and has a `kid`."""
    header = {"alg": ALGORITHM, "typ": TYPE, "kid": key.kid}
    body = {
        "iss": claims.iss,
        "sub": claims.sub,
        "aud": claims.aud,
        "client_id": claims.client_id,
        "scope": " ".join(sorted(claims.scope)),
        "jti": claims.jti,
        "iat": claims.iat,
        "exp": claims.exp,
    }
    return jws.serialize_compact(header, json.dumps(body, separators=(",", ":")), key, algorithms=[ALGORITHM])


def verify(
    token: str, *, key: ECKey | Mapping[str, ECKey], issuer: str, audience: str, now: float, leeway: float = 5.0
) -> Claims:
    """Checks signature, type, issuer, audience and times. `audience` is the one resource, compared exactly;
    `key` is the one that we sign with, or those by their ids that we did.

    Raises InvalidTokenError. `leeway` is in seconds and forgives clocks that differ, for `iat` and `nbf` only.
    """
    if len(token) > MAX_TOKEN_CHARACTERS:
        raise InvalidTokenError("the token is too long")
    claims, body = _checked(token, key)
    if claims.iss != issuer:
        raise InvalidTokenError("the token is another issuer's")
    if claims.aud != audience:
        raise InvalidTokenError("the token is for another resource")
    if now >= claims.exp:
        raise InvalidTokenError("the token has expired")
    if claims.iat > now + leeway or _seconds(body, "nbf", claims.iat) > now + leeway:
        raise InvalidTokenError("the token isn't valid yet")
    return claims


def _checked(token: str, key: ECKey | Mapping[str, ECKey]) -> tuple[Claims, dict[str, Any]]:
    """What one of our keys has signed (RFC 7515, 5.2): the library's algorithm, without its search for one."""
    if token.count(".") != 2:
        raise InvalidTokenError("this is no token of ours")
    signed, _, signature = token.rpartition(".")
    header, _, payload = signed.partition(".")
    kid = _kid_of(header)
    keys = key if isinstance(key, Mapping) else {key.kid: key}
    signer = keys.get(kid)
    if signer is None:
        raise InvalidTokenError("the token is signed with another key")
    try:
        is_ours = _ES256.verify(signed.encode("ascii"), _decoded(signature), signer)
        body = json.loads(_decoded(payload)) if is_ours else None
    except (JoseError, ValueError, TypeError):
        is_ours = False
    if not is_ours:
        raise InvalidTokenError("the signature isn't ours")
    if not isinstance(body, dict):
        raise InvalidTokenError("the token holds no claims")
    return _claims(body), body


def _decoded(encoded: str) -> bytes:
    """Base64url without padding (RFC 7515, 2). Raises ValueError."""
    return base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True)


@lru_cache(maxsize=64)
def _kid_of(encoded: str) -> str:
    """Which of our keys a header names. Before any cryptography: it may only confirm what we expect. All tokens of one
    key have the same header."""
    try:
        header = json.loads(_decoded(encoded))
    except ValueError:
        header = None
    if not isinstance(header, dict):
        raise InvalidTokenError("this is no token of ours")
    if header.get("alg") != ALGORITHM:
        raise InvalidTokenError("the token's algorithm isn't accepted")
    if header.get("typ") not in (TYPE, f"application/{TYPE}"):
        raise InvalidTokenError("this is no access token")
    if not header.keys() <= _HEADER_FIELDS:
        raise InvalidTokenError("the token's header has fields that aren't accepted")
    kid = header.get("kid")
    if not isinstance(kid, str):
        raise InvalidTokenError("the token is signed with another key")
    return kid


def _claims(body: dict[str, Any]) -> Claims:
    return Claims(
        sub=_text(body, "sub"),
        client_id=_text(body, "client_id"),
        aud=_audience(body),
        scope=frozenset(_scopes(body)),
        jti=_text(body, "jti"),
        iat=_seconds(body, "iat"),
        exp=_seconds(body, "exp"),
        iss=_text(body, "iss"),
    )


def _text(body: dict[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise InvalidTokenError(f"the claim {name} is missing")
    return value


def _audience(body: dict[str, Any]) -> str:
    """One audience only: a token for two resources could be carried from one to the other."""
    value = body.get("aud")
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if not isinstance(value, str):
        raise InvalidTokenError("the token must name exactly one resource")
    return value


def _scopes(body: dict[str, Any]) -> Iterable[str]:
    value = body.get("scope", "")
    if not isinstance(value, str):
        raise InvalidTokenError("the claim scope is malformed")
    return value.split()


def _seconds(body: dict[str, Any], name: str, default: int | None = None) -> int:
    value = body.get(name, default)
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise InvalidTokenError(f"the claim {name} is missing")
    return int(value)
