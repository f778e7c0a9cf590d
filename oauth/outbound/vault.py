"""Secrets of accounts elsewhere at rest: AES-256-GCM under a key derived from the site's sealing key (HKDF, RFC 5869).

What a token is bound to is associated data: whose it is, where it goes and who issued it. A row in which one of these
was changed, or that was copied from another one, does not open.
"""

from __future__ import annotations

import base64
import functools
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from common.errors import Conflict

_FORM: Final = b"\x01"  # of this layout: one byte, nonce, ciphertext with tag
_NONCE_BYTES: Final = 12
_PURPOSE: Final = b"slipway accounts elsewhere 1"


def seal(values: Mapping[str, str], *, bound_to: Sequence[str]) -> bytes:
    nonce = os.urandom(_NONCE_BYTES)
    plain = json.dumps(dict(values), separators=(",", ":")).encode()
    return _FORM + nonce + _cipher().encrypt(nonce, plain, _data(bound_to))


def unseal(sealed: bytes | memoryview, *, bound_to: Sequence[str]) -> dict[str, str]:
    """Raises Conflict (connection_sealed): the sealing key is another one now, or the row was tampered with."""
    raw = bytes(sealed)
    try:
        if raw[:1] != _FORM:
            raise InvalidTag
        nonce, ciphertext = raw[1 : 1 + _NONCE_BYTES], raw[1 + _NONCE_BYTES :]
        opened: dict[str, str] = json.loads(_cipher().decrypt(nonce, ciphertext, _data(bound_to)))
    except (InvalidTag, ValueError):
        raise Conflict(
            "connection_sealed",
            "The connected account can't be used any more: the site's sealing key has changed. "
            "Its owner signs in again on the server's page.",
        ) from None
    return opened


def _data(bound_to: Sequence[str]) -> bytes:
    return json.dumps(list(bound_to)).encode()


def _cipher() -> AESGCM:
    return _cipher_for(Path(settings.SLIPWAY_SECRETS))


@functools.lru_cache(maxsize=2)
def _cipher_for(folder: Path) -> AESGCM:
    key = base64.b64decode((folder / "sealing_key").read_text())
    return AESGCM(HKDF(SHA256(), 32, salt=None, info=_PURPOSE).derive(key))
