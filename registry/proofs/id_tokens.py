"""ID tokens of OpenID Connect issuers: verifying, purely (OpenID Connect Core 3.1.3.7, RFC 8725).

Only signatures that nobody can make from public keys are taken: no `none`, no HMAC. A key fits by its type and id, and
what else a token's header says (`jwk`, `jku`, `x5c`, `crit`) is refused or left alone.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, OKPKey, RSAKey

from registry.proofs.errors import ProofRefused

MAX_CHARACTERS: Final = 16_384
MAX_KEYS: Final = 100
LEEWAY_SECONDS: Final = 30  # between the issuer's clock and ours, for `iat` and `nbf`
KINDS: Final[Mapping[str, type[RSAKey | ECKey | OKPKey]]] = {
    **dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), RSAKey),
    **dict.fromkeys(("ES256", "ES384", "ES512"), ECKey),
    "Ed25519": OKPKey,
}
Key = RSAKey | ECKey | OKPKey
Claims = Mapping[str, Any]


class KeyUnknown(ProofRefused):
    """None of these keys has the token's id: the issuer may have changed them."""


def issuer_of(token: str) -> str:
    """What an unverified token says of where it comes from, to choose whose keys it is to be verified with."""
    found = _part(token, 1).get("iss")
    if not isinstance(found, str) or not found:
        raise ProofRefused("The ID token does not name its issuer.")
    return found


def keys(document: object) -> list[Key]:
    """The public keys for signatures in a JWK Set (RFC 7517, 5); what can't be used is left out."""
    listed = document.get("keys") if isinstance(document, Mapping) else None
    found = []
    for each in listed[:MAX_KEYS] if isinstance(listed, list) else []:
        if not isinstance(each, Mapping) or each.get("use", "sig") != "sig":
            continue
        try:
            # Public members only: joserfc would take a private key as well
            key = JWKRegistry.import_key({name: value for name, value in each.items() if name not in _PRIVATE})
        except (JoseError, ValueError, TypeError, KeyError):
            continue
        if isinstance(key, RSAKey | ECKey | OKPKey):
            found.append(key)
    return found


def verify(token: str, *, keys: Sequence[Key], issuer: str, audiences: Iterable[str], now: float) -> Claims:
    """The claims, if one of the issuer's keys signed them for one of our audiences, now. Raises ProofRefused."""
    header = _part(token, 0)
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in KINDS:
        raise ProofRefused("The ID token's algorithm is not accepted.")
    if "crit" in header:
        raise ProofRefused("The ID token's header asks for something that is not known here.")
    claims = _signed(token, algorithm, _fitting(keys, header.get("kid"), KINDS[algorithm]))
    if claims.get("iss") != issuer:
        raise ProofRefused("The ID token is another issuer's.")
    _check_audience(claims.get("aud"), list(audiences))
    _check_times(claims, now)
    return claims


_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth"})


def _fitting(found: Sequence[Key], kid: object, kind: type[Key]) -> list[Key]:
    """By id, where the token names one. Raises KeyUnknown."""
    fitting = [key for key in found if isinstance(key, kind) and (kid is None or key.kid == kid)]
    if not fitting:
        raise KeyUnknown("The ID token is signed with a key that its issuer does not publish.")
    return fitting


def _signed(token: str, algorithm: str, fitting: Sequence[Key]) -> Claims:
    for key in fitting:
        try:
            claims = json.loads(jws.deserialize_compact(token, key, algorithms=[algorithm]).payload)
        except (JoseError, ValueError, TypeError, RecursionError):
            continue
        if isinstance(claims, dict):
            return claims
    raise ProofRefused("The ID token's signature is not its issuer's.")


def _check_audience(value: object, accepted: list[str]) -> None:
    named = [value] if isinstance(value, str) else value
    if not isinstance(named, list) or not any(each in accepted for each in named):
        raise ProofRefused(f"The ID token is for another audience; ask its issuer for {' or '.join(accepted)}.")


def _check_times(claims: Claims, now: float) -> None:
    if now >= _seconds(claims, "exp"):
        raise ProofRefused("The ID token has expired.")
    for name in ("nbf", "iat"):
        if name in claims and _seconds(claims, name) > now + LEEWAY_SECONDS:
            raise ProofRefused("The ID token is not valid yet. Check the clocks.")


def _seconds(claims: Claims, name: str) -> float:
    value = claims.get(name)
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise ProofRefused(f"The ID token has no {name}.")
    return value


def _part(token: str, index: int) -> dict[str, Any]:
    parts = token.split(".")
    if len(token) > MAX_CHARACTERS or len(parts) != 3:
        raise ProofRefused("This is no ID token.")
    try:
        found = json.loads(base64.urlsafe_b64decode(parts[index] + "=="))
    except (binascii.Error, ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise ProofRefused("This is no ID token.")
    return found
