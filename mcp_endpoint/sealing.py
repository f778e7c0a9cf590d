"""What a client carries for us, sealed: AES-256-GCM under keys derived from the site's sealing key. Pure.

Each purpose has its own key (HKDF, RFC 5869), and what a value is bound to goes in as associated data, so a value
presented by somebody else, for something else or altered simply does not open.
"""

from __future__ import annotations

import base64
import binascii
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32
_NONCE_BYTES = 12
_TAG_BYTES = 16


class BrokenSealError(Exception):
    """Not ours, altered, or bound to something else; which of these it is, is nobody's business."""


class Sealer:
    """Seals and opens for one purpose. Every web process has the same key."""

    def __init__(self, key: bytes, purpose: str) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError(f"the sealing key must have {KEY_BYTES} bytes, not {len(key)}")
        derived = HKDF(SHA256(), KEY_BYTES, salt=None, info=b"slipway mcp_endpoint " + purpose.encode()).derive(key)
        self._cipher = AESGCM(derived)

    def seal(self, plain: bytes, bound_to: bytes) -> str:
        """URL-safe base64 without padding, hence visible ASCII."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = nonce + self._cipher.encrypt(nonce, plain, bound_to)
        return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode("ascii")

    def open(self, token: str, bound_to: bytes) -> bytes:
        """Raises BrokenSealError."""
        try:
            sealed = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
            if len(sealed) < _NONCE_BYTES + _TAG_BYTES:
                raise BrokenSealError
            return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], bound_to)
        except (InvalidTag, binascii.Error, ValueError):
            raise BrokenSealError from None
