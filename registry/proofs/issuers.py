"""The keys of OpenID Connect issuers: found by discovery, fetched through the guarded door, kept for an hour.

Only issuers that somebody configured are ever asked (OpenID Connect Discovery 1.0, 4).
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

import msgspec

from common.outbound import Answer, Door, OutboundError
from registry.proofs import id_tokens
from registry.proofs.errors import ProofUnavailable
from registry.proofs.id_tokens import Key, KeyUnknown

KEPT_SECONDS = 3600.0
LEAST_SECONDS = 30.0  # between two fetches, however many tokens name keys that are not there
MAX_BYTES = 512 * 1024


class _Discovery(msgspec.Struct):
    issuer: str
    jwks_uri: str


@dataclass(frozen=True)
class _Kept:
    keys: list[Key]
    at: float  # monotonic


_kept: dict[str, _Kept] = {}
_lock = threading.Lock()


def verify(token: str, *, issuer: str, audiences: list[str], now: float, door: Door) -> id_tokens.Claims:
    """Blocks where keys have to be fetched. Raises ProofRefused."""
    kept = _keys(issuer, KEPT_SECONDS, door)
    try:
        return id_tokens.verify(token, keys=kept.keys, issuer=issuer, audiences=audiences, now=now)
    except KeyUnknown:
        anew = _keys(issuer, LEAST_SECONDS, door)
        if anew is kept:
            raise
        return id_tokens.verify(token, keys=anew.keys, issuer=issuer, audiences=audiences, now=now)


def forget() -> None:
    """All keys, as after a restart."""
    _kept.clear()


def _keys(issuer: str, max_age: float, door: Door) -> _Kept:
    """Keys not older than that; one fetch at a time, and others wait for it."""
    with _lock:
        kept = _kept.get(issuer)
        if kept is None or time.monotonic() - kept.at > max_age:
            kept = _kept[issuer] = _Kept(_fetched(issuer, door), time.monotonic())
        return kept


def _fetched(issuer: str, door: Door) -> list[Key]:
    try:
        found = _get(f"{issuer.rstrip('/')}/.well-known/openid-configuration", door).json(_Discovery)
        if found.issuer != issuer:
            raise ProofUnavailable(f"The issuer {issuer} calls itself {found.issuer}. Configure it by that name.")
        document = _get(found.jwks_uri, door).json(dict)
    except OutboundError as error:
        raise ProofUnavailable(f"The keys of {issuer} could not be fetched. {error.message}") from error
    return id_tokens.keys(document)


def _get(url: str, door: Door) -> Answer:
    answer = door.fetch_blocking(url, headers={"Accept": "application/json"}, max_bytes=MAX_BYTES, redirects=0)
    if answer.status != 200:
        raise ProofUnavailable(f"{url} answered with status {answer.status}.")
    return answer
