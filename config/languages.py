"""Which language a page speaks, and what its scripts say in it.

Only pages do: what a program reads is English whatever it asks for, so that it neither changes nor varies with a
header. With English alone (SLIPWAY_LANGUAGES) pages don't vary either.
"""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe
from django.views.i18n import JavaScriptCatalog

from config.errors import is_for_programs

CATALOGUE_SECONDS = 600
_FEEDS = ("/registry/feed",)  # programs read them, though they lie among pages


class LanguageMiddleware:
    """The language that a reader chose counts, or else the one that the browser asks for.

    English is activated, too: Django asks hundreds of times a page which language is, and each time that none is costs
    it two exceptions.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self._is_english_alone = len(settings.LANGUAGES) == 1

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if self._is_english_alone or is_for_programs(request) or request.path_info in _FEEDS:
            with translation.override(settings.LANGUAGE_CODE):
                return self.get_response(request)
        language = translation.get_language_from_request(request)
        with translation.override(language):
            response = self.get_response(request)
        if response.headers.get("Content-Type", "").startswith("text/html"):
            response.headers.setdefault("Content-Language", language)
            patch_vary_headers(response, ("Accept-Language", "Cookie"))
        return response


@require_safe
def catalogue(request: HttpRequest, language: str) -> HttpResponse:
    """A script that defines `django.gettext` and its like, for pages that are not in English.

    Its address names the language, so that the answer varies with nothing. Raises Http404 for one that is not there.
    """
    if language not in dict(settings.LANGUAGES):
        raise Http404
    with translation.override(language):
        answer: HttpResponse = JavaScriptCatalog().get(request)
    answer.headers["Cache-Control"] = f"public, max-age={CATALOGUE_SECONDS}"
    return answer
