"""The schema is whole and true: every operation is described, answers as it says, and never with a 500."""

from __future__ import annotations

import io
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.core.management import call_command
from django.db import transaction
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import User
from hosting.models import Deployment, Task
from hosting.tools.records import tools_seen
from tests.api.conftest import ApiClient, token_of
from tests.api.described import NAMES, TEXTS, Operation, check_answer, operations, values_of
from tests.factories import make_deployment, make_user

EVERY = pytest.mark.parametrize("operation", list(operations()), ids=lambda operation: operation.name)
EXAMPLES = pytest.mark.parametrize("examples", [5, pytest.param(50, marks=pytest.mark.slow)])
TOOL = {"name": "now", "description": "Tells the time", "inputSchema": {"type": "object"}}


@pytest.fixture
def deployment(alice: User, bob: User) -> Deployment:
    found = make_deployment(alice, tools=[TOOL])
    tools_seen(found.pk, [TOOL])
    asked = {"q1": {"method": "elicitation/create", "params": {"message": "Go on?"}}}
    task = {"id": NAMES["task_id"], "principal": str(alice.pk), "origin": Task.Origin.MODERN, "tool": "now"}
    Task.objects.create(deployment=found, user=alice, params="{}", state="input_required", questions=asked, **task)
    return found


def test_schema_is_valid_and_without_a_warning() -> None:
    out, err = io.StringIO(), io.StringIO()
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=out, stderr=err)
    assert "openapi: 3.1" in out.getvalue()


def test_schema_is_everybodys_to_read() -> None:
    response = Client().get("/api/schema")
    assert response.status_code == 200
    assert response.json()["info"]["title"] == "Slipway"
    assert response.json()["servers"] == [{"url": "http://127.0.0.1:8000"}]
    assert Client().post("/api/schema").status_code == 405


@EVERY
def test_operation_is_described(operation: Operation) -> None:
    described = operation.described
    assert described["summary"] and described["tags"]
    assert set(described["responses"]) >= {"401", "403", "429", "503"}
    assert described["security"] == [{"token": []}, {"session": []}]
    for each in described.get("parameters", ()):
        assert each["in"] != "path" or each["description"]


def test_names_of_operations_are_unique() -> None:
    names = [operation.name for operation in operations()]
    assert len(names) == len(set(names)) > 25


@EVERY
@pytest.mark.django_db
def test_nobody_is_refused(operation: Operation, deployment: Deployment) -> None:
    answer = ApiClient("")(operation.method, operation.url())
    assert answer.status == 401
    check_answer(operation, answer)


OF_NO_DEPLOYMENT = {"listDeployments", "createDeployment", "getQuota", "listTasks", "searchServers", "listCredentials"}


@EVERY
@pytest.mark.django_db
def test_anothers_is_not_to_be_found(operation: Operation, deployment: Deployment) -> None:
    stranger = ApiClient(token_of(make_user("mallory")))
    before = Deployment.objects.values().get()
    body: dict[str, Any] | None = {} if operation.body else None
    answer = stranger(operation.method, operation.url(), body)
    if operation.name in OF_NO_DEPLOYMENT:
        assert "alice" not in str(answer.body)
        return
    assert answer.status == 404
    assert answer.body == stranger(operation.method, operation.url(name="none"), body).body
    check_answer(operation, answer)
    assert Deployment.objects.values().get() == before


@EVERY
@pytest.mark.django_db
def test_scope_is_asked_for(operation: Operation, deployment: Deployment, alice: User) -> None:
    wrong = "deployments:write" if operation.method == "GET" else "deployments:read"
    answer = ApiClient(token_of(alice, wrong))(operation.method, operation.url())
    assert answer.code == "insufficient_scope"
    check_answer(operation, answer)


@EVERY
@EXAMPLES
@pytest.mark.django_db
def test_whatever_is_sent_nothing_breaks(
    operation: Operation, examples: int, deployment: Deployment, alice: User
) -> None:
    api = ApiClient(token_of(alice))
    names = st.fixed_dictionaries(
        {name: st.one_of(st.just(NAMES[name]), _segments(name)) for name in operation.path_parameters}
    )
    query = st.fixed_dictionaries({}, optional={name: values_of(each) for name, each in operation.query.items()})
    body = values_of(operation.body) if operation.body else st.none()

    @settings(max_examples=examples, suppress_health_check=list(HealthCheck))
    @given(names=names, query=query, body=body)
    def sent(names: dict[str, str], query: dict[str, Any], body: Any) -> None:
        pairs = urlencode({name: str(value).encode("utf-8", "replace") for name, value in query.items()})
        with transaction.atomic():  # each example finds what the first one found
            answer = api(operation.method, f"{operation.url(**names)}?{pairs}", body)
            transaction.set_rollback(True)
        assert answer.status < 500, answer.body
        if answer.code_or_none != "not_found":  # an address of nobody's, made of names that fit none
            check_answer(operation, answer)

    sent()


def _segments(name: str) -> st.SearchStrategy[str]:
    if name == "number":
        return st.integers(0, 10**30).map(str)
    if name == "token_id":
        return st.uuids().map(str)
    texts = TEXTS.map(lambda text: quote(text.encode("utf-8", "replace"), safe=""))
    return texts.filter(lambda text: text not in ("", ".", ".."))
