"""What programs call, from anywhere: never with a cookie, so pages of every origin may (Fetch, 3.3)."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from common import limits
from common.errors import AppError, BadInput
from oauth import keys, metadata
from oauth.clients.registration import client_register
from oauth.outbound import identity
from oauth.toolkit import backend

MAX_BODY = 64 * 1024
KEYS_SECONDS = 300
FAILURES, FAILURE_SECONDS = 20, 300  # of one client at one address, then it has to wait
View = Callable[..., HttpResponse]


def open_view(*methods: str) -> Callable[[View], View]:
    """Answers preflights and other methods, reads no cookie, and says errors as RFC 6749, 5.2 does."""

    def decorate(view: View) -> View:
        @csrf_exempt
        @wraps(view)
        def opened(request: HttpRequest, **parts: Any) -> HttpResponse:
            if request.method == "OPTIONS":
                response = HttpResponse(status=204)
                response["Access-Control-Allow-Methods"] = ", ".join(methods)
                response["Access-Control-Allow-Headers"] = "Authorization, Content-Type, MCP-Protocol-Version"
                response["Access-Control-Max-Age"] = "7200"
            elif request.method not in methods and not (request.method == "HEAD" and "GET" in methods):
                response = refusal("invalid_request", f"The method has to be {methods[0]}.", 405)
                response["Allow"] = ", ".join((*methods, "OPTIONS"))
            else:
                response = _answered(lambda asked: view(asked, **parts), request)
            response["Access-Control-Allow-Origin"] = "*"
            return response

        return opened

    return decorate


def refusal(error: str, words: str, status: int = 400) -> HttpResponse:
    response = JsonResponse({"error": error, "error_description": words}, status=status)
    response["Cache-Control"] = "no-store"
    return response


def _answered(view: View, request: HttpRequest) -> HttpResponse:
    try:
        return view(request)
    except limits.TooMany as error:
        response = refusal("slow_down", error.message, error.status)
        response["Retry-After"] = str(error.retry_after)
        return response
    except AppError as error:
        return refusal(error.code if isinstance(error, BadInput) else "invalid_request", error.message, error.status)


@open_view("GET")
def server_metadata(request: HttpRequest) -> HttpResponse:
    response = JsonResponse(metadata.document())
    response["Cache-Control"] = "public, max-age=300"
    return response


@open_view("GET")
def jwks(request: HttpRequest) -> HttpResponse:
    response = JsonResponse(keys.jwks(), content_type="application/jwk-set+json")
    response["Cache-Control"] = f"public, max-age={KEYS_SECONDS}"
    return response


@open_view("GET")
def client_metadata(request: HttpRequest, kind: str, key: str) -> HttpResponse:
    """Who this site is where it is a client itself. The same for everybody who asks."""
    if kind not in identity.KINDS or not identity.KEY_FORM.fullmatch(key):
        return refusal("invalid_request", "There is no such document.", 404)
    response = JsonResponse(identity.document(kind, key))
    response["Cache-Control"] = f"public, max-age={KEYS_SECONDS}"
    return response


@open_view("POST")
def register(request: HttpRequest) -> HttpResponse:
    if len(request.body) > MAX_BODY:
        return refusal("invalid_client_metadata", "That is too large.", 413)
    try:
        said = json.loads(request.body)
    except ValueError:
        said = None
    if not isinstance(said, dict):
        return refusal("invalid_client_metadata", "The body has to be a JSON object.")
    response = JsonResponse(client_register(said, address=limits.address_of(request)), status=201)
    response["Cache-Control"] = "no-store"
    return response


@open_view("POST")
def token(request: HttpRequest) -> HttpResponse:
    return _guarded(request, backend().create_token_response)


@open_view("POST")
def revoke(request: HttpRequest) -> HttpResponse:
    return _guarded(request, backend().create_revocation_response)


def _guarded(request: HttpRequest, answer: Callable[[HttpRequest], Any]) -> HttpResponse:
    """Refuses secrets in the URL, repeated parameters, and whoever guesses."""
    if request.META.get("QUERY_STRING"):
        return refusal("invalid_request", "Parameters belong into the body.")
    if request.content_type != "application/x-www-form-urlencoded" or len(request.body) > MAX_BODY:
        return refusal("invalid_request", "The body has to be a form of at most 64 KiB.")
    if "\0" in "".join(value for values in request.POST.lists() for value in values[1]):
        return refusal("invalid_request", "A parameter holds a character that none may have.")
    who = f"{request.POST.get('client_id', '')} {limits.address_of(request)}"
    limits.check("token-failures", who, limit=FAILURES, seconds=FAILURE_SECONDS)
    _, headers, body, status = answer(request)
    if status in (400, 401) and _counts(body):
        limits.count("token-failures", who, limit=FAILURES, seconds=FAILURE_SECONDS)
    response = HttpResponse(body or "", status=status, headers={"Content-Type": "application/json", **headers})
    response["Cache-Control"] = "no-store"
    return response


def _counts(body: str) -> bool:
    """Failures that a guesser makes."""
    try:
        return json.loads(body).get("error") in ("invalid_client", "invalid_grant")
    except ValueError:
        return False
