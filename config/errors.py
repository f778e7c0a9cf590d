"""What no view caught, as a page or as a problem document."""

from __future__ import annotations

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext

from common.api.problems import CONTENT_TYPE, INTERNAL, document
from common.errors import AppError, Unavailable
from common.http import error_page
from common.requests import request_id

_FOR_PROGRAMS = ("/api/", "/oauth/", "/.well-known/", "/v0/", "/v0.1/")
_PAGES_AMONG_THEM = ("/api/docs", "/oauth/authorize")


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500, which it calls while it handles the exception; it has logged it by then."""
    if isinstance(sys.exc_info()[1], OperationalError | InterfaceError):
        words = gettext("The database does not answer. Try again in a few seconds.")
        return refusal(request, Unavailable("unavailable", words))
    if is_for_programs(request):
        return refusal(request, AppError("internal_error", INTERNAL, 500))
    return render(request, "500.html", {"request_id": request_id()}, status=500)


def refusal(request: HttpRequest, error: AppError, *, template: str = "error.html") -> HttpResponse:
    """The error in the form that this address answers in."""
    if not is_for_programs(request):
        return error_page(request, error, template=template)
    response: HttpResponse = JsonResponse(document(error.status, error.code, error.message), status=error.status)
    response["Content-Type"] = CONTENT_TYPE
    if isinstance(error, Unavailable):
        response["Retry-After"] = str(error.retry_after)
    return response


def is_for_programs(request: HttpRequest) -> bool:
    path = request.path_info
    return path.startswith(_FOR_PROGRAMS) and path not in _PAGES_AMONG_THEM
