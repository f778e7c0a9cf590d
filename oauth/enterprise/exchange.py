"""An identity provider's word for an access token: ID-JAGs (SEP-990, enterprise-managed authorization, stable).

The order matters: nothing is believed before a signature of a provider that the server's own organization trusts, and
an assertion is used up only when everything else is good.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings

from accounts.models import User
from common import clock
from events.actors import person
from events.audit import record
from oauth import scopes as known
from oauth.clients.assertions import assertion_use
from oauth.clients.jwt import RejectedError, check_times, payload_of, peek
from oauth.enterprise.people import identity_user
from oauth.models import Application, TrustedIdp
from oauth.policies import refusal_of, scopes_within
from oauth.remote_keys import keys_newer
from oauth.resources import Resource, resource_find

TYPE: Final = "oauth-id-jag+jwt"
MAX_SECONDS: Final = 3600


class NoScopeError(Exception):
    """Everything is good, but nothing is left that may be granted."""


@dataclass(frozen=True)
class Exchanged:
    user: User
    resource: Resource
    scopes: tuple[str, ...]


def assertion_exchange(
    assertion: str, *, client: Application, resources: Sequence[str], scopes: Sequence[str], now: float
) -> Exchanged:
    """Whom, for what and how far. Raises RejectedError, NoScopeError."""
    _, unverified = peek(assertion)
    issuer = unverified.get("iss")
    if not isinstance(issuer, str):
        raise RejectedError("iss is missing")
    refusal = RejectedError("no organization here trusts its issuer for this server")
    for idp in TrustedIdp.objects.filter(issuer=issuer, is_enabled=True).select_related("organization"):
        try:
            body = payload_of(assertion, _keys_of(idp, assertion), typ=TYPE)
        except RejectedError as rejected:
            refusal = rejected
            continue
        expires = _check(body, client, now)
        url = _resource_of(body, resources)
        user = identity_user(idp, body)
        if user is None:
            refusal = RejectedError("its subject has no account here")
            continue
        resource = resource_find(url, user.pk)
        if resource is None or resource.organization_id != idp.organization_id:
            continue
        _check_policy(idp, client, resource)
        granted = scopes_within(resource, _scopes(body, idp, client, scopes))
        if not granted:
            raise NoScopeError
        assertion_use(issuer, body, expires)
        _note(idp, user, client, resource, granted, str(body["sub"]))
        return Exchanged(user, resource, granted)
    raise refusal


def _check(body: Mapping[str, Any], client: Application, now: float) -> float:
    """Section 5.1. When it expires."""
    audience = body.get("aud")
    if isinstance(audience, list) and len(audience) == 1:
        audience = audience[0]
    if audience != settings.SLIPWAY_URL:
        raise RejectedError("aud has to be this site's issuer")
    if body.get("client_id") != client.client_id:
        raise RejectedError("it is for another client")
    if not isinstance(body.get("sub"), str) or not 0 < len(body["sub"]) <= 255:
        raise RejectedError("sub is missing")
    if "cnf" in body:
        raise RejectedError("it is bound to a key, which this site can't check")
    if body.get("iat") is None:
        raise RejectedError("iat is missing")
    return check_times(body, now=now, longest=MAX_SECONDS)


def _resource_of(body: Mapping[str, Any], asked: Sequence[str]) -> str:
    """The claim, the parameter, or both when they say the same; exactly one server."""
    said = body.get("resource")
    claimed = [said] if isinstance(said, str) else said if isinstance(said, list) else []
    found = {url for url in (*claimed, *asked) if isinstance(url, str)}
    if len(found) != 1:
        raise RejectedError("it has to be for exactly one resource, and the request for the same one")
    return found.pop()


def _check_policy(idp: TrustedIdp, client: Application, resource: Resource) -> None:
    if idp.clients and client.client_id not in idp.clients:
        raise RejectedError("the organization does not let this client in")
    if idp.resources and resource.id not in idp.resources:
        raise RejectedError("the organization does not give this server out")
    if refusal := refusal_of(client, resource):
        raise RejectedError(refusal[0].lower() + refusal[1:].rstrip("."))


def _scopes(body: Mapping[str, Any], idp: TrustedIdp, client: Application, asked: Sequence[str]) -> tuple[str, ...]:
    """What request, assertion, organization and client have in common."""
    allowed = set(idp.scopes.split())
    if isinstance(body.get("scope"), str):
        allowed &= set(body["scope"].split())
    if asked:
        allowed &= set(asked)
    if limited := set(client.profile.scopes.split()):
        allowed &= limited
    return tuple(scope for scope in known.KNOWN if scope in allowed)


def _keys_of(idp: TrustedIdp, assertion: str) -> Mapping[str, Any]:
    stored: Mapping[str, Any] = idp.jwks or {}
    found = keys_newer(assertion, url=idp.jwks_uri, known=stored, fetched_at=idp.jwks_fetched_at, owner=f"idp:{idp.pk}")
    if found is None:
        return stored
    TrustedIdp.objects.filter(pk=idp.pk).update(jwks=found, jwks_fetched_at=clock.now())
    return found


def _note(
    idp: TrustedIdp, user: User, client: Application, resource: Resource, granted: Sequence[str], subject: str
) -> None:
    idp.identities.filter(subject=subject).update(last_used_at=clock.now())
    record(
        person(user.pk),
        "enterprise:exchange",
        "trusted_idp",
        idp.pk,
        client=client.client_id,
        resource=resource.url,
        scopes=list(granted),
        subject=subject,
    )
