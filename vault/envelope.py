"""One secret at rest: AES-256-GCM under a data key of its own, which a key-encryption key wraps. Knows no database.

Whose it is, for which deployment, under which name and in which version is associated data of both layers: a row that
was copied to somebody else, renamed, or given the envelope of an earlier version does not open.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import Final

from common.sealing import KEY_BYTES, Box, BrokenSealError
from vault.keys import KeyProvider, WrongKeyError

_FORM: Final = b"\x01"  # of this layout: one byte, nonce, ciphertext with tag


class BrokenError(Exception):
    """It doesn't open: another key, another row's, or altered. Which of these it is, is nobody's business."""


@dataclass(frozen=True)
class Place:
    """Where a secret stands, which is what it is bound to."""

    scope: str  # personal | organization | deployment
    owner_id: str
    deployment_id: str  # "" for all of an organization
    name: str
    version: int

    @property
    def bound(self) -> bytes:
        parts = ["slipway vault 1", self.scope, self.owner_id, self.deployment_id, self.name, self.version]
        return json.dumps(parts, separators=(",", ":")).encode()  # JSON: no two places have the same spelling


@dataclass(frozen=True)
class Envelope:
    key_id: str
    wrapped: bytes
    body: bytes


def seal(keys: KeyProvider, place: Place, value: str) -> Envelope:
    data_key, key_id = os.urandom(KEY_BYTES), keys.current()
    body = _FORM + Box(data_key).seal(value.encode(), place.bound)
    return Envelope(key_id, keys.wrap(key_id, data_key, place.bound), body)


def unseal(keys: KeyProvider, place: Place, envelope: Envelope) -> str:
    """Raises BrokenError."""
    data_key = _data_key(keys, place, envelope)
    if envelope.body[:1] != _FORM:
        raise BrokenError
    try:
        return Box(data_key).unseal(envelope.body[1:], place.bound).decode()
    except BrokenSealError:
        raise BrokenError from None


def rewrap(keys: KeyProvider, place: Place, envelope: Envelope) -> Envelope:
    """The same under the current key. The value itself is not opened. Raises BrokenError."""
    key_id = keys.current()
    wrapped = keys.wrap(key_id, _data_key(keys, place, envelope), place.bound)
    return Envelope(key_id, wrapped, envelope.body)


def _data_key(keys: KeyProvider, place: Place, envelope: Envelope) -> bytes:
    try:
        return keys.unwrap(envelope.key_id, envelope.wrapped, place.bound)
    except WrongKeyError:
        raise BrokenError from None
