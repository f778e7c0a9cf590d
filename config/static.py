"""Static files by WhiteNoise, made fit for ASGI; how they and pages are packed, and how long browsers keep them."""

from __future__ import annotations

import gzip
from functools import lru_cache
from pathlib import Path
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from django.utils.cache import patch_vary_headers
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.responders import StaticFile

from config.static_version import CHARACTERS

_ROOT: Final = "/static/"
_TEXTS: Final = ("text/", "image/svg", "application/javascript", "application/json")
_LEAST_OCTETS: Final = 200  # below that, packing makes nothing smaller


class StaticFilesMiddleware(WhiteNoiseMiddleware):  # type: ignore[misc]  # it has no types
    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """A page of another version (an older one that is open yet, another process's) gets what there is here."""
        if not self.autorefresh and (found := self.files.get(self._of_this_version(request.path_info))) is not None:
            response = self.serve(found, request)
            response["Cache-Control"] = "no-cache"
            return response
        answer: HttpResponseBase = super().__call__(request)
        return answer

    def _of_this_version(self, path: str) -> str:
        """The address here of a file that is asked for under another version's or without one; "" of anything else."""
        if not path.startswith(_ROOT) or path.startswith(self.static_prefix):
            return ""
        version, _, rest = path.removeprefix(_ROOT).partition("/")
        is_version = len(version) == CHARACTERS and set(version) <= set("0123456789abcdef")
        return f"{self.static_prefix}{rest if is_version else path.removeprefix(_ROOT)}"

    def immutable_file_test(self, path: str, url: str) -> bool:
        """Ours are; an installed package's change with the package, which the version does not tell."""
        return not self.autorefresh and any(Path(path).is_relative_to(folder) for folder in settings.STATICFILES_DIRS)

    @staticmethod
    def serve(static_file: StaticFile, request: HttpRequest) -> HttpResponse:
        """WhiteNoise streams the file from a plain iterator, which Django's ASGI handler must buffer, with a warning
        for each request. Our files are small, so read them here."""
        found = static_file.get_response(request.method, request.META)
        content = b""
        if found.file is not None:
            with found.file:
                content = found.file.read()
        response = HttpResponse(content, status=int(found.status))
        del response["Content-Type"]
        for name, value in found.headers:
            response[name] = value
        if response.get("Content-Type", "").startswith(_TEXTS):
            patch_vary_headers(response, ["Accept-Encoding"])
            if response.status_code == 200 and "gzip" in request.headers.get("Accept-Encoding", ""):
                _pack(response)
        return response


def _pack(response: HttpResponse) -> None:
    """Without its ETag, which is that of other octets (RFC 9110, section 8.8.3.3); the date tells what is new, too."""
    if len(response.content) >= _LEAST_OCTETS:
        response.content = _packed(response.content)
        response["Content-Encoding"] = "gzip"
        response["Content-Length"] = str(len(response.content))
        del response["ETag"]


@lru_cache(maxsize=256)
def _packed(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)


class PackedPagesMiddleware(GZipMiddleware):
    """Packs pages and nothing else. Django adds octets at random, against BREACH (breachattack.com)."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if response.streaming or not response.headers.get("Content-Type", "").startswith("text/html"):
            return response
        return super().process_response(request, response)
