"""The keys that sign access tokens, P-256 each, their ids RFC 7638 thumbprints; and their public parts.

A key is published, signs, and stays known until what it signed has expired. The first is a file of the data folder;
rotation (`oauth.rotation`) puts the others into the database, sealed. Verifying asks no database: each process keeps
the public parts it last read, and the endpoint reads them anew with the revocations, twice a second.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.db import connection
from joserfc.jwk import ECKey

from common.errors import Conflict
from common.sealing import BrokenSealError, site_box
from oauth.models import SigningKey

FILE: Final = "signing_key.pem"
_PURPOSE: Final = b"slipway signing keys 1"
_State = SigningKey.State

_known: dict[str, ECKey] = {}  # by kid, as last read


def load_signing_key() -> ECKey:
    """The private key with its `kid`, of the data folder: the one that signs until the first rotation."""
    return _load(Path(settings.SLIPWAY_SECRETS) / FILE)


def signing_key() -> ECKey:
    """The one that signs now. Reads the database."""
    row = SigningKey.objects.filter(state=_State.ACTIVE).first()
    return load_signing_key() if row is None else _opened(row.kid, bytes(row.sealed))


def known_keys() -> dict[str, ECKey]:
    """By id: whose signatures are good, as of the last `keys_refresh`."""
    if not _known:
        first = load_signing_key()
        _known[str(first.kid)] = first
    return _known


def keys_refresh() -> None:
    """Takes in what other processes have rotated. Reads the database."""
    global _known
    with connection.cursor() as cursor:  # twice a second: a QuerySet costs ten times as much
        cursor.execute("SELECT kid, public::text, state FROM oauth_signingkey")
        rows = cursor.fetchall()
    found = {kid: _public(kid, public) for kid, public, _ in rows}
    if all(state == _State.NEXT for *_, state in rows):
        first = load_signing_key()
        found[str(first.kid)] = first  # never rotated: the file's key has no row yet
    if found.keys() != _known.keys():
        _known = found


def jwks() -> dict[str, Any]:
    """The public parts as a JWK Set (RFC 7517, 5). Reads the database."""
    rows = list(SigningKey.objects.order_by("created_at"))
    keys = [row.public for row in rows]
    if all(row.state == _State.NEXT for row in rows):
        keys.append(public_part(load_signing_key()))
    return {"keys": keys}


def public_part(key: ECKey) -> dict[str, Any]:
    return {**key.as_dict(private=False), "use": "sig", "alg": "ES256", "kid": str(key.kid)}


def sealed(key: ECKey) -> bytes:
    return site_box(_PURPOSE).seal(key.as_pem(private=True), str(key.kid).encode())


def new_key() -> ECKey:
    key = ECKey.generate_key("P-256")
    return ECKey.import_key(key.as_pem(private=True), {"kid": key.thumbprint()})


@lru_cache(maxsize=4)
def _opened(kid: str, raw: bytes) -> ECKey:
    try:
        pem = site_box(_PURPOSE).unseal(raw, kid.encode())
    except BrokenSealError:
        raise Conflict(
            "signing_key_sealed",
            "The signing key can't be opened: the site's sealing key has changed. "
            "Make a new one with ./manage.py rotate_signing_key --now",
        ) from None
    return ECKey.import_key(pem, {"kid": kid})


def _public(kid: str, public: str) -> ECKey:
    return _known.get(kid) or ECKey.import_key(json.loads(public))


@lru_cache(maxsize=4)
def _load(path: Path) -> ECKey:
    key = ECKey.import_key(path.read_text())
    if key.curve_name != "P-256":
        raise ValueError(f"{path} holds a key on {key.curve_name}; ES256 needs P-256")
    return ECKey.import_key(path.read_text(), {"kid": key.thumbprint()})
