"""What the site does by itself for accounts of remote servers.

Tokens are refreshed ahead of time and handed out; those that are refused are given up, those that were ended revoked.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection
from http import HTTPStatus
from uuid import UUID

import structlog
from django.db import transaction

from common import clock
from common.errors import AppError, NotFound
from events.actors import SYSTEM
from events.publish import publish_on_commit
from events.types import DeploymentChanged, WaitingChanged
from hosting import queue
from hosting.configuration.inputs import key_parts
from hosting.credentials.accounts import place_of
from hosting.credentials.personal import brought_for, personal_for
from hosting.models import Deployment
from hosting.remotes.accounts import account_renewed
from hosting.remotes.challenges import challenge_note
from hosting.routing import OWN_ACCOUNT, placement_for
from hosting.runner import control
from hosting.runner.remote.http import SIGN_IN_WORDS
from hosting.runner.seen import SignInAsked
from hosting.selectors import deployments
from hosting.services import deployment_locked
from hosting.states import State
from hosting.stream.links import links
from hosting.stream.stream import DetachedError, RunnerPool, RunnerUnavailableError
from oauth.models import Connection
from oauth.outbound import connections, revoking, using
from oauth.outbound.challenges import Challenge, challenge_of
from oauth.outbound.connections import Own
from oauth.outbound.discovery import MAX_SCOPES, host_of, is_scope
from oauth.outbound.flow import site_peer

log = structlog.get_logger(__name__)

TELL_SECONDS = 4.0
TEND_SECONDS = 45.0  # of one round, besides the request that is on its way then


def accounts_tend() -> None:
    """Refreshes ahead of time, and has runners use the new token at once; revokes what was ended. What it does not come
    to in its time is there in the next round, which another process may have begun."""
    end = time.monotonic() + TEND_SECONDS
    for row in using.connections_due():
        if time.monotonic() > end:
            return
        try:
            _refresh(row)
        except Exception:  # whatever is wrong with one is no other's: the same comes first in the next round
            log.exception("an account could not be tended", subject=str(row.subject_id), issuer=row.issuer)
    for ended in revoking.revocations_due():
        if time.monotonic() > end:
            return
        revoking.revocation_try(site_peer(), ended)


def _refresh(row: Connection) -> None:
    if using.connection_refresh(site_peer(), row):
        _handed_out(row)
    elif row.name:
        _own_account_told(row)
    elif not Connection.objects.filter(pk=row.pk, state=Connection.State.CONNECTED).exists():
        publish_on_commit(DeploymentChanged(str(row.subject_id)))


def account_refused(deployment_id: UUID, asked: SignInAsked) -> None:
    """A runner says what a remote server refused, and says it until there is another token. Repeatable.

    A token that was good and is refused is refreshed once; one that has just come is given up.
    """
    if asked.subject and not asked.serial and (sent := _sent_as_headers(deployment_id)):
        if asked.status == HTTPStatus.UNAUTHORIZED:
            _headers_refused(deployment_id, asked, sent)
        return
    own = Own(UUID(asked.subject), OWN_ACCOUNT) if asked.subject else None
    row = connections.connection_of(deployment_id, own)
    challenge = challenge_of(asked.challenge) or Challenge()
    if row is None:
        if own is None:
            challenge_note(deployment_id, challenge)
        return
    if row.state != Connection.State.CONNECTED:
        return
    if row.serial != asked.serial:
        token_hand_out(deployment_id, row.user_id if own is not None else None)  # it was not reached
        return
    if challenge.wants_more:
        fit = [scope for scope in challenge.scopes or () if is_scope(scope)]
        wanted = [scope for scope in fit if scope not in row.scopes][:MAX_SCOPES]
        is_news = wanted != row.asked_scopes and Connection.objects.filter(pk=row.pk).update(asked_scopes=wanted)
    else:
        is_news = asked.status == HTTPStatus.UNAUTHORIZED and _doubted(row, host_of(row.server_url))
    if is_news and own is not None:
        publish_on_commit(WaitingChanged(asked.subject))
    elif is_news:
        publish_on_commit(DeploymentChanged(str(deployment_id)))


def _sent_as_headers(deployment_id: UUID) -> list[str]:
    """The settings of a remote server that are headers with the token of an account of each user's. A 401 is about
    `Authorization` where that is among them (RFC 9110, 11.6.2), else it may be about any."""
    kept = Deployment.objects.filter(pk=deployment_id).values_list("personal_accounts", flat=True).first() or {}
    found = [key for key in kept if key_parts(key)[0] == "header"]
    return [key for key in found if key.lower() == "header:authorization"] or found


def _headers_refused(deployment_id: UUID, asked: SignInAsked, keys: Collection[str]) -> None:
    """What one user's instance was started with, if that is what the user has still."""
    user_id = UUID(asked.subject)
    rows = [row for key, row in connections.connections_of(deployment_id, user_id).items() if key in keys]
    good = [row for row in rows if row.state == Connection.State.CONNECTED]
    if any(row.expires_at is not None and row.expires_at <= clock.now() for row in good):
        return  # the next call has it renewed
    try:
        if not good or brought_for(deployment_id, user_id).mark != asked.mark:  # read after the rows: they are no newer
            return
        place = place_of(Deployment.objects.select_related("current_version").get(pk=deployment_id))
    except (NotFound, Deployment.DoesNotExist):
        return
    if [row for row in good if _doubted(row, place)]:  # all of them, not the first one only
        publish_on_commit(WaitingChanged(asked.subject))


def _doubted(row: Connection, place: str) -> bool:
    """What is refused with 401. True where its person is needed now."""
    if using.token_doubted(row):
        queue.tend_accounts()
        return False
    return using.given_up(row, f"{place} refuses its token")


def _own_account_told(row: Connection) -> None:
    """Its user, where it needs them again now."""
    if Connection.objects.filter(pk=row.pk, state=Connection.State.AGAIN).exists():
        publish_on_commit(WaitingChanged(str(row.user_id)))


def _handed_out(row: Connection) -> None:
    """A setting's token is learned with the next call, which names another mark; a remote's counts for what runs."""
    if not row.name:
        token_hand_out(row.subject_id)
        _try_again(row.subject_id)
    elif row.name == OWN_ACCOUNT:
        token_hand_out(row.subject_id, row.user_id)


def _try_again(deployment_id: UUID) -> None:
    """What failed for want of a good token."""
    failed = deployments().filter(pk=deployment_id, state=State.FAILED, reason__contains=SIGN_IN_WORDS).first()
    if failed is not None:
        with transaction.atomic():
            account_renewed(deployment_locked(failed), SYSTEM)


def token_hand_out(deployment_id: UUID, user_id: UUID | None = None) -> None:
    """To the runner that holds the deployment: what runs there (of that user) calls with it from then on."""
    try:
        address, placement = placement_for(deployment_id)
        order = control.Place(placement) if user_id is None else personal_for(deployment_id, user_id)
        links.run(lambda pool: _tell(pool, address, order))
    except (AppError, RunnerUnavailableError, DetachedError, TimeoutError) as error:
        log.info("a new token could not be handed out", deployment=str(deployment_id), error=str(error))


async def _tell(pool: RunnerPool, address: str, order: control.Place | control.PlacePersonal) -> None:
    async with asyncio.timeout(TELL_SECONDS):
        await (await pool.link(address)).ask(order)
