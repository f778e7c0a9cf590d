"""Connecting an account of one's own for a server: what a person agrees to here first, the way there and back.

The page is that of an elicitation, so who may open it is decided there, then and again when the answer comes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

import msgspec
from django.db import transaction
from django.utils.translation import gettext

from accounts.models import User
from common import limits
from common.content_policy import source_of
from common.errors import AppError, BadInput, Conflict, NotFound
from events.actors import Actor
from events.audit import record
from hosting import queue
from hosting.configuration.inputs import key_parts
from hosting.credentials import accounts, eliciting
from hosting.credentials.accounts import Account
from hosting.credentials.checking import personal_check
from hosting.credentials.personal import brought_by, given_now
from hosting.models import Deployment, Elicitation
from hosting.remotes.accounts import LOOK_SECONDS, LOOKS, remote_url
from hosting.remotes.care import token_hand_out
from hosting.routing import OWN_ACCOUNT
from hosting.states import State
from oauth.models import Connection, ConnectionAttempt, Provider
from oauth.outbound import connections, identity, providers
from oauth.outbound.connections import Own
from oauth.outbound.discovery import Found, host_of
from oauth.outbound.ending import connections_end
from oauth.outbound.flow import site_peer
from oauth.outbound.identity import Client
from oauth.outbound.rows import state_of

DISCONNECTED = "its user has disconnected an account"


@dataclass(frozen=True)
class Offer:
    """What a person is asked to agree to for one setting. `digest` stands for all of it."""

    key: str
    url: str  # the remote server's; "" where the token goes into an instance
    found: Found
    provider: Provider | None
    can_enter: bool  # this site is known there, or can make itself known

    @property
    def host(self) -> str:
        """Where the browser goes."""
        return host_of(self.found.server.authorize_url)

    @property
    def title(self) -> str:
        return self.provider.title if self.provider is not None and not self.url else self.host

    @property
    def is_owners(self) -> bool:
        """The deployment's owner configured it, not the site's operator."""
        return self.provider is not None and self.provider.subject_id is not None

    @property
    def origin(self) -> str:
        return source_of(self.found.server.authorize_url)

    @property
    def digest(self) -> str:
        client = self.provider.client_id if self.provider is not None else ""
        parts = [self.key, self.url, client, msgspec.json.encode(self.found).decode()]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()


@dataclass(frozen=True)
class Need:
    """One account of a server, as its user's page shows it. Without an offer it can't be connected now."""

    account: Account
    connection: Connection | None
    problem: str  # why it has to be connected; "": it is
    offer: Offer | None = None
    impossible: str = ""

    @property
    def name(self) -> str:
        return key_parts(self.account.key)[1]

    @property
    def label(self) -> str:
        """In a sentence."""
        where = self.account.provider.title if self.account.provider is not None else ""
        if where:
            return gettext("an account at %(place)s") % {"place": where}
        return gettext("an account there") if self.account.is_remote else self.name

    @property
    def new_scopes(self) -> list[str]:
        """What its user has not agreed to before, where there was something."""
        before = self.connection.requested_scopes if self.connection is not None else []
        return [scope for scope in self.offer.found.scopes if scope not in before] if before and self.offer else []


def needs_of(user_id: UUID, deployment: Deployment) -> list[Need]:
    """Without asking anybody."""
    return needs_among(user_id, [deployment])[deployment.pk]


def needs_among(user_id: UUID, deployments: Sequence[Deployment]) -> dict[UUID, list[Need]]:
    """The same at many servers, by their ids. Needs `owner` and `current_version` selected."""
    wanted = accounts.accounts_among(deployments)
    some = [pk for pk, found in wanted.items() if found]
    rows = connections.connections_among(some, user_id) if some else {}

    def needs(deployment: Deployment) -> Iterator[Need]:
        now = given_now(deployment) if wanted[deployment.pk] else {}
        for one in wanted[deployment.pk]:
            row = rows.get(deployment.pk, {}).get(one.key)
            yield Need(one, row, accounts.problem_of(one, row, now))

    return {each.pk: list(needs(each)) for each in deployments}


def needs_offered(user_id: UUID, deployment: Deployment) -> list[Need]:
    """With what is asked for those that aren't connected: a remote server and where its people sign in are asked."""
    return [_offered(need, user_id, deployment) if need.problem else need for need in needs_of(user_id, deployment)]


def _offered(need: Need, user_id: UUID, deployment: Deployment) -> Need:
    try:
        return replace(need, offer=_offer(need, user_id, deployment))
    except AppError as error:
        return replace(need, impossible=error.message)


def _offer(need: Need, user_id: UUID, deployment: Deployment) -> Offer:
    account, row = need.account, need.connection
    asked = tuple(row.asked_scopes) if row is not None else ()
    if account.provider is not None:
        scopes = tuple(dict.fromkeys((*account.scopes, *asked)))
        return Offer(account.key, "", Found("", providers.server_of(account.provider), scopes), account.provider, True)
    if not account.is_remote:
        raise NotFound("provider_unknown", need.problem)
    limits.count("sign-in-looks", str(user_id), limit=LOOKS, seconds=LOOK_SECONDS)
    url = remote_url(deployment)
    before = tuple(row.requested_scopes) if row is not None and row.server_url == url else ()
    found = site_peer().discover(url, None, (*before, *asked))
    mine = providers.providers_of(deployment.pk).filter(server__issuer=found.server.issuer).first()
    if mine is not None:  # its owner was given a client there
        server = msgspec.structs.replace(found.server, callback=providers.server_of(mine).callback)
        found = msgspec.structs.replace(found, server=server)
    is_open = bool(found.server.register_url) or identity.document_client(found.server) is not None
    return Offer(account.key, url, found, mine, can_enter=is_open or mine is not None)


def account_connect(*, actor: Actor, user: User, elicitation: Elicitation, key: str, digest: str, browser: str) -> str:
    """Where the browser goes now that its person agreed to the offer of this digest; the state is made here. Raises
    AppError."""
    eliciting.check_open(elicitation)
    deployment = elicitation.deployment
    need = next((one for one in needs_of(user.pk, deployment) if one.account.key == key), None)
    if need is None:
        raise NotFound("account_unknown", gettext("This server asks for no such account."))
    offer = _offer(need, user.pk, deployment)
    if offer.digest != digest:
        raise Conflict("offer_changed", gettext("What is asked for has changed. Please read it again."))
    if not offer.can_enter:
        raise BadInput("client_needed", gettext("The server's owner has to register this site there first."))
    return connections.connection_begin(
        site_peer(),
        user=user,
        subject_id=deployment.pk,
        server_url=offer.url,
        found=offer.found,
        browser=browser,
        given=_given(offer.provider),
        name=key,
        provider=offer.provider,
        page=elicitation.pk,
        given_to=given_now(deployment).get(key),
    ).url


def _given(provider: Provider | None) -> Client | None:
    return providers.provider_client(provider) if provider is not None else None


def account_answer(
    attempt: ConnectionAttempt, said: Mapping[str, Sequence[str]], *, actor: Actor, user: User
) -> Elicitation:
    """The other site's answer came back with the person: the page that it belongs to. Raises AppError, before anything
    is sent where the page is over or the server wants something else by now."""
    elicitation = eliciting.elicitation_of(actor, attempt.page)
    eliciting.check_open(elicitation)
    deployment = elicitation.deployment
    if deployment.pk != attempt.subject_id or not _is_wanted(attempt, deployment):
        raise _changed(deployment)
    row = connections.connection_finish(site_peer(), attempt, said)
    _keep(actor, attempt, row)
    if attempt.name == OWN_ACCOUNT:  # sessions that stand go on with it
        token_hand_out(deployment.pk, user.pk)
    return elicitation


def _is_wanted(attempt: ConnectionAttempt, deployment: Deployment) -> bool:
    account = next((one for one in accounts.accounts_of(deployment) if one.key == attempt.name), None)
    if account is None:
        return False
    if account.is_remote:
        return remote_url(deployment) == attempt.server_url
    return account.provider is not None and account.provider.pk == attempt.provider_id


def _keep(actor: Actor, attempt: ConnectionAttempt, row: Connection) -> None:
    """Unless its server went or wants something else since the answer was looked at: what nobody asks for is shown
    nowhere, so it is ended. Raises Conflict."""
    with transaction.atomic():
        locked = Deployment.objects.select_for_update().filter(pk=attempt.subject_id).exclude(state=State.DELETING)
        deployment = locked.first()
        is_kept = deployment is not None and _is_wanted(attempt, deployment)
        if is_kept:
            record(actor, "account:connect", "deployment", row.subject_id, name=row.name, **state_of(row))
        elif connections_end(Connection.objects.filter(pk=row.pk)):
            queue.tend_accounts()
    if not is_kept:
        raise _changed(deployment)


def _changed(deployment: Deployment | None) -> Conflict:
    label = deployment.label if deployment is not None else gettext("The server")
    return Conflict(
        "account_changed", gettext("%(label)s wants another account by now. Start again.") % {"label": label}
    )


def page_complete(*, actor: Actor, elicitation: Elicitation) -> bool:
    """Tries the server once nothing is missing, and ends the page. False: something is. Raises AppError."""
    assert actor.user_id is not None
    if brought_by(actor.user_id, elicitation.deployment).missing:
        return False
    personal_check(elicitation.deployment, actor.user_id)
    eliciting.elicitation_done(actor=actor, elicitation=elicitation)
    return True


def account_disconnect(*, actor: Actor, deployment_id: UUID, key: str) -> bool:
    """The actor's own: used no more from now on, and revoked there soon. False when there was none."""
    assert actor.user_id is not None
    if "\0" in key:  # PostgreSQL takes no such text
        return False
    with transaction.atomic():
        row = connections.connection_end(deployment_id, Own(actor.user_id, key))
        if row is None:
            return False
        record(actor, "account:disconnect", "deployment", deployment_id, name=key, issuer=row.issuer)
        queue.tend_accounts()
    deployment = Deployment.objects.filter(pk=deployment_id).first()
    if deployment is not None:
        eliciting.forget_at_runner(deployment, actor.user_id, DISCONNECTED)
    return True


def accounts_decline(user_id: UUID, deployment_id: UUID) -> None:
    """Its user does not agree to more: what was agreed to before goes on."""
    Connection.objects.filter(user_id=user_id, subject_id=deployment_id, name=OWN_ACCOUNT).update(asked_scopes=[])
