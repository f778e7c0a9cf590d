"""Dynamic registration (RFC 7591): the fallback for clients that have no document. Open to everybody, so what comes of
it can do little: it may ask people, on a page that says that nobody vouches for it, and is forgotten when unused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import transaction

from common import limits
from common.errors import NotFound
from oauth.clients.metadata import BASIC, NONE, POST, parse
from oauth.clients.services import Source, client_save

PER_ADDRESS = 30  # in ten minutes
PER_SITE = 2000  # in an hour
WINDOW_SECONDS, HOUR_SECONDS = 600, 3600


def client_register(said: Mapping[str, Any], *, address: str) -> dict[str, Any]:
    """The answer of section 3.2.1: what was registered, which may be less than what was sent.

    Raises BadInput with the codes of section 3.2.2, TooMany, or NotFound where registration is closed.
    """
    if settings.SLIPWAY_CLIENT_REGISTRATION != "open":
        raise NotFound("registration_closed", "This site takes no registrations. Use a client id metadata document.")
    limits.count("register", address, limit=PER_ADDRESS, seconds=WINDOW_SECONDS)
    limits.count("register", "", limit=PER_SITE, seconds=HOUR_SECONDS)
    found = parse(said, (NONE, BASIC, POST), BASIC)
    with transaction.atomic():
        application, secret = client_save(found, source=Source.DCR)
    answer: dict[str, Any] = {
        "client_id": application.client_id,
        "client_id_issued_at": int(application.created.timestamp()),
        "client_name": found.name,
        "redirect_uris": list(found.redirect_uris),
        "grant_types": list(found.grants),
        "response_types": ["code"],
        "token_endpoint_auth_method": found.method,
    }
    if secret:
        answer |= {"client_secret": secret, "client_secret_expires_at": 0}
    return answer
