"""What publishers do with a key: publish its record, and sign the time."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA384
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

P384_ORDER = int("ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973", 16)


def stamp(seconds: float = 0) -> str:
    """The time as the official command writes it, that far from now."""
    return (datetime.now(UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True)
class Ed25519Signer:
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    @property
    def record(self) -> str:
        raw = self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return f"v=MCPv1; k=ed25519; p={base64.b64encode(raw).decode()}"

    @property
    def private(self) -> str:
        """As the official command takes it."""
        return self.key.private_bytes_raw().hex()

    def sign(self, text: str) -> str:
        return self.key.sign(text.encode()).hex()


@dataclass(frozen=True)
class P384Signer:
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP384R1()))

    @property
    def record(self) -> str:
        raw = self.key.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
        return f"v=MCPv1; k=ecdsap384; p={base64.b64encode(raw).decode()}"

    @property
    def private(self) -> str:
        return self.key.private_numbers().private_value.to_bytes(48, "big").hex()

    def pair(self, text: str) -> tuple[int, int]:
        return decode_dss_signature(self.key.sign(text.encode(), ec.ECDSA(SHA384())))

    def sign(self, text: str) -> str:
        return written(*self.pair(text))


def written(r: int, s: int) -> str:
    return (r.to_bytes(48, "big") + s.to_bytes(48, "big")).hex()
