"""The account with which a remote server is called: its owner signs in there once, for the deployment.

What can be used for whom is kept by `oauth.outbound`; here is what it means for a deployment. A token goes to the very
address that its owner agreed to, and to no other that the deployment may get later.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import UUID

import msgspec
from django.db import transaction
from django.utils.translation import gettext

from accounts.models import User
from common import clock, limits
from common.content_policy import source_of
from common.errors import BadInput, Conflict, NotFound
from events.actors import Actor
from events.audit import record
from events.publish import publish_on_commit
from events.types import DeploymentChanged
from hosting import queue
from hosting.access.anonymous import anonymous_end_for_secrets
from hosting.access.permissions import check_may_manage, unknown
from hosting.configuration import inputs
from hosting.configuration.given import declared_of, settings_of
from hosting.fleet.placing import placement_renew, placement_replace
from hosting.models import Deployment
from hosting.reasons import in_words
from hosting.remotes.challenges import challenge_noted
from hosting.runner.remote.http import SIGN_IN_WORDS
from hosting.selectors import deployments
from hosting.services import deployment_locked, deployment_move
from hosting.states import State
from oauth.models import Connection, ConnectionAttempt
from oauth.outbound import connections, identity
from oauth.outbound.discovery import Found, host_of
from oauth.outbound.ending import connections_end
from oauth.outbound.flow import site_peer
from oauth.outbound.rows import state_of

LOOKS, LOOK_SECONDS = 20, 300  # of one person: each is a handful of requests to somebody else


@dataclass(frozen=True)
class Offer:
    """What a person is asked to agree to. `digest` stands for all of it."""

    url: str
    found: Found
    needs_client: bool  # the other site neither reads documents nor registers programs

    @property
    def host(self) -> str:
        return host_of(self.url)

    @property
    def issuer_host(self) -> str:
        return host_of(self.found.server.issuer)

    @property
    def page_host(self) -> str:
        """Where the browser goes, which need not be the issuer's host."""
        return host_of(self.found.server.authorize_url)

    @property
    def page_origin(self) -> str:
        return source_of(self.found.server.authorize_url)

    @property
    def redirect_uri(self) -> str:
        return identity.redirect_uri(self.found.server)

    @property
    def is_elsewhere(self) -> bool:
        return urlsplit(self.url).hostname != urlsplit(self.found.server.authorize_url).hostname

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.url.encode() + b"\0" + msgspec.json.encode(self.found)).hexdigest()


def remote_url(deployment: Deployment) -> str:
    """The address that is called, its variables filled in. Raises Conflict where there is none to sign in to.

    One with a secret in it is none: it would be kept readably, and named to the site that people sign in at (RFC 8707).
    """
    version = deployment.current_version
    if version is None or not version.remote:
        raise Conflict(
            "not_remote",
            gettext("%(label)s is no remote server, so there is nothing to sign in to.") % {"label": deployment.label},
        )
    declared = declared_of(version)
    in_url = [inputs.key_of(one) for one in declared if one.where == "variable"]
    given = settings_of(deployment, only=in_url)
    if given.secret_keys:
        words = gettext(
            "Its address has a secret in it, which signing in would show. Set that part as what it is, no secret."
        )
        raise Conflict("address_secret", words)
    return inputs.url_of(version.remote["url"], declared, given)


def account_of(deployment: Deployment) -> Connection | None:
    return connections.connection_of(deployment.pk)


def account_problem(deployment: Deployment, account: Connection | None) -> str:
    """Why its owner should sign in, in words; "" for no reason."""
    if account is not None and account.state == Connection.State.AGAIN:
        return in_words(account.reason)
    if account is not None and account.server_url != _url_now(deployment):
        return gettext("the account is for another address, %(url)s") % {"url": account.server_url}
    if account is not None and account.asked_scopes:
        words = gettext("%(host)s wants more than the account may: %(scopes)s")
        return words % {"host": host_of(account.server_url), "scopes": ", ".join(account.asked_scopes)}
    if deployment.state == State.FAILED and SIGN_IN_WORDS in deployment.reason:
        return in_words(deployment.reason)
    if account is None and challenge_noted(deployment.pk) is not None:
        return gettext("%(host)s asks you to sign in") % {"host": host_of(_url_now(deployment))}
    return ""


def _url_now(deployment: Deployment) -> str:
    try:
        return remote_url(deployment)
    except Conflict:  # it says so where its settings are
        return ""


def account_offer(*, actor: Actor, deployment: Deployment) -> Offer:
    """Asks the remote server and its authorization server. Raises AppError, which says what is wrong there."""
    check_may_manage(actor, deployment)
    limits.count("sign-in-looks", str(actor), limit=LOOKS, seconds=LOOK_SECONDS)
    url = remote_url(deployment)
    account = account_of(deployment)
    before: tuple[str, ...] = ()
    if account is not None and account.server_url == url:
        before = (*account.scopes, *account.asked_scopes)
    found = site_peer().discover(url, challenge_noted(deployment.pk), before)
    is_known = account is not None and account.issuer == found.server.issuer
    can_enter = identity.document_client(found.server) is not None or bool(found.server.register_url)
    return Offer(url, found, needs_client=not (is_known or can_enter))


def account_connect(
    *,
    actor: Actor,
    deployment: Deployment,
    user: User,
    browser: str,
    offer: Offer,
    digest: str,
    client_id: str = "",
    client_secret: str = "",
) -> str:
    """Where the browser goes now that its person agreed to the offer of this digest. `offer` is what the servers say at
    this moment. Raises AppError."""
    check_may_manage(actor, deployment)
    if offer.digest != digest:
        raise Conflict(
            "offer_changed", gettext("What these servers say of themselves has changed. Please read it again.")
        )
    if offer.needs_client and not client_id:
        raise BadInput(
            "client_id_missing", gettext("Type in the client id that you were given there."), field="client_id"
        )
    given = identity.given(client_id, client_secret, offer.found.server) if client_id else None
    return connections.connection_begin(
        site_peer(),
        user=user,
        subject_id=deployment.pk,
        server_url=offer.url,
        found=offer.found,
        browser=browser,
        given=given,
    ).url


def account_answer(attempt: ConnectionAttempt, said: Mapping[str, Sequence[str]], *, actor: Actor) -> Deployment:
    """The other site's answer came back with the person. Raises AnswerRefused and other AppErrors, and NotFound where
    the person has lost the deployment meanwhile."""
    deployment = _deployment(attempt.subject_id)
    check_may_manage(actor, deployment)
    if remote_url(deployment) != attempt.server_url:
        raise Conflict(
            "address_changed", gettext("%(label)s has another address now. Start again.") % {"label": deployment.label}
        )
    row = connections.connection_finish(site_peer(), attempt, said)
    try:
        with transaction.atomic():
            locked = deployment_locked(deployment)
            record(actor, "deployment:connect_account", "deployment", locked.pk, **state_of(row))
            anonymous_end_for_secrets(actor=actor, deployment=locked)
            account_renewed(locked, actor)
    except NotFound:  # deleted since the answer was looked at
        if connections_end(Connection.objects.filter(pk=row.pk)):
            queue.tend_accounts()
        raise
    return deployment


def account_end(*, actor: Actor, deployment: Deployment) -> bool:
    """Used no more from now on, and revoked there soon. False when there was none."""
    check_may_manage(actor, deployment)
    with transaction.atomic():
        locked = deployment_locked(deployment)
        row = connections.connection_end(locked.pk)
        if row is None:
            return False
        account_gone(locked, row.issuer, actor)
    return True


def account_gone(locked: Deployment, issuer: str, actor: Actor) -> None:
    """It was ended: what that means for the deployment."""
    record(actor, "deployment:disconnect_account", "deployment", locked.pk, issuer=issuer)
    placement_replace(locked)  # what runs has the token
    account_renewed(locked, actor)
    queue.tend_accounts()


def account_renewed(locked: Deployment, actor: Actor) -> None:
    """New instances call with what counts now; one that could not start is tried again."""
    Deployment.objects.filter(pk=locked.pk).update(changed_at=clock.now())
    placement_renew(locked)
    if locked.state == State.FAILED and deployment_move(locked.pk, State.READY, "", actor=actor):
        queue.inspect(locked.pk)
    else:
        publish_on_commit(DeploymentChanged(str(locked.pk)))


def _deployment(subject_id: UUID) -> Deployment:
    """Raises NotFound."""
    found = deployments().filter(pk=subject_id).first()
    if found is None:
        raise unknown()
    return found
