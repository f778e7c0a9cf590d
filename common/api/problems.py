"""Errors of the API as problem documents (RFC 9457): the one place where an exception becomes JSON.

`type` and `code` name the kind of problem for programs, `detail` says to people what happened and what to do; `errors`
says it for each field that is to blame. What nobody expected is logged and told as `internal_error`, without more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

import structlog
from django.conf import settings
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.core.signals import got_request_exception
from django.db import InterfaceError, OperationalError
from django.http import Http404, UnreadablePostError
from rest_framework.exceptions import APIException, Throttled, ValidationError
from rest_framework.exceptions import NotFound as DrfNotFound
from rest_framework.exceptions import PermissionDenied as DrfPermissionDenied
from rest_framework.response import Response
from rest_framework.views import set_rollback

from common.api.refusals import TooLarge, Unreadable
from common.errors import AppError, BadInput, Unavailable
from common.requests import request_id

CONTENT_TYPE = "application/problem+json"
INTERNAL = "This did not work, and not because of you. The error was logged under this request_id."
log = structlog.get_logger(__name__)


def exception_handler(error: Exception, context: Mapping[str, Any]) -> Response:
    """REST framework's EXCEPTION_HANDLER."""
    set_rollback()
    known = _known(error)
    if known is None:
        request = context.get("request")
        got_request_exception.send(sender=exception_handler, request=getattr(request, "_request", None))
        log.error("request_failed", exc_info=error)
        return _response(500, "internal_error", INTERNAL)
    if isinstance(known, AppError):
        return _of_app_error(known)
    return _of_api_exception(known)


def _known(error: Exception) -> AppError | APIException | None:
    """The error as one of the two families that have words for it."""
    if isinstance(error, AppError | APIException):
        return error
    if isinstance(error, Http404):
        return DrfNotFound("There is nothing at this address.")
    if isinstance(error, PermissionDenied):
        return DrfPermissionDenied()
    if isinstance(error, RequestDataTooBig):
        return TooLarge(settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0)
    if isinstance(error, SuspiciousOperation | UnreadablePostError):
        return Unreadable()
    if isinstance(error, OperationalError | InterfaceError):
        log.error("database_unavailable", exc_info=error)
        return Unavailable("unavailable", "The database does not answer. Try again in a few seconds.")
    return None


def _of_app_error(error: AppError) -> Response:
    errors = list(_field_errors(error))
    info = error.detail if not isinstance(error, BadInput) else None
    headers = {"Retry-After": str(error.retry_after)} if isinstance(error, Unavailable) else {}
    return _response(error.status, error.code, error.message, errors=errors, info=info, headers=headers)


def _field_errors(error: AppError) -> Iterator[dict[str, str]]:
    """A service that found several things wrong says them by field in `detail`."""
    if not isinstance(error, BadInput):
        return
    if isinstance(error.detail, Mapping):
        yield from (_field(str(name), str(words), error.code) for name, words in error.detail.items())
    elif error.field:
        yield _field(error.field, error.message, error.code)


def _of_api_exception(error: APIException) -> Response:
    headers = {}
    if challenge := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    if isinstance(error, Throttled) and (wait := getattr(error, "wait", None)):
        headers["Retry-After"] = str(int(wait))
    if isinstance(error, ValidationError):
        errors = list(_flat(error.get_full_details(), ""))
        first = errors[0] if errors else _field("", "The request is not valid.", "invalid")
        words = f"{first['field']}: {first['detail']}" if first["field"] else first["detail"]
        return _response(error.status_code, "invalid", words, errors=errors, headers=headers)
    detail = error.get_full_details()
    code = str(detail.get("code", error.default_code)) if isinstance(detail, dict) else error.default_code
    return _response(error.status_code, code, str(error.detail), headers=headers)


def _flat(detail: Any, field: str) -> Iterator[dict[str, str]]:
    """What serializers found, nested by field, as one list; a field's name is its path with dots."""
    if isinstance(detail, Mapping):
        if "message" in detail and "code" in detail and not isinstance(detail["message"], Mapping | list):
            yield _field(field, str(detail["message"]), str(detail["code"]))
            return
        for name, inner in detail.items():
            own = "" if name == "non_field_errors" else str(name)
            yield from _flat(inner, ".".join(part for part in (field, own) if part))
    elif isinstance(detail, list):
        for inner in detail:
            yield from _flat(inner, field)


def _field(name: str, words: str, code: str) -> dict[str, str]:
    return {"field": _text(name), "detail": _text(words), "code": code}


def _response(
    status: int,
    code: str,
    detail: str,
    *,
    errors: list[dict[str, str]] | None = None,
    info: Any = None,
    headers: dict[str, str] | None = None,
) -> Response:
    body = document(status, code, detail)
    if errors:
        body["errors"] = errors
    if info is not None:
        body["info"] = info
    return Response(body, status=status, headers=headers, content_type=CONTENT_TYPE)


def document(status: int, code: str, detail: str) -> dict[str, Any]:
    """What every problem says; of one that nobody expected also under which id the log has it."""
    body = {
        "type": f"{settings.SLIPWAY_URL}/api/docs#problem-{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": _text(detail),
    }
    return {**body, "request_id": request_id()} if status == 500 else body


def _text(words: str) -> str:
    """Messages quote what was sent, which may have half a character in it that nothing can write."""
    return words.encode("utf-8", "replace").decode()
