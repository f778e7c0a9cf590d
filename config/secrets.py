"""The site's own secrets, made on first use in SLIPWAY_HOME/secrets: folder 0700, files 0600, never in the repository.

`secret_key` (text) signs sessions and forms, `signing_key.pem` (P-256, PKCS 8) signs access tokens, `registry_key.pem`
(Ed25519, PKCS 8) signs the registry's tokens, `sealing_key` (32 random bytes in base64) seals request states and
settings of deployments, `vault_keys.json` (keys by id, vault.keys) wraps people's credentials. A file that others can
read is refused, not repaired: whoever could read it may have done so.
"""

from __future__ import annotations

import base64
import os
import secrets
import tempfile
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured


def _secret_key() -> bytes:
    return secrets.token_urlsafe(64).encode()


def _signing_key() -> bytes:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _registry_key() -> bytes:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ed25519

    return ed25519.Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _sealing_key() -> bytes:
    return base64.b64encode(secrets.token_bytes(32))


def _vault_keys() -> bytes:
    from common.sealing import KEY_BYTES
    from vault.keys import new_id, to_file

    key_id = new_id()
    return to_file(key_id, {key_id: secrets.token_bytes(KEY_BYTES)})


_MAKERS = {
    "secret_key": _secret_key,
    "signing_key.pem": _signing_key,
    "registry_key.pem": _registry_key,
    "sealing_key": _sealing_key,
    "vault_keys.json": _vault_keys,
}


def secrets_ensure(folder: Path) -> None:
    """Make what is missing. Safe when several processes do it at once: the first one's file stays."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _refuse_readable(folder, 0o700)
    for name, make in _MAKERS.items():
        if not (folder / name).exists():
            _publish(folder, name, make())
        _refuse_readable(folder / name, 0o600)


def secret_read(folder: Path, name: str) -> str:
    return (folder / name).read_text().strip()


def _publish(folder: Path, name: str, value: bytes) -> None:
    descriptor, temporary = tempfile.mkstemp(dir=folder, prefix=f".{name}.")  # mkstemp makes it 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(value)
            file.flush()
            os.fsync(file.fileno())
        os.link(temporary, folder / name)  # a link, unlike a rename, never replaces another process's file
    except FileExistsError:
        pass
    finally:
        os.unlink(temporary)


def _refuse_readable(path: Path, mode: int) -> None:
    found = path.stat()
    if found.st_mode & 0o077 or found.st_uid != os.geteuid():
        raise ImproperlyConfigured(
            f"{path} must belong to the user that runs Slipway and be closed to others (chmod {mode:o} {path}). "
            "If others could read it, delete it, so that a new one is made; this ends all sessions and tokens."
        )
