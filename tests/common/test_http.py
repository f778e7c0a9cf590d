"""Refusals of services as pages and form messages."""

from __future__ import annotations

import pytest
from django import forms
from django.http import HttpResponse
from django.test import RequestFactory

from common.errors import AppError, BadInput, Conflict, Forbidden, NotFound, Unavailable
from common.http import AppErrorMiddleware, add_error

ERRORS = [
    (BadInput("x", "Write <it> so."), 400),
    (Forbidden("x", "You may not."), 403),
    (NotFound("x", "There is none."), 404),
    (Conflict("x", "It is there."), 409),
    (Unavailable("x", "Later.", retry_after=7), 503),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("error", "status"), ERRORS)
def test_an_error_becomes_its_page(rf: RequestFactory, error: AppError, status: int) -> None:
    from django.contrib.auth.models import AnonymousUser

    request = rf.get("/")
    request.user = AnonymousUser()
    response = AppErrorMiddleware(lambda _: HttpResponse()).process_exception(request, error)
    assert response is not None
    assert response.status_code == status
    assert error.message.replace("<", "&lt;").replace(">", "&gt;") in response.content.decode()
    assert response.get("Retry-After") == ("7" if status == 503 else None)


def test_what_isnt_ours_is_left_to_django(rf: RequestFactory) -> None:
    assert AppErrorMiddleware(lambda _: HttpResponse()).process_exception(rf.get("/"), ValueError("secret")) is None


class OneField(forms.Form):
    name = forms.CharField()


@pytest.mark.parametrize(
    ("error", "where"),
    [
        (BadInput("x", "Bad name.", field="name"), "name"),
        (BadInput("x", "Bad thing.", field="other"), "__all__"),
        (Conflict("x", "Taken."), "__all__"),
    ],
)
def test_a_refusal_stands_at_the_field_that_is_to_blame(error: AppError, where: str) -> None:
    form = OneField({"name": "x"})
    assert form.is_valid()
    add_error(form, error)
    assert form.errors[where] == [error.message]
