"""Who a request to the platform API acts for: a token of its own, or a browser's session with its CSRF token."""

from __future__ import annotations

from typing import Any, Protocol

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from accounts.models import User
from common.errors import Forbidden
from oauth.api_tokens import PREFIX, api_token_find
from oauth.models import ApiToken


class ApiTokenAuthentication(BaseAuthentication):
    """A bearer token that is wrong is refused, whatever cookies come with it."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        scheme, _, value = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        token = api_token_find(value.strip())
        if token is None:
            raise AuthenticationFailed(_refusal(value.strip()))
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="Slipway API"'  # RFC 6750, 3


def _refusal(value: str) -> str:
    if value.count(".") == 2:
        return (
            "This is a token for an MCP endpoint, which opens nothing here. Tokens for the API begin with "
            f"{PREFIX} and are made at /account/api-tokens."
        )
    return "This token is unknown, has expired or was revoked. Make one at /account/api-tokens."


class Scoped(Protocol):
    """A view that says which scope a token needs for a method."""

    def scope_of(self, method: str) -> str: ...


class HasScope(BasePermission):
    """A token may what its scopes say; a session may everything that its person may."""

    def has_permission(self, request: Request, view: Any) -> bool:
        token = request.auth
        if isinstance(token, ApiToken):
            scope = view.scope_of(request.method or "")
            if not token.covers(scope):
                raise Forbidden("insufficient_scope", f"This token lacks the scope {scope}. Make one that has it.")
        return True


class ApiTokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # drf-spectacular is not typed
    target_class = ApiTokenAuthentication
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "A token from /account/api-tokens."}


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # see above
    target_class = "rest_framework.authentication.SessionAuthentication"
    name = "session"
    priority = 1

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": "slipway_session",
            "description": "The session of a signed-in browser. Changes also need the header X-CSRFToken.",
        }
