"""Errors that no view caught: our pages, problem documents for programs, and an id that the log has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import BadRequest, PermissionDenied
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import path
from rest_framework.request import Request
from rest_framework.views import APIView

from common.errors import AppError

pytestmark = pytest.mark.django_db

RAISED: dict[str, Exception] = {
    "bad": BadRequest("words"),
    "forbidden": PermissionDenied("words"),
    "missing": Http404("words"),
    "many": AppError("too_many", "Wait a little.", 429),
    "broken": RuntimeError("hunter2 <script>"),
    "away": OperationalError("server closed the connection"),
}


def fails(request: HttpRequest, kind: str) -> HttpResponse:
    raise RAISED[kind]


class Fails(APIView):
    authentication_classes = ()
    permission_classes = ()

    def get(self, request: Request, kind: str) -> HttpResponse:
        raise RAISED[kind]


# As a module of URLs, instead of the site's.
urlpatterns = [
    path("fails/<str:kind>", fails),
    path("api/plain/<str:kind>", fails),
    path("api/view/<str:kind>", Fails.as_view()),
]
handler500 = "config.errors.server_error"


@pytest.fixture
def visitor() -> Iterator[Client]:
    with override_settings(ROOT_URLCONF=__name__):
        yield Client(raise_request_exception=False)


@pytest.mark.parametrize(
    ("kind", "status", "words"),
    [
        ("bad", 400, "could not be understood"),
        ("forbidden", 403, "You can&#x27;t open this"),
        ("missing", 404, "There is nothing here"),
        ("many", 429, "Too many requests"),
        ("broken", 500, "Something went wrong on our side"),
        ("away", 503, "The database does not answer"),
    ],
)
def test_each_error_has_a_page_of_ours(visitor: Client, kind: str, status: int, words: str) -> None:
    answer = visitor.get(f"/fails/{kind}")
    text = answer.content.decode()
    assert answer.status_code == status
    assert words in text.replace("can't", "can&#x27;t") and f'error-code">{status}' in text
    assert "hunter2" not in text and ("Search the registry" in text) == (status == 404)
    assert 'class="nav-link" href="/registry/"' in text
    assert answer["X-Frame-Options"] == "DENY" and "default-src 'none'" in answer["Content-Security-Policy"]
    nonce = re.search(r"script-src 'nonce-([^']+)'", answer["Content-Security-Policy"])
    assert nonce and f'nonce="{nonce[1]}"' in text


@pytest.mark.parametrize("kind", ["forbidden", "missing"])
def test_who_is_not_signed_in_may_and_comes_back(visitor: Client, kind: str) -> None:
    text = visitor.get(f"/fails/{kind}?a=1&b=2").content.decode()
    assert f'href="/accounts/login/?next=/fails/{kind}%3Fa%3D1%26b%3D2"' in text and "/servers/" not in text


@pytest.mark.parametrize("kind", list(RAISED))
def test_who_brings_a_session_gets_the_ways_of_somebody_signed_in(visitor: Client, kind: str) -> None:
    visitor.cookies[settings.SESSION_COOKIE_NAME] = "of-somebody"
    text = visitor.get(f"/fails/{kind}").content.decode()
    assert 'class="nav-link" href="/servers/"' in text and "/accounts/login/" not in text


def test_a_page_that_fails_names_the_id_that_the_log_has(
    visitor: Client, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    shown = re.search(r"<code>([0-9a-f-]{36})</code>", visitor.get("/fails/broken").content.decode())
    assert shown
    logged = [record.msg for record in caplog.records if isinstance(record.msg, dict)]
    failed = [line for line in logged if line.get("event") == "request_failed"]
    assert [line["request_id"] for line in failed] == [shown[1]]


@pytest.mark.parametrize("form", ["plain", "view"])
def test_programs_get_a_problem_document_with_the_id(
    visitor: Client, caplog: pytest.LogCaptureFixture, form: str
) -> None:
    answer = visitor.get(f"/api/{form}/broken")
    body = answer.json()
    assert answer.status_code == 500 and answer["Content-Type"] == "application/problem+json"
    assert body["code"] == "internal_error" and "hunter2" not in answer.content.decode()
    logged: list[Any] = [record.msg for record in caplog.records if isinstance(record.msg, dict)]
    assert body["request_id"] in {line["request_id"] for line in logged if line.get("event") == "request_failed"}


@pytest.mark.parametrize("path", ["/fails/away", "/api/plain/away", "/api/view/away"])
def test_without_the_database_everybody_is_told_to_come_back(visitor: Client, path: str) -> None:
    answer = visitor.get(path)
    assert answer.status_code == 503 and int(answer["Retry-After"]) > 0
    assert ("json" in answer["Content-Type"]) == path.startswith("/api/")


def test_an_id_that_a_client_made_up_is_not_taken(visitor: Client) -> None:
    text = visitor.get("/fails/broken", headers={"X-Request-ID": "made-up"}).content.decode()
    assert "made-up" not in text
