"""Reading tokens' records."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet
from django.utils.translation import gettext

from common import clock
from oauth.models import Application, EndpointToken
from oauth.services import PLAYGROUND_CLIENT, SHELL_CLIENT

# Each web process asks this twice a second, for as long as it lives; as a QuerySet it would cost ten times as much,
# most of it Django's for putting the statement together.
_REVOKED = """
    SELECT jti FROM oauth_endpointtoken AS token JOIN accounts_user AS person ON person.id = token.user_id
    WHERE token.expires_at > %(now)s AND (token.revoked_at IS NOT NULL OR NOT person.is_active)
    UNION ALL
    SELECT jti FROM oauth_revokedtoken WHERE expires_at > %(now)s
    UNION ALL
    SELECT jti FROM oauth_accesstoken AS token JOIN accounts_user AS person ON person.id = token.user_id
    WHERE token.expires > %(now)s AND NOT person.is_active AND jti IS NOT NULL
"""


def revoked_jtis() -> frozenset[str]:
    """Ids of unexpired tokens that were revoked, or whose user was switched off."""
    with connection.cursor() as cursor:
        cursor.execute(_REVOKED, {"now": clock.now()})
        return frozenset(jti for (jti,) in cursor.fetchall())


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
