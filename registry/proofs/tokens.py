"""Registry tokens: minting and verifying, purely. JWTs signed with Ed25519 and nothing else, good for five minutes.

They have a key, a type, an issuer and an audience of their own. So no other verifier of this site takes one (the type
and the key differ), no other registry does (issuer and key), and nothing that somebody else signed is taken here. The
algorithm is fixed by our key, never by the token's header, and a header that offers a key is refused (RFC 8725, 3.1).
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from common import ids
from registry.permissions import from_claims
from registry.proofs.errors import ProofRefused
from registry.proofs.identity import Identity

ALGORITHM: Final = "Ed25519"  # RFC 9864; "EdDSA", which leaves the curve open, is deprecated
TYPE: Final = "mcp-registry+jwt"
SECONDS: Final = 300
LEEWAY_SECONDS: Final = 5  # for `nbf` only: web processes' clocks differ, an expired token is expired
MAX_CHARACTERS: Final = 16_384
_HEADER_FIELDS = frozenset({"alg", "typ", "kid"})


@dataclass(frozen=True)
class Token:
    """`expires_at` is in seconds since the epoch."""

    value: str
    expires_at: int


def issuer_of(site: str) -> str:
    """Issuer and audience alike: a registry writes tokens to itself. `site` is SLIPWAY_URL."""
    return f"{site}/registry"


def mint(identity: Identity, *, key: OKPKey, site: str, now: float) -> Token:
    """`key` holds the private part and has a `kid`."""
    at = int(now)
    header = {"alg": ALGORITHM, "typ": TYPE, "kid": key.kid}
    body = {
        "iss": issuer_of(site),
        "aud": issuer_of(site),
        "jti": ids.random_token(),
        "iat": at,
        "nbf": at,
        "exp": at + SECONDS,
        "auth_method": identity.method,
        "auth_method_sub": identity.subject,
        "permissions": [each.as_claim() for each in identity.permissions],
    }
    value = jws.serialize_compact(header, json.dumps(body, separators=(",", ":")), key, algorithms=[ALGORITHM])
    return Token(value, at + SECONDS)


def verify(value: str, *, keys: Iterable[OKPKey], site: str, now: float) -> Identity:
    """Signature, type, issuer, audience and times. `keys` are those that may have signed. Raises ProofRefused."""
    if len(value) > MAX_CHARACTERS or value.count(".") != 2:
        raise refused("It is no token of this registry.")
    key = _key(_header(value), keys)
    body = _body(value, key)
    if body.get("iss") != issuer_of(site) or body.get("aud") != issuer_of(site):
        raise refused("It was issued by or for another registry.")
    if now >= _seconds(body, "exp"):
        raise refused("It has expired: tokens last five minutes. Log in again.")
    if _seconds(body, "nbf") > now + LEEWAY_SECONDS:
        raise refused("It isn't valid yet.")
    try:
        permissions = from_claims(body.get("permissions"))
    except ValueError as error:
        raise refused("It doesn't say what it permits.") from error
    return Identity(str(body.get("auth_method", "")), str(body.get("auth_method_sub", "")), permissions)


def refused(words: str) -> ProofRefused:
    return ProofRefused(f"The registry token is not accepted. {words}", "token_refused")


def _header(value: str) -> dict[str, Any]:
    """Before any cryptography: what the header says may only confirm what is expected."""
    try:
        header = json.loads(base64.urlsafe_b64decode(value.partition(".")[0] + "=="))
    except (binascii.Error, ValueError, RecursionError):
        header = None
    if not isinstance(header, dict):
        raise refused("It is no token of this registry.")
    if header.get("alg") != ALGORITHM:
        raise refused(f"Its algorithm must be {ALGORITHM}.")
    if header.get("typ") != TYPE or not header.keys() <= _HEADER_FIELDS:
        raise refused("It is another kind of token.")
    return header


def _key(header: dict[str, Any], keys: Iterable[OKPKey]) -> OKPKey:
    for key in keys:
        if key.kid == header.get("kid"):
            return key
    raise refused("It was signed with a key that isn't this registry's. Log in again.")


def _body(value: str, key: OKPKey) -> dict[str, Any]:
    try:
        body = json.loads(jws.deserialize_compact(value, key, algorithms=[ALGORITHM]).payload)
    except (JoseError, ValueError, TypeError, RecursionError):
        raise refused("Its signature isn't this registry's.") from None
    if not isinstance(body, dict):
        raise refused("It holds no claims.")
    return body


def _seconds(body: dict[str, Any], name: str) -> float:
    value = body.get(name)
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise refused(f"It has no {name}.")
    return value
