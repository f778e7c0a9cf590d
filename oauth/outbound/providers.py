"""Third parties at which people have accounts: configured by the operator for the site, by an owner for one deployment.

The client's secret is sealed and never shown again. Each provider has a callback address of its own.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

import msgspec
from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext

from accounts.permissions import is_operator
from common import clock
from common.errors import BadInput, Forbidden, NotFound
from common.outbound import OutboundError
from events.actors import Actor
from events.audit import record
from oauth.models import Connection, Provider
from oauth.outbound import identity, vault
from oauth.outbound.discovery import MAX_SCOPES, SERVER, Server, SignInImpossible, is_issuer, is_scope, is_url
from oauth.outbound.ending import connections_end
from oauth.outbound.flow import Peer
from oauth.outbound.identity import Client
from oauth.outbound.styles import PRESETS

NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
MAX_TITLE: Final = 80
MAX_OF_SUBJECT: Final = 20
Kind = Provider.Kind


@dataclass(frozen=True)
class Wanted:
    """What somebody says of a provider. Addresses are for `discovered` (the issuer) and `typed` (all but `revoke_url`);
    an empty `client_secret` keeps the one that there is."""

    name: str
    kind: str
    title: str = ""
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    scopes: tuple[str, ...] = ()
    issuer: str = ""
    authorize_url: str = ""
    token_url: str = ""
    revoke_url: str = ""


# --- reading


def providers_of(subject_id: UUID | None) -> QuerySet[Provider]:
    """Those of one deployment; None: those of the site."""
    return Provider.objects.filter(subject_id=subject_id)


def providers_for(subject_id: UUID) -> QuerySet[Provider]:
    """What a deployment may have accounts at: its own, and the site's."""
    return providers_among([subject_id])


def providers_among(subject_ids: Collection[UUID]) -> QuerySet[Provider]:
    """What any of them may have accounts at."""
    return Provider.objects.filter(Q(subject_id__in=subject_ids) | Q(subject_id=None)).order_by("subject_id", "name")


def provider_named(subject_id: UUID | None, name: str) -> Provider:
    """Raises NotFound."""
    found = providers_of(subject_id).filter(name=name).first()
    if found is None:
        raise NotFound("provider_unknown", gettext("There is no provider %(name)s.") % {"name": name})
    return found


def connected_counts(found: Collection[Provider]) -> dict[UUID, int]:
    """How many accounts are connected there, by the provider's id; those with none are left out."""
    rows = Connection.objects.filter(provider__in=found)
    return dict(rows.order_by().values_list("provider").annotate(count=Count("pk")))


def callback_of(subject_id: UUID | None, name: str) -> str:
    """The part of our callback's address that is this provider's, known before it is there: what a site is registered
    with elsewhere."""
    return identity.issuer_key(f"provider {subject_id or 'of the site'} {name}")


def server_of(provider: Provider) -> Server:
    return msgspec.convert(provider.server, Server)


def provider_client(provider: Provider) -> Client:
    """Raises Conflict (connection_sealed)."""
    kept = vault.unseal(provider.sealed, bound_to=_bound(provider))
    return Client(provider.client_id, provider.client_method, provider.client_source, kept["secret"])


# --- changing


def check_may_configure(actor: Actor, subject_id: UUID | None) -> None:
    """Those of the site are the operator's; who may change a deployment's is for the layer above to say."""
    if subject_id is None and not is_operator(actor):
        raise Forbidden("operators_only", gettext("Only an operator of this site can do this."))


def provider_put(peer: Peer, *, actor: Actor, subject_id: UUID | None, wanted: Wanted) -> Provider:
    """Made, or changed where there is one of that name. The provider is asked where it is to be discovered, or entered.

    Raises AppError. What is connected goes on with what it was connected with.
    """
    check_may_configure(actor, subject_id)
    _check(wanted, subject_id)
    row = providers_of(subject_id).filter(name=wanted.name).first()
    is_new = row is None
    if row is None:
        row = Provider(subject_id=subject_id, name=wanted.name)
        if providers_of(subject_id).count() >= MAX_OF_SUBJECT:
            raise BadInput(
                "providers_too_many",
                gettext("There are %(max_of_subject)s providers already. Remove one first.")
                % {"max_of_subject": MAX_OF_SUBJECT},
            )
    server = _server(peer, row, wanted)
    client = _client(peer, row, server, wanted, is_new=is_new)
    row.title = wanted.title or (PRESETS[wanted.kind].title if wanted.kind in PRESETS else _host(server.authorize_url))
    row.kind, row.server, row.scopes = wanted.kind, msgspec.to_builtins(server), list(wanted.scopes)
    row.client_id, row.client_method, row.client_source = client.id, client.method, client.source
    row.sealed, row.changed_at = vault.seal({"secret": client.secret}, bound_to=_bound(row)), clock.now()
    with transaction.atomic():
        row.save(force_insert=is_new)
        record(
            actor,
            "provider:add" if is_new else "provider:change",
            "provider" if subject_id is None else "deployment",
            subject_id or row.pk,
            **state_of(row),
        )
    return row


def provider_remove(*, actor: Actor, provider: Provider) -> int:
    """What was connected there is used no more, and revoked soon; how many accounts that are."""
    check_may_configure(actor, provider.subject_id)
    with transaction.atomic():
        ended = connections_end(Connection.objects.filter(provider=provider))
        record(
            actor,
            "provider:remove",
            "provider" if provider.subject_id is None else "deployment",
            provider.subject_id or provider.pk,
            **state_of(provider),
            ended=ended,
        )
        provider.delete()
    return ended


def providers_forget(subject_id: UUID) -> None:
    """The deployment is gone."""
    providers_of(subject_id).delete()


def state_of(provider: Provider) -> dict[str, object]:
    """For the audit log: no secret."""
    return {
        "name": provider.name,
        "kind": provider.kind,
        "client_id": provider.client_id,
        "authorize_url": provider.server["authorize_url"],
        "token_url": provider.server["token_url"],
        "scopes": provider.scopes,
    }


# --- what was said


def _check(wanted: Wanted, subject_id: UUID | None) -> None:
    if not NAME.fullmatch(wanted.name):
        raise BadInput("provider_name", gettext("A name has small letters, digits and “-”, at most 40."), field="name")
    if wanted.kind not in Kind.values:
        raise BadInput(
            "provider_kind",
            gettext("There are these kinds: %(names)s.") % {"names": ", ".join(Kind.values)},
            field="kind",
        )
    if len(wanted.title) > MAX_TITLE or not wanted.title.isprintable():
        raise BadInput(
            "provider_title",
            gettext("A title is one line of at most %(max_title)s characters.") % {"max_title": MAX_TITLE},
            field="title",
        )
    check_scopes(wanted.scopes)
    has_bad_id = len(wanted.client_id) > 500 or not wanted.client_id.isprintable()
    if has_bad_id or (not wanted.client_id and wanted.kind != Kind.DISCOVERED):
        address = identity.callback_uri(callback_of(subject_id, wanted.name))
        words = f"Register this site there, with the address {address}, and type in the client id that you are given."
        raise BadInput("provider_client", words, field="client_id")
    if len(wanted.client_secret) > identity.MAX_SECRET:
        raise BadInput("provider_secret", gettext("This is longer than a secret can be."), field="client_secret")


def check_scopes(scopes: Collection[str]) -> None:
    """Raises BadInput."""
    if len(scopes) > MAX_SCOPES or not all(map(is_scope, scopes)):
        raise BadInput(
            "provider_scopes",
            gettext("At most %(max_scopes)s scopes, of letters, digits and signs, without quotation marks.")
            % {"max_scopes": MAX_SCOPES},
            field="scopes",
        )


def _server(peer: Peer, row: Provider, wanted: Wanted) -> Server:
    callback = callback_of(row.subject_id, row.name)
    if wanted.kind in PRESETS:
        return msgspec.structs.replace(PRESETS[wanted.kind].server, callback=callback)
    if wanted.kind == Kind.DISCOVERED:
        return msgspec.structs.replace(_discovered(peer, wanted.issuer), callback=callback)
    for name in ("authorize_url", "token_url"):
        if not _is_https(getattr(wanted, name)):
            raise BadInput("provider_address", gettext("This is a full address that begins with https://."), field=name)
    if wanted.revoke_url and not _is_https(wanted.revoke_url):
        raise BadInput(
            "provider_address", gettext("This is a full address that begins with https://."), field="revoke_url"
        )
    parts = urlsplit(wanted.authorize_url)
    return Server(
        issuer=wanted.issuer or f"{parts.scheme}://{parts.netloc}",
        authorize_url=wanted.authorize_url,
        token_url=wanted.token_url,
        revoke_url=wanted.revoke_url,
        callback=callback,
    )


def _discovered(peer: Peer, issuer: str) -> Server:
    if not is_issuer(issuer):
        raise BadInput("provider_issuer", gettext("An issuer is an address that begins with https://."), field="issuer")
    try:
        return peer.server(issuer)
    except SignInImpossible as error:
        words = f"{error.message} If its pages name its addresses ({SERVER} is missing or wrong), type those in."
        raise BadInput("provider_undescribed", words, field="issuer") from None
    except OutboundError as error:
        raise BadInput("provider_away", error.message, field="issuer") from error


def _client(peer: Peer, row: Provider, server: Server, wanted: Wanted, *, is_new: bool) -> Client:
    if wanted.client_id:
        keeps = not is_new and not wanted.client_secret and row.client_id == wanted.client_id
        # A secret goes only where it was typed in for.
        if keeps and row.server["token_url"] != server.token_url:
            raise BadInput(
                "provider_secret", gettext("Type the secret again: the address changes."), field="client_secret"
            )
        secret = provider_client(row).secret if keeps else wanted.client_secret
        return identity.given(wanted.client_id, secret, server)
    if not is_new and row.client_source == identity.REGISTERED and row.server["issuer"] == server.issuer:
        return provider_client(row)
    if not server.register_url:
        raise BadInput(
            "provider_client",
            gettext(
                "%(host)s does not let programs register themselves: register this site there, with the "
                "address %(redirect_uri)s, and type in the client id that it gives you."
            )
            % {"host": _host(server.issuer), "redirect_uri": identity.redirect_uri(server)},
            field="client_id",
        )
    try:
        return peer.register(server)
    except OutboundError as error:
        raise BadInput("provider_away", error.message, field="issuer") from error


def _is_https(url: str) -> bool:
    """Or plain http, which the guarded door lets through to the operator's own networks only."""
    return is_url(url) and "#" not in url


def _host(url: str) -> str:
    return urlsplit(url).netloc[:MAX_TITLE]


def _bound(provider: Provider) -> list[str]:
    return ["Provider", str(provider.pk), provider.server["token_url"], provider.client_id]
