"""Errors as pages and form messages: the one place where an AppError becomes HTML."""

from __future__ import annotations

from collections.abc import Callable

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from common.errors import AppError, BadInput, Unavailable


def add_error(form: forms.Form, error: AppError) -> None:
    """Shows a service's refusal at the field that is to blame, or above the form."""
    field = error.field if isinstance(error, BadInput) and error.field in form.fields else None
    form.add_error(field, forms.ValidationError(error.message, code=error.code))


def error_page(request: HttpRequest, error: AppError, *, template: str = "error.html") -> HttpResponse:
    """A page with the status of the error and what it says."""
    response = render(request, template, {"error": error}, status=error.status)
    if isinstance(error, Unavailable):
        response["Retry-After"] = str(error.retry_after)
    return response


class AppErrorMiddleware:
    """Turns an AppError that a view let through into its page. Anything else stays for Django's own handling."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return error_page(request, exception) if isinstance(exception, AppError) else None
