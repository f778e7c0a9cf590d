"""The key that signs registry tokens: Ed25519, in the data folder, apart from the one that signs access tokens.

`rotate` puts a new key in its place while the site runs: every process looks at the file's time before it uses the key.
The one before stays good for reading until no token of it can be left, unless it is thrown away at once.
"""

from __future__ import annotations

import os
import tempfile
from functools import lru_cache
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from joserfc.jwk import OKPKey

from common import clock
from registry.proofs.tokens import SECONDS

FILE = "registry_key.pem"
BEFORE = "registry_key.before.pem"


def signing_key() -> OKPKey:
    """The private key with its `kid`."""
    return _read(_folder() / FILE)


def verifying_keys() -> list[OKPKey]:
    """The key, and for five minutes after a rotation the one before."""
    found = [signing_key()]
    before = _folder() / BEFORE
    try:
        if before.stat().st_mtime + SECONDS > clock.now().timestamp():
            found.append(_read(before))
    except FileNotFoundError:
        pass
    return found


def rotate(*, keep_before: bool = True) -> str:
    """Makes a new key and returns its id."""
    folder = _folder()
    if keep_before:
        _put(folder, BEFORE, (folder / FILE).read_bytes())
    else:
        (folder / BEFORE).unlink(missing_ok=True)
    made = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    _put(folder, FILE, made)
    return str(signing_key().kid)


def _folder() -> Path:
    return Path(settings.SLIPWAY_SECRETS)


def _put(folder: Path, name: str, value: bytes) -> None:
    descriptor, temporary = tempfile.mkstemp(dir=folder, prefix=f".{name}.")  # mkstemp makes it 0600
    with os.fdopen(descriptor, "wb") as file:
        file.write(value)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, folder / name)


def _read(path: Path) -> OKPKey:
    found = path.stat()
    return _load(path, found.st_mtime_ns, found.st_ino)


@lru_cache(maxsize=8)
def _load(path: Path, changed: int, inode: int) -> OKPKey:
    text = path.read_text()
    key = OKPKey.import_key(text)
    if key.curve_name != "Ed25519":
        raise ValueError(f"{path} holds a key on {key.curve_name}; registry tokens need Ed25519")
    return OKPKey.import_key(text, {"kid": key.thumbprint()})
