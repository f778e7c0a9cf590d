"""Clients that prove who they are with a key of their own: private_key_jwt (RFC 7523, 2.2 and 3)."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from django.db import IntegrityError, transaction

from oauth.clients.jwt import RejectedError, check_times, payload_of, peek
from oauth.models import Application, UsedAssertion

TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
MAX_SECONDS: Final = 300


def claimed_client(assertion: str) -> str:
    """Whom an assertion says it is from, before anything is verified: for finding the keys. Raises RejectedError."""
    _, body = peek(assertion)
    subject = body.get("sub")
    if not isinstance(subject, str) or body.get("iss") != subject:
        raise RejectedError("iss and sub have to be the client's id")
    return subject


def client_verify(
    assertion: str, client: Application, jwks: Mapping[str, Any], *, audiences: Collection[str], now: float
) -> None:
    """Raises RejectedError."""
    body = payload_of(assertion, jwks)
    if body.get("iss") != client.client_id or body.get("sub") != client.client_id:
        raise RejectedError("iss and sub have to be the client's id")
    said = body.get("aud")
    if (
        said if isinstance(said, str) else said[0] if isinstance(said, list) and len(said) == 1 else ""
    ) not in audiences:
        raise RejectedError("aud has to be this site's issuer")
    expires = check_times(body, now=now, longest=MAX_SECONDS)
    assertion_use(client.client_id, body, expires)


def assertion_use(issuer: str, body: Mapping[str, Any], expires: float) -> None:
    """Each counts once, over all processes: the row decides. Raises RejectedError."""
    jti = body.get("jti")
    if not isinstance(jti, str) or not jti:
        raise RejectedError("jti is missing")
    digest = hashlib.sha256(f"{issuer}\0{jti}".encode("utf-8", "replace")).hexdigest()
    try:
        with transaction.atomic():
            UsedAssertion.objects.create(digest=digest, expires_at=datetime.fromtimestamp(expires + 60, UTC))
    except IntegrityError:
        raise RejectedError("it was used before") from None
