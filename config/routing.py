"""Websockets: same origin only, with the visitor's session."""

from __future__ import annotations

from channels.auth import AuthMiddlewareStack
from channels.routing import URLRouter
from channels.security.websocket import OriginValidator
from django.conf import settings

from hosting import websocket
from hosting.tasks import websocket as tasks_websocket
from hosting.waiting import websocket as waiting_websocket

_urlpatterns = [*websocket.urlpatterns, *tasks_websocket.urlpatterns, *waiting_websocket.urlpatterns]
websocket_application = OriginValidator(AuthMiddlewareStack(URLRouter(_urlpatterns)), settings.CSRF_TRUSTED_ORIGINS)
