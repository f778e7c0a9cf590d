"""Websockets: same origin only, with the visitor's session."""

from __future__ import annotations

from channels.auth import AuthMiddlewareStack
from channels.routing import URLRouter
from channels.security.websocket import OriginValidator
from django.conf import settings

from hosting.websocket import urlpatterns

websocket_application = OriginValidator(AuthMiddlewareStack(URLRouter(urlpatterns)), settings.CSRF_TRUSTED_ORIGINS)
