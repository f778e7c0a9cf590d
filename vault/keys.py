"""Key-encryption keys: they wrap the data key of each secret and are never in the database.

They lie in a file of mode 600 (SLIPWAY_HOME/secrets/vault_keys.json), or in the variable SLIPWAY_VAULT_KEYS, each under
an id that stands beside what it wrapped; the current one wraps what is new. Another place for them, such as a KMS,
implements `KeyProvider`: it is given data keys and gives wrapped ones, so that its keys need never leave it.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import secrets
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Protocol

from django.conf import settings

from common.errors import Conflict
from common.sealing import KEY_BYTES, Box, BrokenSealError

FILE: Final = "vault_keys.json"


class WrongKeyError(Exception):
    """The key isn't there, or this is not what it wrapped."""


class KeyProvider(Protocol):
    """Wraps data keys of 32 bytes. `bound_to` must be the same both times."""

    def current(self) -> str:
        """The id of the key that wraps what is new."""

    def wrap(self, key_id: str, data_key: bytes, bound_to: bytes) -> bytes: ...

    def unwrap(self, key_id: str, wrapped: bytes, bound_to: bytes) -> bytes:
        """Raises WrongKeyError."""

    def add(self) -> str:
        """A new key, which is the current one from now on; its id. Raises Conflict where that is not ours to do."""

    def forget(self, used: frozenset[str]) -> list[str]:
        """Drops all keys but the current one and those in `used`; the ids of those that went."""


class _Keys:
    """Keys at hand: id → 32 bytes."""

    def _all(self) -> tuple[str, Mapping[str, bytes]]:
        """(current id, keys)."""
        raise NotImplementedError

    def _key(self, key_id: str) -> bytes:
        found = self._all()[1].get(key_id)
        if found is None:
            raise WrongKeyError(f"there is no vault key {key_id!r}")
        return found

    def current(self) -> str:
        return self._all()[0]

    def wrap(self, key_id: str, data_key: bytes, bound_to: bytes) -> bytes:
        return Box(self._key(key_id)).seal(data_key, bound_to)

    def unwrap(self, key_id: str, wrapped: bytes, bound_to: bytes) -> bytes:
        try:
            return Box(self._key(key_id)).unseal(wrapped, bound_to)
        except BrokenSealError:
            raise WrongKeyError(f"the vault key {key_id!r} did not wrap this") from None


class FileKeys(_Keys):
    """Read again whenever the file is another one: a rotation counts in every process at once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read: tuple[tuple[int, int, int], str, dict[str, bytes]] | None = None

    def _all(self) -> tuple[str, Mapping[str, bytes]]:
        found = os.stat(self._path)
        stamp = (found.st_ino, found.st_mtime_ns, found.st_size)
        if self._read is None or self._read[0] != stamp:
            document = json.loads(self._path.read_text())
            keys = {key_id: base64.b64decode(value) for key_id, value in document["keys"].items()}
            self._read = (stamp, str(document["current"]), keys)
        return self._read[1], self._read[2]

    def add(self) -> str:
        _, keys = self._all()
        key_id = new_id()
        self._write(key_id, {**keys, key_id: secrets.token_bytes(KEY_BYTES)})
        return key_id

    def forget(self, used: frozenset[str]) -> list[str]:
        current, keys = self._all()
        kept = {key_id: key for key_id, key in keys.items() if key_id == current or key_id in used}
        if len(kept) < len(keys):
            self._write(current, kept)
        return sorted(keys.keys() - kept.keys())

    def _write(self, current: str, keys: Mapping[str, bytes]) -> None:
        """The whole file or the old one: a reader never sees half of it, nor does a crash leave it."""
        descriptor, temporary = tempfile.mkstemp(dir=self._path.parent, prefix=f".{FILE}.")  # mode 600
        with os.fdopen(descriptor, "wb") as file:
            file.write(to_file(current, keys))
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, self._path)
        # The name, too, is on the disk before anything is wrapped with a key of it.
        folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


class FixedKeys(_Keys):
    """From the environment: "id:base64,id:base64", the first is the current one."""

    def __init__(self, text: str) -> None:
        """Raises ValueError."""
        self._keys: dict[str, bytes] = {}
        for part in text.split(","):
            key_id, _, value = part.strip().partition(":")
            try:
                key = base64.b64decode(value, validate=True)
            except binascii.Error:
                key = b""
            if not key_id or key_id in self._keys or len(key) != KEY_BYTES:
                raise ValueError("each key is an id of its own, a colon and 32 bytes in base64")
            self._keys[key_id] = key

    def _all(self) -> tuple[str, Mapping[str, bytes]]:
        return next(iter(self._keys)), self._keys

    def add(self) -> str:
        raise Conflict(
            "vault_keys_fixed",
            "The vault's keys come from SLIPWAY_VAULT_KEYS. Put a new one in front there, restart, and run this with"
            " --only-reencrypt.",
        )

    def forget(self, used: frozenset[str]) -> list[str]:
        return []


def new_id() -> str:
    return f"k{secrets.token_hex(4)}"


def to_file(current: str, keys: Mapping[str, bytes]) -> bytes:
    text = {key_id: base64.b64encode(key).decode() for key_id, key in keys.items()}
    return json.dumps({"current": current, "keys": text}, indent=1).encode()


_known: dict[str, KeyProvider] = {}


def provider() -> KeyProvider:
    """The site's."""
    text = settings.SLIPWAY_VAULT_KEYS
    path = Path(settings.SLIPWAY_SECRETS) / FILE
    key = text or str(path)
    if key not in _known:
        _known.clear()
        _known[key] = FixedKeys(text) if text else FileKeys(path)
    return _known[key]
