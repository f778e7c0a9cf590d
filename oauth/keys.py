"""The key that signs access tokens: P-256, in the data folder. Its id is its RFC 7638 thumbprint."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings
from joserfc.jwk import ECKey

FILE = "signing_key.pem"


def load_signing_key() -> ECKey:
    """The private key with its `kid`. Read once a process; a new key needs a restart."""
    return _load(Path(settings.SLIPWAY_SECRETS) / FILE)


def jwks() -> dict[str, Any]:
    """The public part as a JWK Set (RFC 7517, 5)."""
    key = load_signing_key()
    public = key.as_dict(private=False)
    return {"keys": [{**public, "use": "sig", "alg": "ES256", "kid": key.kid}]}


@lru_cache(maxsize=4)
def _load(path: Path) -> ECKey:
    key = ECKey.import_key(path.read_text())
    if key.curve_name != "P-256":
        raise ValueError(f"{path} holds a key on {key.curve_name}; ES256 needs P-256")
    return ECKey.import_key(path.read_text(), {"kid": key.thumbprint()})
