"""JWTs that others signed: verified with keys that we chose, by algorithms that we chose. Pure."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any, Final

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

ALGORITHMS: Final = ("ES256", "RS256", "PS256", "EdDSA")
MAX_CHARACTERS: Final = 16_384
LEEWAY_SECONDS: Final = 30
# The kinds of key that each is for: so a public key is never taken for the secret of an HMAC.
_KIND: Final = {"ES256": "EC", "RS256": "RSA", "PS256": "RSA", "EdDSA": "OKP"}
_KEY_FIELDS: Final = frozenset({"jwk", "jku", "x5c", "x5u", "crit"})


class RejectedError(Exception):
    """It does not count. The text says why, without any of its contents."""


def peek(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """(header, payload), verified by nobody. Raises RejectedError for what is no JWT."""
    parts = token.split(".")
    if len(parts) != 3 or len(token) > MAX_CHARACTERS:
        raise RejectedError("it is no signed JWT")
    return _decoded(parts[0]), _decoded(parts[1])


def payload_of(token: str, jwks: Mapping[str, Any], *, typ: str = "") -> dict[str, Any]:
    """The claims, when one of these keys signed them. `typ`: the type that it has to have. Raises RejectedError."""
    header, _ = peek(token)
    algorithm = header.get("alg")
    if algorithm not in _KIND:
        raise RejectedError(f"it has to be signed with one of {', '.join(ALGORITHMS)}")
    if header.keys() & _KEY_FIELDS:
        raise RejectedError("its header brings a key of its own")
    if typ and str(header.get("typ", "")).lower().removeprefix("application/") != typ:
        raise RejectedError(f"its type has to be {typ}")
    if not typ and str(header.get("typ", "JWT")).lower() not in ("jwt", "client-authentication+jwt"):
        raise RejectedError("its type has to be JWT")
    fitting = [
        key
        for key in jwks.get("keys", [])
        if key.get("kty") == _KIND[algorithm]
        and key.get("use", "sig") == "sig"
        and key.get("alg", algorithm) == algorithm
        and ("kid" not in header or key.get("kid") == header["kid"])
    ]
    if not fitting:
        raise RejectedError("its key is not known")
    for key in fitting:
        try:
            found = KeySet.import_key_set({"keys": [key]}).keys[0]
            verified = jws.deserialize_compact(token, found, algorithms=[algorithm])
            body = json.loads(verified.payload)
        except (JoseError, ValueError, TypeError):
            continue
        if isinstance(body, dict):
            return body
    raise RejectedError("its signature isn't good")


def check_times(body: Mapping[str, Any], *, now: float, longest: float) -> float:
    """When it expires, at most `longest` seconds from now. Raises RejectedError."""
    expires, issued, begins = (_seconds(body, name) for name in ("exp", "iat", "nbf"))
    if expires is None or expires <= now - LEEWAY_SECONDS:
        raise RejectedError("it has expired")
    if expires > now + longest + LEEWAY_SECONDS:
        raise RejectedError(f"it is good for more than {longest:g} seconds")
    if max(issued or 0, begins or 0) > now + LEEWAY_SECONDS:
        raise RejectedError("it isn't valid yet")
    return expires


def _seconds(body: Mapping[str, Any], name: str) -> float | None:
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1e12:
        raise RejectedError(f"{name} is no time")
    return float(value)


def _decoded(part: str) -> dict[str, Any]:
    try:
        found = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (binascii.Error, ValueError):
        found = None
    if not isinstance(found, dict):
        raise RejectedError("it is no signed JWT")
    return found
