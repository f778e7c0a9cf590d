"""Pictures of a server's README, and its icon, from this site. What can't be shown is 404: then words stand there."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.views.decorators.http import require_safe

from registry import selectors
from registry.images.encoding import MEDIA_TYPE
from registry.images.keeping import ICON_SIDE, README_SIDE, image_kept

# A picture is nothing but a picture, also where somebody opens it by itself.
POLICY = "default-src 'none'; frame-ancestors 'none'; sandbox"
DAY = "public, max-age=86400, stale-while-revalidate=604800"
SOON = "public, max-age=300"


@require_safe
def readme_image(request: HttpRequest, name: str, key: str) -> HttpResponse:
    return _answer(request, selectors.readme_image_address(name, key), README_SIDE)


@require_safe
def icon(request: HttpRequest, name: str) -> HttpResponse:
    return _answer(request, selectors.icon_address_of(name), ICON_SIDE)


def _answer(request: HttpRequest, url: str, side: int) -> HttpResponse:
    """`url` is one that a stored README or document refers to."""
    kept = image_kept(url, side=side) if url else None
    if kept is None:
        response = HttpResponse("There is no such picture.", status=404, content_type="text/plain")
        response["Cache-Control"] = SOON
    elif request.headers.get("If-None-Match") == f'"{kept.digest}"':
        response = HttpResponseNotModified()
    else:
        response = HttpResponse(bytes(kept.content), content_type=MEDIA_TYPE)
    if kept is not None:
        response["ETag"], response["Cache-Control"] = f'"{kept.digest}"', DAY
    response["Content-Security-Policy"] = POLICY
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    return response
