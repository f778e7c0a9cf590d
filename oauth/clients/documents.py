"""Clients whose id is the URL of a document about them (SEP-991, draft-ietf-oauth-client-id-metadata-document).

Documents are fetched for the consent page, after its person has signed in, and nowhere else: what comes to the token
endpoint is either known or refused. Failures are remembered as a flag for a minute, never as a document.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

import structlog
from django.core.cache import cache
from django.db import transaction
from django.utils.translation import get_language, gettext

from common import clock, limits
from common.errors import AppError, BadInput
from common.outbound import Answer
from events.actors import SYSTEM
from oauth.clients.metadata import KEY, NONE, ClientMetadata, parse
from oauth.clients.services import Source, client_save
from oauth.consents import consents_revoke_of_client
from oauth.models import Application, ClientProfile
from oauth.refusals import Refusal
from oauth.remote_keys import json_get, keys_newer

log = structlog.get_logger(__name__)

PREFIX: Final = "https://"
MAX_ID: Final = 200  # characters; records of calls keep a client's id whole
MAX_BYTES: Final = 16 * 1024
FRESH_LEAST, FRESH_MOST = timedelta(minutes=5), timedelta(hours=24)
BACK_OFF_SECONDS: Final = 60
_MAX_AGE = re.compile(r"max-age\s*=\s*\"?(\d{1,9})", re.IGNORECASE)


class DocumentRefused(AppError):
    """There is no usable document at the client's id. The text is for the person on the consent page."""

    status = 400


def is_document_id(client_id: str) -> bool:
    return client_id[: len(PREFIX)].lower() == PREFIX


def id_refusal(client_id: str) -> str:
    """Why this URL can be no client's id (section 3 of the draft), in a few words; nothing when it can."""
    try:
        parts = urlsplit(client_id)
        port = parts.port
    except ValueError:
        return gettext("it is no URL")
    if len(client_id) > MAX_ID:
        return gettext("it has more than %(most)d characters") % {"most": MAX_ID}
    if not client_id.startswith(PREFIX) or not client_id.isascii() or not client_id.isprintable() or " " in client_id:
        return gettext("it has to be an https URL")
    if not parts.hostname or parts.netloc != parts.netloc.lower() or port == 0:
        return gettext("it names no host")
    if "@" in parts.netloc or "#" in client_id or "?" in client_id:
        return gettext("it has a user name, a query or a fragment")
    if parts.path in ("", "/") or {".", ".."} & set(parts.path.split("/")):
        return gettext("it has no path, or one with dots")
    return ""


def client_ensure(client_id: str, *, user_id: UUID) -> None:
    """Fetches what is not known or not fresh. A known client stays as it is while its document can't be had.

    Raises DocumentRefused for an unknown one, TooMany beyond the limits.
    """
    if not is_document_id(client_id):
        return
    if reason := id_refusal(client_id):
        words = gettext("This is no id that a program can have: %(reason)s.") % {"reason": reason}
        raise DocumentRefused("client_id_refused", words)
    known: Application | None = Application.objects.filter(client_id=client_id).first()
    if known is not None and (known.profile.blocked_at or _is_fresh(known.profile)):
        return
    # One for each language, since it is words: there are few, and the limits below count for all of them.
    failure_key = f"oauth:document:{get_language()}:{hashlib.sha256(client_id.encode()).hexdigest()}"
    if (failure := cache.get(failure_key)) is not None:
        if known is None:
            raise DocumentRefused("document_refused", failure)
        return
    limits.count("documents-of-user", str(user_id), limit=20, seconds=60)
    limits.count("documents-of-host", urlsplit(client_id).netloc, limit=30, seconds=60)
    limits.count("documents", "", limit=300, seconds=60)
    try:
        said, answer = _fetched(client_id)
    except AppError as error:
        said_of_it = error.for_people if isinstance(error, Refusal) else error.message
        words = gettext("The program's description at %(address)s can't be used. %(reason)s") % {
            "address": client_id,
            "reason": said_of_it,
        }
        log.info("a client's document was refused", client_id=client_id, reason=error.message)
        cache.set(failure_key, words, BACK_OFF_SECONDS)
        if known is None:
            raise DocumentRefused("document_refused", words) from error
        return
    _keep(client_id, said, known, clock.now() + _freshness(answer.headers))


def client_keys(client: Application, assertion: str) -> Mapping[str, Any]:
    """The client's public keys, for one of its assertions."""
    profile = client.profile
    known: Mapping[str, Any] = profile.jwks or {}
    if not profile.jwks_uri:
        return known
    owner = f"client:{profile.pk}"
    found = keys_newer(assertion, url=profile.jwks_uri, known=known, fetched_at=profile.jwks_fetched_at, owner=owner)
    if found is None:
        return known
    ClientProfile.objects.filter(pk=profile.pk).update(jwks=found, jwks_fetched_at=clock.now())
    return found


def _fetched(client_id: str) -> tuple[ClientMetadata, Answer]:
    answer = json_get(client_id, MAX_BYTES)
    said = answer.json(dict)
    if said.get("client_id") != client_id:
        raise BadInput("client_id_differs", gettext("Its client_id is another one."))
    if "client_secret" in said or "client_secret_expires_at" in said:
        raise BadInput("client_secret_public", gettext("It holds a client_secret, which is no secret there."))
    found = parse(said, (NONE, KEY), NONE)
    if not found.name:
        raise BadInput("client_name_missing", gettext("It has no client_name."))
    return found, answer


def _keep(client_id: str, said: ClientMetadata, known: Application | None, expires_at: Any) -> None:
    """A change of where answers go, or of keys, ends what people allowed before."""
    with transaction.atomic():
        found: Application | None = (
            Application.objects.select_for_update(of=("self",)).filter(client_id=client_id).first()
        )
        if found is not None and found.registration_source != Source.CIMD:
            return  # somebody of this site set it up
        if found is not None and found.profile.digest != said.digest:
            consents_revoke_of_client(actor=SYSTEM, application=found)
        client_save(said, source=Source.CIMD, client_id=client_id, application=found, expires_at=expires_at)


def _is_fresh(profile: ClientProfile) -> bool:
    return profile.expires_at is None or profile.expires_at > clock.now()


def _freshness(headers: Mapping[str, str]) -> timedelta:
    """RFC 9111, within our own bounds."""
    control = headers.get("cache-control", "").lower()
    if "no-store" in control or "no-cache" in control:
        return FRESH_LEAST
    stated = _MAX_AGE.search(control)
    return max(FRESH_LEAST, min(timedelta(seconds=int(stated[1])), FRESH_MOST)) if stated else FRESH_MOST
