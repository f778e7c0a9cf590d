from __future__ import annotations

from django.urls import path

from oauth.views import open as programs
from oauth.views import organizations
from oauth.views.api_tokens import api_tokens
from oauth.views.apps import connected_apps
from oauth.views.authorize import authorize
from oauth.views.identity import identity

app_name = "oauth"
urlpatterns = [
    path(".well-known/oauth-authorization-server", programs.server_metadata, name="server_metadata"),
    path(".well-known/openid-configuration", programs.server_metadata, name="openid_metadata"),
    path("oauth/jwks", programs.jwks, name="jwks"),
    path("oauth/client-metadata/<str:kind>/<str:key>", programs.client_metadata, name="client_metadata"),
    path("oauth/register", programs.register, name="register"),
    path("oauth/authorize", authorize, name="authorize"),
    path("oauth/token", programs.token, name="token"),
    path("oauth/revoke", programs.revoke, name="revoke"),
    path("account/api-tokens", api_tokens, name="api_tokens"),
    path("organizations/<str:name>/programs", organizations.programs, name="organization_programs"),
    path("organizations/<str:name>/apps", organizations.apps, name="organization_apps"),
    path("organizations/<str:name>/rules", organizations.rules, name="organization_rules"),
    path("organizations/<str:name>/identity", identity, name="organization_identity"),
    path("account/apps", connected_apps, name="connected_apps"),
]
