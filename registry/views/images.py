"""Pictures of a server's README, and its icon, from this site. What can't be shown is 404: then words stand there.

Nobody waits here: for a picture that is still to be fetched the answer is an empty one, with status 202.
"""

from __future__ import annotations

from base64 import b64decode

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.views.decorators.http import require_safe

from registry import selectors
from registry.images.addresses import image_name
from registry.images.encoding import MEDIA_TYPE
from registry.images.keeping import ICON_SIDE, README_SIDE
from registry.images.showing import images_ask, is_fresh
from registry.models import StoredImage

# A picture is nothing but a picture, also where somebody opens it by itself.
POLICY = "default-src 'none'; frame-ancestors 'none'; sandbox"
DAY = "public, max-age=86400, stale-while-revalidate=604800"
SOON = "public, max-age=300"
# 1 × 1 px, transparent (GIF 89a); controllers/pictures.js knows it by its size.
EMPTY = b64decode("R0lGODlhAQABAIAAAAAAAAAAACH5BAEAAAAALAAAAAABAAEAAAICRAEAOw==")


@require_safe
def readme_image(request: HttpRequest, name: str, key: str) -> HttpResponse:
    return _answer(request, selectors.readme_image_address(name, key), README_SIDE)


@require_safe
def icon(request: HttpRequest, name: str) -> HttpResponse:
    return _answer(request, selectors.icon_address_of(name), ICON_SIDE)


def _answer(request: HttpRequest, url: str, side: int) -> HttpResponse:
    """`url` is one that a stored README or document refers to."""
    kept = StoredImage.objects.filter(key=image_name(url, side)).first() if url else None
    is_due = bool(url) and (kept is None or not is_fresh(kept.until))
    if is_due:
        images_ask([url], side)
    if kept is not None and kept.digest:
        response = _picture(request, kept)
    elif is_due:
        response = HttpResponse(EMPTY, status=202, content_type="image/gif")
        response["Retry-After"], response["Cache-Control"] = "1", "no-store"
    else:
        response = HttpResponse("There is no such picture.", status=404, content_type="text/plain")
        response["Cache-Control"] = SOON
    response["Content-Security-Policy"] = POLICY
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    return response


def _picture(request: HttpRequest, kept: StoredImage) -> HttpResponse:
    if request.headers.get("If-None-Match") == f'"{kept.digest}"':
        response: HttpResponse = HttpResponseNotModified()
    else:
        response = HttpResponse(bytes(kept.content), content_type=MEDIA_TYPE)
    response["ETag"], response["Cache-Control"] = f'"{kept.digest}"', DAY
    return response
