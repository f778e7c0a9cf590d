"""The token of an account elsewhere: given out, refreshed by one process at a time, and given up when it is refused.

Nothing holds a transaction while it waits for the network: who refreshes takes a lease in one conditional UPDATE, and
writes the result only if the token is still the one that it began with.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final
from uuid import UUID

import structlog
from django.db.models import F, Q

from common import clock
from common.errors import AppError
from common.outbound import OutboundError
from oauth.models import Connection
from oauth.outbound.connections import Own, client_of, connection_of
from oauth.outbound.discovery import host_of
from oauth.outbound.ending import tokens_end
from oauth.outbound.flow import Peer
from oauth.outbound.requests import TokenRefused
from oauth.outbound.rows import sealed_for, secrets_of, server_of
from oauth.outbound.times import pause, refresh_time

log = structlog.get_logger(__name__)

LEASE: Final = timedelta(seconds=30)  # longer than a request to a token endpoint may take
WAIT_SECONDS: Final = 12.0
YOUNG: Final = timedelta(seconds=30)  # a token of this age was never good
MAX_AT_ONCE: Final = 200
_WAIT_STEP: Final = 0.1
# RFC 6749, 5.2: what no repetition heals
_FINAL: Final = frozenset(
    ["invalid_grant", "invalid_client", "unauthorized_client", "unsupported_grant_type", "invalid_target"]
)
State = Connection.State


@dataclass(frozen=True)
class Bearer:
    """`serial` says which of the account's tokens it is."""

    token: str = field(repr=False)
    serial: int


def bearer_for(peer: Peer, subject_id: UUID, url: str, own: Own | None = None) -> Bearer | None:
    """What may be sent to exactly this URL. None: there is no account for it, or it needs signing in again."""
    row = connection_of(subject_id, own)
    if row is None or row.server_url != url:
        return None
    return bearer_of(peer, row)


def connection_current(peer: Peer, row: Connection) -> Connection | None:
    """The account with a token that lasts. None: it needs signing in again.

    Refreshes a token that has expired; one that could not be refreshed is given out as it is, and refused there.
    """
    if row.state != State.CONNECTED:
        return None
    if row.expires_at is None or row.expires_at > clock.now():
        return row
    if row.refresh_at is None:
        given_up(row, "its token has expired, and it can't be refreshed")
        return None
    if row.failures and row.refresh_at > clock.now():
        return row  # a site that is away is not waited for by each call
    connection_refresh(peer, row)
    found = _waited_for(row)
    return found if found is not None and found.state == State.CONNECTED else None


def bearer_of(peer: Peer, connection: Connection) -> Bearer | None:
    """Its token. None: it needs signing in again."""
    row = connection_current(peer, connection)
    if row is None:
        return None
    try:
        return Bearer(secrets_of(row)["access"], row.serial)
    except AppError as error:
        given_up(row, error.message)
        return None


def connection_refresh(peer: Peer, row: Connection) -> bool:
    """True when there is a new token. At most one process at a time gets as far as asking for it."""
    now = clock.now()
    free = Q(refreshing_until=None) | Q(refreshing_until__lt=now)
    mine = Connection.objects.filter(free, pk=row.pk, serial=row.serial, state=State.CONNECTED)
    if not mine.exclude(refresh_at=None).update(refreshing_until=now + LEASE):
        return False
    try:
        kept = secrets_of(row)
        client, server = client_of(row, kept), server_of(row)
        tokens = peer.refresh(server, client, kept["refresh"], resource=row.resource)
    except TokenRefused as refused:
        if refused.error in _FINAL:
            given_up(row, f"{host_of(row.issuer)} does not renew it any more ({refused.error})")
        else:
            _failed(row, refused.words or refused.error)
        return False
    except OutboundError as error:
        _failed(row, error.message)
        return False
    except AppError as error:
        given_up(row, error.message)
        return False
    now = clock.now()
    expires_at = now + timedelta(seconds=tokens.expires_in) if tokens.expires_in is not None else None
    values = {**kept, "access": tokens.access, "refresh": tokens.refresh or kept["refresh"]}
    sealed = sealed_for(row, values)
    written = Connection.objects.filter(pk=row.pk, serial=row.serial).update(
        sealed=sealed,
        serial=F("serial") + 1,
        expires_at=expires_at,
        refresh_at=refresh_time(now, tokens),
        refreshed_at=now,
        refreshing_until=None,
        failures=0,
        **({"scopes": list(tokens.scopes)} if tokens.scopes is not None else {}),
    )
    if not written and not _is_kept(row):  # it was ended meanwhile, with a token that is none any more
        tokens_end(row, sealed)
    return bool(written)


def _is_kept(row: Connection) -> bool:
    """Or another one of its issuer in its place: revoking a token of the old one may end that."""
    same = Connection.objects.filter(subject_id=row.subject_id, user_id=row.user_id, name=row.name, issuer=row.issuer)
    return same.exists()


def connections_due() -> list[Connection]:
    """What has to be refreshed now, the longest waiting first."""
    due = Connection.objects.filter(state=State.CONNECTED, refresh_at__lte=clock.now())
    return list(due.select_related("provider").order_by("refresh_at")[:MAX_AT_ONCE])


def token_doubted(row: Connection) -> bool:
    """The server refused a token before its time: it is refreshed with the next round. False when that can't help."""
    if row.refresh_at is None:
        return False
    if row.failures or row.refresh_at <= clock.now():
        return True  # it is being tried
    if (row.refreshed_at or row.connected_at) > clock.now() - YOUNG:
        return False
    mine = Connection.objects.filter(pk=row.pk, serial=row.serial, state=State.CONNECTED)
    return bool(mine.exclude(refresh_at=None).update(refresh_at=clock.now()))


def given_up(row: Connection, reason: str) -> bool:
    """It needs its person again. False when it has another token meanwhile, or none."""
    mine = Connection.objects.filter(pk=row.pk, serial=row.serial, state=State.CONNECTED)
    done = bool(mine.update(state=State.AGAIN, reason=reason, refreshing_until=None, refresh_at=None))
    if done:
        log.info("an account elsewhere needs signing in again", subject=str(row.subject_id), issuer=row.issuer)
    return done


def _failed(row: Connection, reason: str) -> None:
    """Nobody there, or no answer that says anything: later again."""
    log.info("a token could not be refreshed", subject=str(row.subject_id), issuer=row.issuer, reason=reason)
    again_at = clock.now() + pause(row.failures + 1)
    Connection.objects.filter(pk=row.pk, serial=row.serial).update(
        failures=F("failures") + 1, refresh_at=again_at, refreshing_until=None
    )


def _waited_for(row: Connection) -> Connection | None:
    """The row when nobody is refreshing it any more. Another process may be."""
    end = time.monotonic() + WAIT_SECONDS
    while True:
        found = Connection.objects.filter(pk=row.pk).select_related("provider").first()
        if found is None or found.serial != row.serial or time.monotonic() > end:
            return found
        if found.refreshing_until is None or found.refreshing_until < clock.now():
            return found
        time.sleep(_WAIT_STEP)
