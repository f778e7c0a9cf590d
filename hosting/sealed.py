"""Secret settings at rest: AES-256-GCM under a key derived from the site's sealing key (HKDF, RFC 5869).

The deployment's id is associated data, so a value that was copied to another deployment's row does not open there.
Values come out in one place only: when a runner is given what to start.
"""

from __future__ import annotations

import base64
import functools
import json
import os
from collections.abc import Mapping
from pathlib import Path
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from common.errors import Conflict

_FORM = b"\x01"  # of this layout: one byte, nonce, ciphertext with tag
_NONCE_BYTES = 12
_PURPOSE = b"slipway hosting deployment settings 1"


def seal(deployment_id: UUID, values: Mapping[str, str]) -> bytes:
    """b"" for no values."""
    if not values:
        return b""
    nonce = os.urandom(_NONCE_BYTES)
    plain = json.dumps(dict(values), separators=(",", ":")).encode()
    return _FORM + nonce + _cipher().encrypt(nonce, plain, _bound_to(deployment_id))


def unseal(deployment_id: UUID, sealed: bytes | memoryview) -> dict[str, str]:
    """Raises Conflict when it does not open: the sealing key is another one now, or the row was tampered with."""
    raw = bytes(sealed)
    if not raw:
        return {}
    try:
        if raw[:1] != _FORM:
            raise InvalidTag
        nonce, ciphertext = raw[1 : 1 + _NONCE_BYTES], raw[1 + _NONCE_BYTES :]
        opened: dict[str, str] = json.loads(_cipher().decrypt(nonce, ciphertext, _bound_to(deployment_id)))
    except (InvalidTag, ValueError):
        raise Conflict(
            "settings_sealed",
            "The secret settings of this server can't be opened any more: the site's sealing key has changed. "
            "Its owner sets them again on its page, under Settings.",
        ) from None
    return opened


def _bound_to(deployment_id: UUID) -> bytes:
    return f"deployment:{deployment_id}".encode()


def _cipher() -> AESGCM:
    return _cipher_for(Path(settings.SLIPWAY_SECRETS))


@functools.lru_cache(maxsize=2)
def _cipher_for(folder: Path) -> AESGCM:
    key = base64.b64decode((folder / "sealing_key").read_text())
    return AESGCM(HKDF(SHA256(), 32, salt=None, info=_PURPOSE).derive(key))
