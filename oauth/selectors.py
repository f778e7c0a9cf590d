"""Reading tokens' records."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.translation import gettext

from common import clock
from oauth.models import AccessToken, Application, EndpointToken, RevokedToken
from oauth.services import PLAYGROUND_CLIENT, SHELL_CLIENT

# A transaction may commit after a later one began, so a cache that asks by time looks back this far again.
OVERLAP = timedelta(seconds=10)


def revoked_jtis(since: datetime | None = None) -> set[str]:
    """Ids of unexpired tokens that were revoked, or whose user was switched off; all of them when `since` is None.

    A cache that adds up answers passes the time of its last question; the overlap is taken care of here.
    """
    revoked = Q(revoked_at__isnull=False)
    if since is not None:
        revoked = Q(revoked_at__gt=since - OVERLAP)
    now = clock.now()
    tokens = EndpointToken.objects.filter(revoked | Q(user__is_active=False), expires_at__gt=now)
    gone = RevokedToken.objects.filter(expires_at__gt=now)
    if since is not None:
        gone = gone.filter(revoked_at__gt=since - OVERLAP)
    inactive = AccessToken.objects.filter(user__is_active=False, expires__gt=now).exclude(jti=None)
    found = tokens.values_list("jti", flat=True).union(
        gone.values_list("jti", flat=True), inactive.values_list("jti", flat=True), all=True
    )
    return set(found)


def endpoint_tokens_of(deployment_id: UUID) -> QuerySet[EndpointToken]:
    return EndpointToken.objects.filter(deployment_id=deployment_id).select_related("user")


def endpoint_tokens_used(jtis: Iterable[str], at: datetime) -> int:
    """Notes the last use of tokens, in bulk and rarely: called from a cache, never for one request."""
    return EndpointToken.objects.filter(jti__in=list(jtis)).update(last_used_at=at)


def client_names(client_ids: Iterable[str]) -> dict[str, str]:
    """How clients are called to people, by their ids; one that is registered no more is left out."""
    wanted = set(client_ids)
    found = dict(Application.objects.filter(client_id__in=wanted).exclude(name="").values_list("client_id", "name"))
    ours = {SHELL_CLIENT: gettext("a token made here"), PLAYGROUND_CLIENT: gettext("Playground")}
    return {**found, **{client: name for client, name in ours.items() if client in wanted}}
