"""Server cards by the servers' names, and this site's catalog of them. Public, for programs; they ignore cookies."""

from __future__ import annotations

from hashlib import sha256

import msgspec
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from common.errors import NotFound
from registry import cards, selectors
from registry.models import Status

MAX_AGE = 3600


@require_safe
def card(request: HttpRequest, name: str) -> HttpResponse:
    """Of the latest version. Not of one that was deleted, or taken down."""
    shown = selectors.server_shown(name)
    found = cards.card(shown.document)
    if found is None or shown.server.taken_down_at is not None or shown.version.status == Status.DELETED:
        raise NotFound("card_unknown", gettext("There is no card for this server."))
    return _answer(request, found, cards.MEDIA_TYPE)


@require_safe
def catalog(request: HttpRequest) -> HttpResponse:
    """At /.well-known/ai-catalog.json: the servers that were published on this site and run somewhere, newest first."""
    found = {name: _url(name) for name in selectors.names_with_remotes()}
    return _answer(request, cards.catalog(found), cards.CATALOG_MEDIA_TYPE)


def _url(name: str) -> str:
    return settings.SLIPWAY_URL + reverse("registry:card", args=[name])


def _answer(request: HttpRequest, found: object, media_type: str) -> HttpResponse:
    content = msgspec.json.encode(found)
    tag = f'"{sha256(content).hexdigest()[:32]}"'
    asked = request.headers.get("If-None-Match", "")
    is_known = asked == "*" or tag in [one.strip().removeprefix("W/") for one in asked.split(",")]
    answer = HttpResponseNotModified() if is_known else HttpResponse(content, content_type=media_type)
    answer["ETag"] = tag
    answer["Cache-Control"] = f"public, max-age={MAX_AGE}"
    answer["Access-Control-Allow-Origin"] = "*"
    answer["Access-Control-Allow-Methods"] = "GET"
    answer["Access-Control-Allow-Headers"] = "Content-Type, If-None-Match"
    answer["Access-Control-Expose-Headers"] = "ETag"
    return answer
