"""AES-256-GCM with associated data, and the keys that this site derives from its sealing key (HKDF, RFC 5869).

Each purpose has a key of its own, so that what was sealed for one opens for no other. What a value is bound to (whose
it is, where it goes) is associated data: a value that was copied to another place, or altered, does not open there.
"""

from __future__ import annotations

import base64
import functools
import os
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_FORM: Final = b"\x01"  # of what `seal` gives: one byte, nonce, ciphertext with tag


class BrokenSealError(Exception):
    """Another key, altered, or bound to something else; which of these it is, is nobody's business."""


class Box:
    """Seals and opens under one key of 32 bytes: 12 bytes of nonce, then the ciphertext with its tag of 16."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def seal(self, plain: bytes, bound_to: bytes) -> bytes:
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, plain, bound_to)

    def unseal(self, sealed: bytes, bound_to: bytes) -> bytes:
        """Raises BrokenSealError."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], bound_to)
        except (InvalidTag, ValueError):  # ValueError: too short for a nonce
            raise BrokenSealError from None


def key_for(master: bytes, purpose: bytes, size: int = KEY_BYTES) -> bytes:
    """`size` bytes; `master` has 32. Raises ValueError for another one."""
    if len(master) != KEY_BYTES:
        raise ValueError(f"the sealing key must have {KEY_BYTES} bytes, not {len(master)}")
    return HKDF(SHA256(), size, salt=None, info=purpose).derive(master)


def site_master() -> bytes:
    """The site's sealing key itself, for what derives keys of its own."""
    return _master(Path(settings.SLIPWAY_SECRETS))


def site_key(purpose: bytes, size: int = KEY_BYTES) -> bytes:
    return key_for(site_master(), purpose, size)


def site_box(purpose: bytes) -> Box:
    return _box(Path(settings.SLIPWAY_SECRETS), purpose)


def seal(purpose: bytes, plain: bytes, bound_to: bytes) -> bytes:
    """Under the site's key for that purpose."""
    return _FORM + site_box(purpose).seal(plain, bound_to)


def unseal(purpose: bytes, sealed: bytes | memoryview, bound_to: bytes) -> bytes:
    """Raises BrokenSealError."""
    raw = bytes(sealed)
    if raw[:1] != _FORM:
        raise BrokenSealError
    return site_box(purpose).unseal(raw[1:], bound_to)


@functools.lru_cache(maxsize=2)
def _master(folder: Path) -> bytes:
    return base64.b64decode((folder / "sealing_key").read_text())


@functools.lru_cache(maxsize=16)
def _box(folder: Path, purpose: bytes) -> Box:
    return Box(key_for(_master(folder), purpose))
