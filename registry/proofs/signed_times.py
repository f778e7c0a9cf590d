"""A signature over the time, which proves that somebody holds the key that a domain published. Pure.

The publisher signs its clock's time as text (RFC 3339). It must be within 15 seconds of ours, and a signature counts
once: `fingerprint` is the same for every way to write one signature down, so that a copy can't pass for another.
"""

from __future__ import annotations

import binascii
import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA384

from registry.proofs.errors import ProofRefused
from registry.proofs.records import PublicKey

WINDOW = timedelta(seconds=15)
P384_BYTES = 48
ED25519_BYTES = 64
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)", re.ASCII)


@dataclass(frozen=True)
class SignedTime:
    """`text` is what was signed, exactly as it was sent."""

    text: str
    signature: bytes


def read(timestamp: str, signature: str, *, now: datetime) -> SignedTime:
    """Raises ProofRefused for what is malformed or of another time. `signature` is hexadecimal."""
    at = _moment(timestamp)
    if abs(at - now) > WINDOW:
        ahead = "ahead of" if at > now else "behind"
        raise ProofRefused(
            f"The timestamp is {abs(at - now).total_seconds():.0f} seconds {ahead} this site's clock; 15 are allowed. "
            "Set the clock of the machine that publishes."
        )
    if len(signature) > 4 * P384_BYTES:
        raise ProofRefused("The signature is too long.")
    try:
        return SignedTime(timestamp, binascii.unhexlify(signature))
    except (binascii.Error, ValueError) as error:
        raise ProofRefused("The signature must be written in hexadecimal digits.") from error


def verified_by(signed: SignedTime, keys: Sequence[PublicKey]) -> str:
    """The fingerprint of the signature, if one of the keys made it. Raises ProofRefused, which names the keys."""
    for key in keys:
        if (found := _fingerprint(signed, key)) is not None:
            return found
    tried = ", ".join(key.shown for key in keys)
    raise ProofRefused(
        f"The signature was made with none of the keys that the domain publishes (tried {tried}). "
        "If you changed the key, the published record may be an old one."
    )


def _moment(text: str) -> datetime:
    try:
        if not _TIME.fullmatch(text):
            raise ValueError
        whole, dot, rest = text.partition(".")
        digits = re.match(r"\d*", rest)
        fraction = digits.group() if digits else ""
        zone = rest[len(fraction) :]
        return datetime.fromisoformat(f"{whole}.{fraction[:6].ljust(6, '0')}{zone}" if dot else text)
    except ValueError:
        raise ProofRefused("The timestamp must be written as in 2025-08-07T13:15:04Z (RFC 3339).") from None


def _fingerprint(signed: SignedTime, key: PublicKey) -> str | None:
    if isinstance(key.key, Ed25519PublicKey):
        return _of_ed25519(signed, key, key.key)
    return _of_p384(signed, key, key.key)


def _of_ed25519(signed: SignedTime, key: PublicKey, public: Ed25519PublicKey) -> str | None:
    """The scheme is deterministic: for one key and text there is one signature, so those two stand for it."""
    try:
        public.verify(signed.signature, signed.text.encode())
    except InvalidSignature:
        return None
    return _digest(key.raw, signed.text.encode())


def _of_p384(signed: SignedTime, key: PublicKey, public: ec.EllipticCurvePublicKey) -> str | None:
    """With (r, s) the pair (r, n - s) is valid too, and anybody can compute it; r stands for both."""
    for r, s in _pairs(signed.signature):
        try:
            public.verify(encode_dss_signature(r, s), signed.text.encode(), ec.ECDSA(SHA384()))
        except (InvalidSignature, ValueError):
            continue
        return _digest(key.raw, signed.text.encode(), r.to_bytes(P384_BYTES, "big"))
    return None


def _pairs(signature: bytes) -> Iterator[tuple[int, int]]:
    """r and s, 48 bytes each. The official command leaves out a number's leading zeros, which happens one time in 128:
    then each way to cut what came is tried."""
    most, least = P384_BYTES, P384_BYTES - 2
    for cut in range(most, least - 1, -1):
        r, s = signature[:cut], signature[cut:]
        if least <= len(s) <= most and len(r) == cut:
            yield int.from_bytes(r, "big"), int.from_bytes(s, "big")


def _digest(*parts: bytes) -> str:
    return hashlib.sha256(b"".join(len(part).to_bytes(2, "big") + part for part in parts)).hexdigest()
