"""Telling the other site that tokens of an account that was ended are to be good no more (RFC 7009).

Each try is taken by one conditional UPDATE that says when the next one is due, so that of several processes one makes
it, and one that dies with it leaves the next. Whatever comes of the last try, what was sealed goes with the row.
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Final

import structlog
from django.db import transaction
from django.db.models import F

from common import clock
from common.errors import AppError
from events.actors import SYSTEM
from events.audit import record
from oauth.models import Connection, Revocation
from oauth.outbound.connections import client_of
from oauth.outbound.flow import Peer, Revoked
from oauth.outbound.rows import secrets_of, server_of
from oauth.outbound.styles import style_of
from oauth.outbound.times import pause

log = structlog.get_logger(__name__)

MAX_TRIES: Final = 50  # with their pauses, nearly a day
LEASE: Final = timedelta(seconds=60)  # longer than both requests of one try may take
MAX_AT_ONCE: Final = 200


class Outcome(StrEnum):
    """As the audit log says it."""

    REVOKED = "revoked"
    REFUSED = "refused there"
    IMPOSSIBLE = "impossible there"  # no address for it, or nothing to do it with
    UNREACHABLE = "given up"
    SHARED = "kept for another server"  # the site there has one grant for all of them


_OUTCOMES: Final = {
    Revoked.DONE: Outcome.REVOKED,
    Revoked.REFUSED: Outcome.REFUSED,
    Revoked.IMPOSSIBLE: Outcome.IMPOSSIBLE,
    Revoked.AWAY: Outcome.UNREACHABLE,
}


def revocations_due() -> list[Revocation]:
    """The longest waiting first."""
    due = Revocation.objects.filter(due_at__lte=clock.now())
    return list(due.select_related("provider").order_by("due_at")[:MAX_AT_ONCE])


def revocation_try(peer: Peer, row: Revocation) -> None:
    """Does nothing where another process is at it."""
    now = clock.now()
    mine = Revocation.objects.filter(pk=row.pk, tries=row.tries, due_at__lte=now)
    if not mine.update(tries=F("tries") + 1, due_at=now + max(LEASE, pause(row.tries + 1))):
        return
    tries = row.tries + 1
    try:
        outcome = _tried(peer, row)
    except Exception:  # whatever is wrong with one is no other's, and it counts as a try
        log.exception("a token could not be revoked elsewhere", subject=str(row.subject_id), issuer=row.issuer)
        outcome = Outcome.UNREACHABLE
    if outcome is Outcome.UNREACHABLE and tries < MAX_TRIES:
        return
    if outcome is not Outcome.REVOKED:
        log.info("a token was not revoked elsewhere", subject=str(row.subject_id), issuer=row.issuer, outcome=outcome)
    with transaction.atomic():
        if Revocation.objects.filter(pk=row.pk).delete()[0]:
            said = {"name": row.name, "issuer": row.issuer, "user": str(row.user_id)}
            record(SYSTEM, "account:revoke", "deployment", row.subject_id, outcome=outcome, tries=tries, **said)


def _tried(peer: Peer, row: Revocation) -> Outcome:
    server = server_of(row)
    style = style_of(server)
    if style.is_grant_shared and _is_grant_in_use(row):
        return Outcome.SHARED
    try:
        kept = secrets_of(row)
        client = client_of(row, kept)
    except AppError:  # nobody can open it
        return Outcome.IMPOSSIBLE
    said = Revoked.IMPOSSIBLE
    if kept["refresh"] and not style.is_token_only:
        said = peer.revoke(server, client, kept["refresh"], "refresh_token")
    if said in (Revoked.IMPOSSIBLE, Revoked.REFUSED):
        said = peer.revoke(server, client, kept["access"], "access_token")
    return _OUTCOMES[said]


def _is_grant_in_use(row: Revocation) -> bool:
    return Connection.objects.filter(user_id=row.user_id, issuer=row.issuer, client_id=row.client_id).exists()
