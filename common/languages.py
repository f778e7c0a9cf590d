"""The language of a reader who is no request: of a page that follows something live."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import get_language_from_request


def language_of(scope: Mapping[str, Any]) -> str:
    """Of a websocket behind Channels' CookieMiddleware, as its page has it: the one that its reader chose, or else the
    one that the browser asks for."""
    if len(settings.LANGUAGES) == 1:
        return str(settings.LANGUAGE_CODE)
    request = HttpRequest()
    request.COOKIES = dict(scope["cookies"])
    asked = dict(scope["headers"]).get(b"accept-language", b"")
    request.META["HTTP_ACCEPT_LANGUAGE"] = asked.decode("latin-1")
    return get_language_from_request(request)
