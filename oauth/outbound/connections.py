"""Accounts elsewhere: signing in to one. Using and refreshing its token is `using.py`'s, ending it `ending.py`'s.

A state counts once, for ten minutes, in the browser and for the person it was made for, and for one issuer. It is made
after the person agreed here, so that no answer of an earlier visit there can be used (2026-07-28
basic/security_best_practices, "Confused Deputy").
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import msgspec
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext

from accounts.models import User
from common import clock
from common.errors import AppError, Conflict, Unavailable
from common.outbound import OutboundError
from oauth.models import Connection, ConnectionAttempt, Provider, Revocation
from oauth.outbound import requests
from oauth.outbound.discovery import Found, Server, host_of
from oauth.outbound.ending import connections_end, tokens_end
from oauth.outbound.flow import Peer, client_for
from oauth.outbound.identity import Client, callback_key, redirect_uri
from oauth.outbound.providers import provider_client
from oauth.outbound.requests import AnswerRefused, TokenRefused, Tokens
from oauth.outbound.rows import sealed_for, secrets_of, server_of, shared_of
from oauth.outbound.styles import style_of
from oauth.outbound.times import refresh_time

ATTEMPT_SECONDS: Final = 600
FIRST_SERIAL: Final = 2**30


@dataclass(frozen=True)
class Own:
    """Of one user, for one setting of the subject. Without it an account is the subject's, for all who call it."""

    user_id: UUID
    name: str


@dataclass(frozen=True)
class Begun:
    """Where the browser goes now."""

    url: str


def connection_of(subject_id: UUID, own: Own | None = None) -> Connection | None:
    return _rows(subject_id, own).select_related("provider").first()


def connections_of(subject_id: UUID, user_id: UUID) -> dict[str, Connection]:
    """The user's own, by the setting's name."""
    return connections_among([subject_id], user_id).get(subject_id, {})


def connections_among(subject_ids: Collection[UUID], user_id: UUID) -> dict[UUID, dict[str, Connection]]:
    """The same of many subjects."""
    rows = Connection.objects.filter(subject_id__in=subject_ids, user_id=user_id).exclude(name="")
    found: dict[UUID, dict[str, Connection]] = {}
    for row in rows.select_related("provider"):
        found.setdefault(row.subject_id, {})[row.name] = row
    return found


def _rows(subject_id: UUID, own: Own | None) -> QuerySet[Connection]:
    whose: dict[str, Any] = {"name": ""} if own is None else {"user_id": own.user_id, "name": own.name}
    return Connection.objects.filter(subject_id=subject_id, **whose)


def connection_begin(
    peer: Peer,
    *,
    user: User,
    subject_id: UUID,
    server_url: str,
    found: Found,
    browser: str,
    given: Client | None = None,
    name: str = "",
    provider: Provider | None = None,
    page: str = "",
    given_to: Mapping[str, Any] | None = None,
) -> Begun:
    """After the person's consent. `browser` is a secret of the browser's session; `name` the setting that an account of
    the person's own is for. Raises AppError."""
    server = found.server
    known = _client_known(subject_id, Own(user.pk, name) if name else None, server)
    client = client_for(peer, server, given or known)
    state, verifier = secrets.token_urlsafe(32), requests.new_verifier()
    attempt = ConnectionAttempt(
        digest=_digest(state),
        browser=_digest(browser),
        subject_id=subject_id,
        user=user,
        name=name,
        provider=provider,
        page=page,
        given_to=given_to,
        server_url=server_url,
        resource=found.resource,
        issuer=server.issuer,
        server=msgspec.to_builtins(server),
        client_id=client.id,
        client_method=client.method,
        client_source=client.source,
        scopes=list(found.scopes),
        expires_at=clock.now() + timedelta(seconds=ATTEMPT_SECONDS),
    )
    attempt.sealed = sealed_for(attempt, {"verifier": verifier, "secret": client.secret})
    attempt.save(force_insert=True)
    return Begun(
        requests.authorize_url(
            server.authorize_url,
            client_id=client.id,
            redirect_uri=redirect_uri(server),
            scopes=found.scopes,
            state=state,
            verifier=verifier,
            resource=found.resource,
            style=style_of(server),
        )
    )


def attempt_take(said: Mapping[str, Sequence[str]], *, key: str, user: User, browser: str) -> ConnectionAttempt:
    """The attempt that an answer belongs to, which no other answer can have from now on. Raises AnswerRefused.

    `key` is the part of our callback's address that stands for an issuer.
    """
    states = said.get("state", ())
    now = clock.now()
    mine = ConnectionAttempt.objects.filter(
        digest=_digest(states[0]) if len(states) == 1 else "", user=user, browser=_digest(browser), expires_at__gt=now
    )
    attempt = mine.first() if browser else None
    if attempt is None or not mine.filter(pk=attempt.pk).delete()[0]:
        raise AnswerRefused(
            "state_unknown",
            gettext(
                "This answer belongs to no sign-in that was begun in this browser within the last ten minutes, "
                "or it was used already. Nothing was sent. Start again."
            ),
        )
    if callback_key(server_of(attempt)) != key:
        raise AnswerRefused("answer_refused", gettext("The answer came to the address of another site. Start again."))
    return attempt


def connection_finish(peer: Peer, attempt: ConnectionAttempt, said: Mapping[str, Sequence[str]]) -> Connection:
    """Redeems the code and keeps the account, in the place of an earlier one. Raises AppError."""
    server = server_of(attempt)
    code = requests.code_of(said, issuer=server.issuer, names_itself=server.names_itself)
    kept = secrets_of(attempt)
    client = Client(attempt.client_id, attempt.client_method, attempt.client_source, kept["secret"])
    try:
        tokens = peer.redeem(server, client, code, verifier=kept["verifier"], resource=attempt.resource)
    except TokenRefused as refused:
        words = refused.words or refused.error
        raise AnswerRefused(
            "code_refused",
            gettext("%(host)s gave no token: %(words)s. Nothing was connected.")
            % {"host": host_of(server.issuer), "words": words},
        ) from None
    except OutboundError as error:
        raise Unavailable(
            "sign_in_failed", gettext("Nothing was connected: %(problem)s Try again.") % {"problem": error.message}
        ) from error
    return _kept(attempt, client, tokens)


def connection_end(subject_id: UUID, own: Own | None = None) -> Connection | None:
    """It is used no more from now on; what it was."""
    row = connection_of(subject_id, own)
    return row if row is not None and connections_end(Connection.objects.filter(pk=row.pk)) else None


def _kept(attempt: ConnectionAttempt, client: Client, tokens: Tokens) -> Connection:
    """Raises Conflict. What can't be kept is ended: it is good there."""
    now = clock.now()
    granted = tokens.scopes if tokens.scopes is not None else tuple(attempt.scopes)
    row = Connection(
        **shared_of(attempt),
        given_to=attempt.given_to,
        resource=attempt.resource,
        scopes=list(granted),
        requested_scopes=list(attempt.scopes),
        expires_at=now + timedelta(seconds=tokens.expires_in) if tokens.expires_in is not None else None,
        refresh_at=refresh_time(now, tokens) if tokens.refresh else None,
        connected_at=now,
    )
    row.sealed = sealed_for(row, {"secret": client.secret, "access": tokens.access, "refresh": tokens.refresh})
    try:
        with transaction.atomic():
            _put(row, Own(attempt.user_id, attempt.name) if attempt.name else None)
    except IntegrityError:  # of two answers at once this is the later one; or its person's account was deleted
        tokens_end(row, row.sealed)
        raise Conflict("connected_twice", gettext("Somebody else has just signed in there for this server.")) from None
    return row


def _put(row: Connection, own: Own | None) -> None:
    """In the place of an earlier one."""
    before = connection_of(row.subject_id, own)
    # Anywhere: what is said late of a token of an account that was ended must not be taken for this one.
    row.serial = before.serial + 1 if before is not None else 1 + secrets.randbelow(FIRST_SERIAL)
    if not style_of(server_of(row)).is_token_only:
        # Revoking an old token there may end the grant, and the new one with it.
        _rows(row.subject_id, own).filter(issuer=row.issuer).delete()
    connection_end(row.subject_id, own)
    row.save(force_insert=True)


def _client_known(subject_id: UUID, own: Own | None, server: Server) -> Client | None:
    """Who we are there already: credentials belong to one issuer (SEP-2352). A document is chosen anew each time."""
    row = connection_of(subject_id, own)
    if row is None or row.issuer != server.issuer or row.client_source == Connection.Source.DOCUMENT:
        return None
    try:
        return client_of(row, secrets_of(row))
    except AppError:
        return None


def client_of(row: Connection | Revocation, kept: Mapping[str, str]) -> Client:
    """A provider's client may have another secret meanwhile; what was connected with another id, or at another address,
    keeps its own: a secret goes only where it was typed in for."""
    provider, here = row.provider, (row.client_id, row.server["token_url"])
    if provider is not None and (provider.client_id, provider.server["token_url"]) == here:
        return provider_client(provider)
    return Client(row.client_id, row.client_method, row.client_source, kept["secret"])


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
