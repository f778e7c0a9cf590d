"""The record by which a domain publishes a key: `v=MCPv1; k=ed25519; p=BASE64`, in DNS or on a web page. Pure."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from registry.proofs.errors import ProofRefused

MAX_KEYS = 16  # of one domain: each costs a verification
_RECORD = re.compile(r"v=MCPv1;\s*k=([^;]{1,40});\s*p=([A-Za-z0-9+/=]{1,200})", re.ASCII)
_P384_COMPRESSED_BYTES = 49
_ED25519_BYTES = 32


@dataclass(frozen=True)
class PublicKey:
    algorithm: str  # ed25519 | ecdsap384
    raw: bytes
    key: Ed25519PublicKey | ec.EllipticCurvePublicKey

    @property
    def shown(self) -> str:
        """A few characters by which people know it again."""
        return f"{self.algorithm}:{base64.b64encode(self.raw).decode()[:8]}"


def is_record(text: str) -> bool:
    return _RECORD.search(text) is not None


def keys(texts: Iterable[str]) -> list[PublicKey]:
    """All keys in these, without those that can't be used. Raises ProofRefused when none is left, with the reason."""
    found: list[PublicKey] = []
    reason = ""
    for algorithm, value in (pair for text in texts for pair in _RECORD.findall(text)):
        try:
            found.append(_key(algorithm.strip(), value))
        except ValueError as error:
            reason = str(error)
    if not found:
        raise ProofRefused(
            f"The record that was found can't be used: {reason}."
            if reason
            else "No record was found. Publish one like: v=MCPv1; k=ed25519; p=BASE64-OF-THE-PUBLIC-KEY"
        )
    return found[:MAX_KEYS]


def _key(algorithm: str, value: str) -> PublicKey:
    """Raises ValueError, whose text says why."""
    try:
        raw = base64.b64decode(value, validate=True)
    except binascii.Error as error:
        raise ValueError("the key is no base64") from error
    if algorithm == "ed25519":
        if len(raw) != _ED25519_BYTES:
            raise ValueError("an Ed25519 key has 32 bytes")
        return PublicKey(algorithm, raw, Ed25519PublicKey.from_public_bytes(raw))
    if algorithm == "ecdsap384":
        if len(raw) != _P384_COMPRESSED_BYTES or raw[0] not in (2, 3):
            raise ValueError("an ECDSA P-384 key has 49 bytes, in compressed form")
        try:
            return PublicKey(algorithm, raw, ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP384R1(), raw))
        except ValueError as error:
            raise ValueError("the key is no point of P-384") from error
    raise ValueError(f"the algorithm {algorithm} is not ed25519 or ecdsap384")
