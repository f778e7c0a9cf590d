"""The jwt-bearer grant (RFC 7523, 2.1), as oauthlib wants a grant: the client proves itself, the assertion is checked,
a token is made. There is no refresh token, so that what the identity provider takes back ends within ten minutes."""

# mypy: disable-error-code="misc"

from __future__ import annotations

import json
from typing import Any

from oauthlib.oauth2.rfc6749 import errors
from oauthlib.oauth2.rfc6749.grant_types.base import GrantTypeBase

from common import clock
from oauth.clients.jwt import RejectedError
from oauth.enterprise.exchange import NoScopeError, assertion_exchange


class JwtBearerGrant(GrantTypeBase):
    def create_token_response(self, request: Any, token_handler: Any) -> tuple[dict[str, str], str, int]:
        headers: dict[str, str] = self._get_default_headers()
        try:
            self._validate(request)
        except errors.OAuth2Error as error:
            headers.update(error.headers)
            return headers, error.json, error.status_code
        token = token_handler.create_token(request, refresh_token=False)
        self.request_validator.save_token(token, request)
        return headers, json.dumps(token), 200

    def _validate(self, request: Any) -> None:
        for name in ("grant_type", "scope", "assertion"):
            if name in request.duplicate_params:
                raise errors.InvalidRequestError(description=f"Duplicate {name} parameter.", request=request)
        assertion = getattr(request, "assertion", None)
        if not assertion:
            raise errors.InvalidRequestError(description="Missing assertion parameter.", request=request)
        self.validate_client_confidential(request)
        self.validate_grant_type(request)
        asked = list(dict.fromkeys(value for name, value in request.decoded_body or [] if name == "resource" and value))
        try:
            exchanged = assertion_exchange(
                assertion,
                client=request.client,
                resources=asked,
                scopes=request.scopes or [],
                now=clock.now().timestamp(),
            )
        except NoScopeError:
            raise errors.InvalidScopeError(request=request) from None
        except RejectedError as rejected:
            raise errors.InvalidGrantError(f"The assertion was refused: {rejected}.", request=request) from None
        request.user = exchanged.user
        request.resource = [exchanged.resource.url]
        request.scopes = list(exchanged.scopes)
