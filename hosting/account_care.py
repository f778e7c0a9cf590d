"""What the site does by itself for accounts of remote servers.

Tokens are refreshed ahead of time and handed out; those that are refused are given up, those that were ended revoked.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from uuid import UUID

import structlog
from django.db import transaction

from common.errors import AppError
from events.actors import SYSTEM
from events.publish import publish_on_commit
from events.types import DeploymentChanged
from hosting import queue
from hosting.links import links
from hosting.remote_accounts import account_renewed
from hosting.remote_challenges import challenge_note
from hosting.routing import placement_for
from hosting.runner import control
from hosting.runner.placement import Placement
from hosting.runner.remote.http import SIGN_IN_WORDS
from hosting.runner.seen import SignInAsked
from hosting.selectors import deployments
from hosting.services import deployment_locked
from hosting.states import State
from hosting.stream import DetachedError, RunnerPool, RunnerUnavailableError
from oauth.models import Connection
from oauth.outbound import connections, using
from oauth.outbound.challenges import Challenge, challenge_of
from oauth.outbound.discovery import host_of
from oauth.outbound.flow import site_peer

log = structlog.get_logger(__name__)

TELL_SECONDS = 4.0


def accounts_tend() -> None:
    """Refreshes ahead of time, and has runners use the new token at once; revokes what was ended."""
    for row in using.connections_due():
        if row.state == Connection.State.ENDED:
            using.connection_revoke(site_peer(), row)
        elif using.connection_refresh(site_peer(), row):
            _hand_out(row.subject_id)
            _try_again(row.subject_id)
        elif not Connection.objects.filter(pk=row.pk, state=Connection.State.CONNECTED).exists():
            publish_on_commit(DeploymentChanged(str(row.subject_id)))


def account_refused(deployment_id: UUID, asked: SignInAsked) -> None:
    """A runner says what a remote server refused, and says it until there is another token. Repeatable.

    A token that was good and is refused is refreshed once; one that has just come is given up.
    """
    row = connections.connection_of(deployment_id)
    challenge = challenge_of(asked.challenge) or Challenge()
    if row is None:
        challenge_note(deployment_id, challenge)
        return
    if row.serial != asked.serial or row.state != Connection.State.CONNECTED:
        return
    if challenge.wants_more:
        wanted = [scope for scope in challenge.scopes or () if scope not in row.scopes]
        is_news = wanted != row.asked_scopes and Connection.objects.filter(pk=row.pk).update(asked_scopes=wanted)
    elif asked.status == HTTPStatus.UNAUTHORIZED and using.token_doubted(row):
        queue.tend_accounts()
        is_news = False
    else:
        is_news = asked.status == HTTPStatus.UNAUTHORIZED and using.given_up(
            row, f"{host_of(row.server_url)} refuses its token"
        )
    if is_news:
        publish_on_commit(DeploymentChanged(str(deployment_id)))


def _try_again(deployment_id: UUID) -> None:
    """What failed for want of a good token."""
    failed = deployments().filter(pk=deployment_id, state=State.FAILED, reason__contains=SIGN_IN_WORDS).first()
    if failed is not None:
        with transaction.atomic():
            account_renewed(deployment_locked(failed), SYSTEM)


def _hand_out(deployment_id: UUID) -> None:
    """To the runner that holds the deployment: what runs there calls with it from then on."""
    try:
        address, placement = placement_for(deployment_id)
        links.run(lambda pool: _tell(pool, address, placement))
    except (AppError, RunnerUnavailableError, DetachedError, TimeoutError) as error:
        log.info("a new token could not be handed out", deployment=str(deployment_id), error=str(error))


async def _tell(pool: RunnerPool, address: str, placement: Placement) -> None:
    async with asyncio.timeout(TELL_SECONDS):
        await (await pool.link(address)).ask(control.Place(placement))
