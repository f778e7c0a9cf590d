"""The page on which a person decides what a program may do, and the answer that goes back to the program.

There is no way past the page: not for a client that was allowed the same before, not by a parameter of the request.
What was asked for stays in the URL and is checked again with the answer; the form adds nothing but the decision.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods
from oauth2_provider.exceptions import FatalClientError, OAuthToolkitError
from oauth2_provider.http import OAuth2ResponseRedirect
from oauthlib.oauth2.rfc6749.errors import (
    AccessDeniedError,
    CustomOAuth2Error,
    InvalidRequestError,
    InvalidScopeError,
    OAuth2Error,
)

from accounts.models import User
from common.content_policy import forms_allow
from common.errors import AppError, BadInput
from events.actors import person
from oauth import redirects, scopes
from oauth.asking import Asking, describe
from oauth.clients.documents import client_ensure
from oauth.consents import consent_find, consent_grant
from oauth.models import Application
from oauth.policies import refusal_of, scopes_within
from oauth.resources import Resource, resource_find
from oauth.toolkit import backend

S256_LENGTH = 43  # of a SHA-256 in base64url without padding (RFC 7636, 4.2)


@dataclass(frozen=True)
class Asked:
    """A request that may be put before the person."""

    application: Application
    resource: Resource | None
    scopes: tuple[str, ...]
    credentials: dict[str, Any]


class _Refused(Exception):
    """An answer for the program, not for the person."""

    def __init__(self, error: OAuth2Error, redirect_uri: str, state: str | None, application: Application) -> None:
        super().__init__(error)
        error.state = state
        self.error, self.redirect_uri, self.application = error, redirect_uri, application


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def authorize(request: HttpRequest) -> HttpResponse:
    assert isinstance(request.user, User)  # login_required
    try:
        asked = _read(request, request.user)
        if request.method == "POST":
            return _decide(request, request.user, asked)
    except FatalClientError as error:
        return _broken(request, error.oauthlib_error.description or gettext("The request can't be used."))
    except AppError as error:
        return _broken(request, error.message, error.status)
    except _Refused as refused:
        uri = refused.error.in_uri(refused.redirect_uri)
        return _sent_back(uri, refused.application)
    return _page(request, request.user, asked)


def _read(request: HttpRequest, user: User) -> Asked:
    """Raises FatalClientError and AppError for what must not be sent anywhere, _Refused for the rest."""
    client_id = request.GET.get("client_id", "")
    if any("\0" in value for values in request.GET.lists() for value in values[1]):
        raise BadInput("request_malformed", gettext("The request holds a character that none may have."))
    client_ensure(client_id, user_id=user.pk)
    try:
        found, credentials = backend().validate_authorization_request(_as_get(request))
    except FatalClientError:
        raise
    except OAuthToolkitError as error:
        application = Application.objects.filter(client_id=client_id).first()
        cause = error.oauthlib_error
        if application is None or not cause.redirect_uri:
            raise FatalClientError(error=cause) from None
        raise _Refused(cause, cause.redirect_uri, request.GET.get("state"), application) from None
    application = Application.objects.get(client_id=client_id)

    def refused(error: OAuth2Error) -> _Refused:
        return _Refused(error, credentials["redirect_uri"], credentials.get("state"), application)

    challenge = credentials.get("code_challenge") or ""
    if credentials.get("code_challenge_method") != "S256" or len(challenge) != S256_LENGTH:
        raise refused(InvalidRequestError(description="PKCE with code_challenge_method S256 is needed."))
    try:
        resource = _resource(request, user, application)
    except OAuth2Error as error:
        raise refused(error) from None
    known = (*scopes.KNOWN, scopes.OFFLINE)
    within = scopes_within(resource, tuple(scope for scope in known if scope in found))
    if not set(within) - {scopes.OFFLINE}:
        raise refused(InvalidScopeError(description="The organization of this server gives out none of these scopes."))
    return Asked(application, resource, within, credentials)


def _resource(request: HttpRequest, user: User, application: Application) -> Resource | None:
    """What it is for; None for nothing in particular. Raises OAuth2Error."""
    asked = list(dict.fromkeys(request.GET.getlist("resource")))
    if len(asked) > 1:
        raise _invalid_target("Ask for exactly one resource.")
    if not asked:
        return None
    found = resource_find(asked[0], user.pk)
    if found is None:
        raise _invalid_target("There is no such server, or you may not use it.")
    if refusal := refusal_of(application, found):
        raise AccessDeniedError(description=refusal)
    return found


def _decide(request: HttpRequest, user: User, asked: Asked) -> HttpResponse:
    credentials = asked.credentials

    def refused(error: OAuth2Error) -> _Refused:
        return _Refused(error, credentials["redirect_uri"], credentials.get("state"), asked.application)

    if request.POST.get("decision") != "allow":
        raise refused(AccessDeniedError(description="The person said no."))
    before = consent_find(user=user, application=asked.application, resource=asked.resource)
    if before is not None and before.blocked_at is not None:
        return _page(request, user, asked, 403)
    chosen = [scope for scope in asked.scopes if scope in request.POST.getlist("scope")]
    if not set(chosen) - {scopes.OFFLINE}:
        return _page(request, user, asked, 400, gettext("Choose at least one thing that it may do, or cancel."))
    if request.POST.get("digest") != asked.application.profile.digest:
        return _page(
            request, user, asked, 409, gettext("The program has changed what it says of itself. Please read it again.")
        )
    consent_grant(
        actor=person(user.pk), user=user, application=asked.application, resource=asked.resource, scopes=chosen
    )
    sent = {**credentials, "resource": [asked.resource.url] if asked.resource else []}
    sent.pop("request", None)
    try:
        uri, _, _, _ = backend().create_authorization_response(_as_get(request), chosen, sent, True)
    except OAuthToolkitError as error:
        raise refused(error.oauthlib_error) from None
    return _sent_back(uri, asked.application)


def _page(request: HttpRequest, user: User, asked: Asked, status: int = 200, problem: str = "") -> HttpResponse:
    application, resource = asked.application, asked.resource
    before = consent_find(user=user, application=application, resource=resource)
    asking: Asking = describe(application, asked.credentials["redirect_uri"])
    context = {
        "asking": asking,
        "resource": resource,
        "scopes": [(scope, *scopes.MEANINGS[scope]) for scope in asked.scopes],
        "digest": application.profile.digest,
        "before": before if before is not None and before.revoked_at is None else None,
        "is_blocked": before is not None and before.blocked_at is not None,
        "problem": problem,
    }
    response = render(request, "oauth/authorize.html", context, status=status)
    forms_allow(response, _form_targets(asked.credentials["redirect_uri"]))
    return response


def _form_targets(redirect_uri: str) -> Sequence[str]:
    parts = urlsplit(redirect_uri)
    if redirects.is_private(redirect_uri) or "[" in parts.netloc:  # no source expression holds an IPv6 address
        return ["'self'", f"{parts.scheme}:"]
    return ["'self'", f"{parts.scheme}://{parts.netloc}"]


def _sent_back(uri: str, application: Application) -> HttpResponse:
    """With `iss` on every answer, errors included (RFC 9207)."""
    parts = urlsplit(uri)
    query = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name != "iss"]
    query.append(("iss", settings.SLIPWAY_URL))
    uri = urlunsplit(parts._replace(query=urlencode(query)))
    response: HttpResponse = OAuth2ResponseRedirect(uri, application.get_allowed_schemes())
    response["Referrer-Policy"] = "no-referrer"
    return response


def _broken(request: HttpRequest, words: str, status: int = 400) -> HttpResponse:
    """Whoever sent the person here can't be trusted with an answer (RFC 6749, 4.1.2.1)."""
    return render(request, "oauth/broken.html", {"words": words}, status=status)


def _as_get(request: HttpRequest) -> HttpRequest:
    """What was asked for, without the form: oauthlib would let the form's fields take the place of the query's."""
    asked = copy.copy(request)
    asked.method = "GET"
    asked.POST = QueryDict()
    return asked


def _invalid_target(words: str) -> CustomOAuth2Error:
    return CustomOAuth2Error(error="invalid_target", description=words)
