"""What clients and others are told of the authorization server (RFC 8414; the same for OpenID Connect discovery)."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from oauth import scopes
from oauth.clients.jwt import ALGORITHMS
from oauth.clients.metadata import BASIC, CLIENT_CREDENTIALS, CODE, JWT_BEARER, KEY, NONE, POST, REFRESH

METHODS = [NONE, BASIC, POST, KEY]


def document() -> dict[str, Any]:
    """The issuer has no path, so neither of the two well-known URLs has one."""
    site = settings.SLIPWAY_URL
    said: dict[str, Any] = {
        "issuer": site,
        "authorization_endpoint": f"{site}/oauth/authorize",
        "token_endpoint": f"{site}/oauth/token",
        "revocation_endpoint": f"{site}/oauth/revoke",
        "jwks_uri": f"{site}/oauth/jwks",
        "scopes_supported": [scopes.READ, scopes.CALL, scopes.ADMIN, scopes.OFFLINE],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": [CODE, REFRESH, CLIENT_CREDENTIALS, JWT_BEARER],
        "token_endpoint_auth_methods_supported": METHODS,
        "token_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
        "revocation_endpoint_auth_methods_supported": METHODS,
        "revocation_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
        "authorization_grant_profiles_supported": ["urn:ietf:params:oauth:grant-profile:id-jag"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
        "client_id_metadata_document_supported": True,
    }
    if settings.SLIPWAY_CLIENT_REGISTRATION == "open":
        said["registration_endpoint"] = f"{site}/oauth/register"
    return said
