"""oauthlib's server with the grants that we offer: authorization code, refresh, client credentials, and an
identity provider's word (RFC 7523). No other exists, neither the implicit nor the password grant (OAuth 2.1, 10)."""

# mypy: disable-error-code="misc"

from __future__ import annotations

from typing import Any

from oauthlib.oauth2 import Server as EveryGrant

from oauth.clients.metadata import CLIENT_CREDENTIALS, JWT_BEARER
from oauth.enterprise.grant import JwtBearerGrant


class Server(EveryGrant):
    def __init__(self, request_validator: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(request_validator, *args, **kwargs)
        self._response_types = {"code": self.auth_grant}
        self._grant_types = {
            "authorization_code": self.auth_grant,
            "refresh_token": self.refresh_grant,
            CLIENT_CREDENTIALS: self.credentials_grant,
            JWT_BEARER: JwtBearerGrant(request_validator),
        }
