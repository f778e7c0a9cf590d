"""What the toolkit asks of us while it issues tokens: who the client is, what for, and how a token is made.

Overrides of the toolkit's private methods are `_check_secret`, `_check_and_set_request_resource`, `_save_bearer_token`
and `_create_access_token`; its version is pinned for their sake.
"""

# mypy: disable-error-code="misc"
# The toolkit and oauthlib have no types: their requests are Any here.

from __future__ import annotations

import hmac
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.core.cache import cache
from oauth2_provider.models import revoke_access_token
from oauth2_provider.oauth2_validators import GRANT_TYPE_MAPPING, OAuth2Validator
from oauthlib.oauth2.rfc6749 import errors

from common import clock, ids
from oauth import claims, keys, scopes
from oauth.clients import assertions
from oauth.clients.documents import client_keys
from oauth.clients.jwt import RejectedError
from oauth.clients.metadata import CLIENT_CREDENTIALS, JWT_BEARER, KEY, NONE, REFRESH, SECRETS
from oauth.clients.services import client_used, secret_digest
from oauth.consents import consent_use
from oauth.models import AccessToken, Application, Grant, RefreshToken
from oauth.policies import refusal_of, scopes_within
from oauth.resources import Resource, resource_find

ACCESS_SECONDS: Final = 600
CODE_REMEMBERED_SECONDS: Final = 600
GRANT_TYPE_MAPPING.setdefault(JWT_BEARER, ("jwt-bearer",))


class Validator(OAuth2Validator):
    # --- who the client is

    def _check_secret(self, provided_secret: str, stored_secret: str) -> bool:
        return bool(stored_secret) and hmac.compare_digest(secret_digest(provided_secret), stored_secret)

    def client_authentication_required(self, request: Any, *args: Any, **kwargs: Any) -> bool:
        if _assertion_of(request):
            return True
        return bool(super().client_authentication_required(request, *args, **kwargs))

    def authenticate_client(self, request: Any, *args: Any, **kwargs: Any) -> bool:
        """By what the client registered for, and by nothing else."""
        if _assertion_of(request):
            return self._authenticate_by_key(request)
        found = super().authenticate_client(request, *args, **kwargs)
        return bool(found) and request.client.profile.method in SECRETS

    def authenticate_client_id(self, client_id: str, request: Any, *args: Any, **kwargs: Any) -> bool:
        """Only a client that has nothing to prove itself with may come without proof."""
        found = super().authenticate_client_id(client_id, request, *args, **kwargs)
        return bool(found) and request.client.profile.method == NONE

    def _authenticate_by_key(self, request: Any) -> bool:
        assertion = _assertion_of(request)
        try:
            client_id = assertions.claimed_client(assertion)
            if getattr(request, "client_id", None) not in (None, "", client_id):
                raise RejectedError("client_id is another one")
            client = self._load_application(client_id, request)
            if client is None or client.profile.method != KEY:
                raise RejectedError("the client is not known, or has no keys")
            audiences = (settings.SLIPWAY_URL, f"{settings.SLIPWAY_URL}/oauth/token")
            now = clock.now().timestamp()
            assertions.client_verify(assertion, client, client_keys(client, assertion), audiences=audiences, now=now)
        except RejectedError as error:
            raise errors.InvalidClientError(
                description=f"The client assertion was refused: {error}.", request=request
            ) from None
        request.client_id = client_id
        return True

    # --- scopes

    def validate_scopes(
        self, client_id: str, scopes: Any, client: Any, request: Any, *args: Any, **kwargs: Any
    ) -> bool:
        return set(scopes) <= _allowed_scopes(client, request.grant_type)

    def get_default_scopes(self, client_id: str, request: Any, *args: Any, **kwargs: Any) -> list[str]:
        allowed = _allowed_scopes(request.client, request.grant_type)
        return [scope for scope in scopes.DEFAULT if scope in allowed]

    # --- authorization codes: redeemed in one statement, together with what they are redeemed for

    def get_code_challenge(self, code: str, request: Any) -> Any:
        return _of_code(request, super().get_code_challenge, code, request)

    def get_code_challenge_method(self, code: str, request: Any) -> Any:
        return _of_code(request, super().get_code_challenge_method, code, request)

    def confirm_redirect_uri(
        self, client_id: str, code: str, redirect_uri: str, client: Any, request: Any = None, *args: Any, **kwargs: Any
    ) -> Any:
        confirm = super().confirm_redirect_uri
        return _of_code(request, confirm, client_id, code, redirect_uri, client)

    def validate_code(self, client_id: str, code: str, client: Any, request: Any, *args: Any, **kwargs: Any) -> bool:
        if super().validate_code(client_id, code, client, request, *args, **kwargs):
            return True
        _code_again(code, client)
        return False

    def invalidate_authorization_code(self, client_id: str, code: str, request: Any, *args: Any, **kwargs: Any) -> None:
        """It went with the token that it was redeemed for."""

    # --- the resource

    def _check_and_set_request_resource(self, request: Any) -> None:
        """Leaves a list in `request.resource`: the one audience, or none. A token request may repeat what was granted,
        and add nothing (RFC 8707, 2.2)."""
        if isinstance(request.resource, list):
            return
        asked = list(dict.fromkeys(value for name, value in request.decoded_body or [] if name == "resource" and value))
        if len(asked) > 1:
            raise _invalid_target(request, "A token is for exactly one resource.")
        granted = _granted_resource(request)
        if granted is None:  # nobody was asked before: client credentials
            found = _find(request, asked[0], request.client.user_id) if asked else None
            request.resource = [found.url] if found is not None else []
            return
        if not granted and asked:
            raise _invalid_target(request, "The authorization was for no resource, and none can be added.")
        if granted:
            current = resource_find(granted, request.user.pk)
            if current is None:
                raise errors.InvalidGrantError("The server is gone, or may not be used any more.", request=request)
            if asked and resource_find(asked[0], request.user.pk) != current:
                raise _invalid_target(request, "The authorization was for another resource.")
            if refusal := refusal_of(request.client, current):
                raise errors.InvalidGrantError(refusal, request=request)
            request.resource_id = current.id
        request.resource = [granted] if granted else []

    # --- issuing

    def _save_bearer_token(self, token: Any, request: Any, *args: Any, **kwargs: Any) -> None:
        """In one transaction: the code is used up, the consent holds, the rows are written."""
        self._check_and_set_request_resource(request)
        if request.grant_type == "authorization_code":
            deleted, _ = Grant.objects.filter(code=request.code, application=request.client).delete()
            if not deleted:
                raise errors.InvalidGrantError(request=request)
        user_id = _subject_of(request)
        if request.grant_type in ("authorization_code", REFRESH):
            self._use_consent(request)
            if not _may_refresh(request):
                token.pop("refresh_token", None)
        now = int(clock.now().timestamp())
        request.issued_jti = ids.random_token()
        token["access_token"] = claims.mint(
            claims.Claims(
                sub=str(user_id),
                client_id=request.client.client_id,
                aud=request.resource[0] if request.resource else settings.SLIPWAY_URL,
                scope=frozenset(token["scope"].split()) - {scopes.OFFLINE},
                jti=request.issued_jti,
                iat=now,
                exp=now + token["expires_in"],
                iss=settings.SLIPWAY_URL,
            ),
            key=keys.signing_key(),
        )
        super()._save_bearer_token(token, request, *args, **kwargs)
        client_used(request.client)
        if request.grant_type == "authorization_code":
            cache.set(_code_key(request.code), request.issued_jti, CODE_REMEMBERED_SECONDS)

    def _create_access_token(
        self, expires: datetime, request: Any, token: Any, source_refresh_token: Any = None
    ) -> AccessToken:
        row = AccessToken(
            user_id=_subject_of(request),
            scope=token["scope"],
            expires=expires,
            application=request.client,
            source_refresh_token=source_refresh_token,
            resource=request.resource,
            jti=request.issued_jti,
        )
        self._set_token_value(row, token["access_token"])
        row.save()
        return row

    @staticmethod
    def _use_consent(request: Any) -> None:
        resource = request.resource[0] if request.resource else ""
        resource_id = getattr(request, "resource_id", None) if resource else None
        if not request.user.is_active or not consent_use(
            user_id=request.user.pk, application=request.client, resource=resource, resource_id=resource_id
        ):
            raise errors.InvalidGrantError("It was disconnected.", request=request)


def _assertion_of(request: Any) -> str:
    return str(getattr(request, "client_assertion", None) or "")


def _subject_of(request: Any) -> UUID:
    """Whom the token acts for. A service client acts as the account that set it up."""
    user = request.client.user if request.grant_type == CLIENT_CREDENTIALS else request.user
    if user is None or not user.is_active:
        raise errors.InvalidGrantError("The account is switched off.", request=request)
    found: UUID = user.pk
    return found


def _allowed_scopes(client: Application, grant_type: str) -> set[str]:
    allowed = {*scopes.KNOWN, scopes.OFFLINE} if grant_type != CLIENT_CREDENTIALS else {*scopes.KNOWN}
    limited = set(client.profile.scopes.split())
    return allowed & limited if limited else allowed


def _may_refresh(request: Any) -> bool:
    return REFRESH in request.client.profile.grants or scopes.OFFLINE in request.scopes


def _granted_resource(request: Any) -> str | None:
    """What was authorized before, "" for nothing in particular; None where there was no authorization before."""
    if request.grant_type == "authorization_code":
        grant = Grant.objects.filter(code=request.code, application=request.client).first()
        if grant is None:
            raise errors.InvalidGrantError(request=request)
        found = grant.resource
    elif request.grant_type == REFRESH:
        found = request.refresh_token_instance.resource
    else:
        return None
    return found[0] if found else ""


def _find(request: Any, url: str, user_id: UUID) -> Resource:
    found = resource_find(url, user_id)
    if found is None:
        raise _invalid_target(request, "There is no such server, or it may not be used.")
    if refusal := refusal_of(request.client, found):
        raise errors.AccessDeniedError(refusal, request=request)
    if set(scopes_within(found, request.scopes)) != set(request.scopes):
        raise errors.InvalidScopeError("The organization of this server gives out less.", request=request)
    return found


def _invalid_target(request: Any, words: str) -> errors.CustomOAuth2Error:
    return errors.CustomOAuth2Error(error="invalid_target", description=words, request=request)


def _of_code(request: Any, read: Any, *arguments: Any) -> Any:
    """Of several redemptions at once all but one find that the code is gone."""
    try:
        return read(*arguments)
    except Grant.DoesNotExist:
        raise errors.InvalidGrantError(request=request) from None


def _code_key(code: str) -> str:
    return f"oauth:code:{secret_digest(code)}"


def _code_again(code: str, client: Application) -> None:
    """RFC 6749, 4.1.2: a code that comes twice may be in the wrong hands, so what it gave is taken back."""
    jti = cache.get(_code_key(code))
    token = AccessToken.objects.filter(jti=jti, application=client).first() if jti else None
    if token is None:
        return
    family = RefreshToken.objects.filter(access_token=token).values_list("token_family", flat=True).first()
    if family is not None:
        RefreshToken.revoke_family(family)
    else:
        revoke_access_token(token)
