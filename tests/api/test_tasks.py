"""Tasks over the API: one's own, read, answered and cancelled; another's is none."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from accounts.models import User
from common import clock
from hosting.models import Task, TaskResult
from hosting.tasks.states import Outcome, State
from tests.api.conftest import ApiClient, token_of
from tests.api.described import CheckedClient
from tests.factories import make_deployment

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(alice: User) -> ApiClient:
    return CheckedClient(token_of(alice))


@pytest.fixture
def as_bob(bob: User) -> ApiClient:
    return CheckedClient(token_of(bob))


def make_task(user: User, name: str = "time", **fields: Any) -> Task:
    named = {"principal": str(user.pk), "origin": Task.Origin.MODERN, "tool": "work", "state": State.WORKING}
    deployment = user.name.deployments.filter(folded_name=name).first() or make_deployment(user, name)
    return Task.objects.create(**{"deployment": deployment, "user": user, "params": "{}", **named, **fields})


def test_listed_newest_first_in_pages_and_filtered(api: ApiClient, alice: User, bob: User) -> None:
    make_task(bob)
    now = clock.now()
    for i in range(3):
        make_task(alice, tool=f"t{i}", created_at=now - timedelta(seconds=i))
    make_task(alice, tool="asks", state=State.INPUT_REQUIRED, created_at=now - timedelta(seconds=9))
    first = api("GET", "tasks?limit=2").body
    second = api("GET", f"tasks?limit=2&cursor={first['next'].replace('+', '%2B')}").body
    assert [task["tool"] for task in [*first["items"], *second["items"]]] == ["t0", "t1", "t2", "asks"]
    assert second["next"] is None
    assert [task["tool"] for task in api("GET", "tasks?state=input_required").body["items"]] == ["asks"]
    for odd in ("state=nonsense", "deployment=x", "limit=0", "limit=9999"):
        assert api("GET", f"tasks?{odd}").status == 400


def test_one_with_its_result_and_without_secrets(api: ApiClient, alice: User) -> None:
    params = '{"name": "work", "arguments": {"password": "hunter2", "n": 1}}'
    task = make_task(alice, params=params, progress={"progress": 1, "total": 2}, questions={"q1": {"method": "x"}})
    found = api("GET", f"tasks/{task.id}").body
    assert found["arguments"] == {"password": "[hidden]", "n": 1}
    assert found["progress"]["fraction"] == 0.5
    assert (found["questions"], found["result"], found["deployment"]) == ({"q1": {"method": "x"}}, None, "alice/time")
    Task.objects.update(state=State.ENDED, outcome=Outcome.RESULT, result_bytes=14)
    TaskResult.objects.create(task=task, body=b'{"content":[]}')
    assert api("GET", f"tasks/{task.id}").body["result"] == {"content": []}
    Task.objects.update(outcome=Outcome.ERROR)
    assert api("GET", f"tasks/{task.id}").body["error"] == {"content": []}


def test_whatever_a_server_said_can_be_read(api: ApiClient, alice: User) -> None:
    odd = {"progress": "half", "total": [], "message": 5}
    task = make_task(alice, progress=odd, state=State.ENDED, outcome=Outcome.RESULT, result_bytes=2)
    TaskResult.objects.create(task=task, body=b"[]")
    found = api("GET", f"tasks/{task.id}").body
    assert (found["progress"]["progress"], found["progress"]["message"], found["result"]) == (None, "", None)


@pytest.mark.parametrize(("method", "action"), [("GET", ""), ("POST", "/cancel"), ("POST", "/answer")])
def test_anothers_task_is_none(as_bob: ApiClient, alice: User, method: str, action: str) -> None:
    task = make_task(alice, questions={"q1": {}})
    body = {"key": "q1", "result": {}} if action == "/answer" else None
    foreign, unknown = [as_bob(method, f"tasks/{each}{action}", body) for each in (task.id, "x" * 32)]
    assert (foreign.status, foreign.body) == (404, unknown.body)
    task.refresh_from_db()
    assert task.state == State.WORKING


def test_cancelled_once(api: ApiClient, alice: User) -> None:
    task = make_task(alice)
    assert api("POST", f"tasks/{task.id}/cancel").body["outcome"] == "cancelled"
    assert api("POST", f"tasks/{task.id}/cancel").code == "task_over"


def test_answers_that_come_too_late_or_make_no_sense(api: ApiClient, alice: User) -> None:
    task = make_task(alice, answered={"q1": "this site"}, questions={"q2": {}})
    late = api("POST", f"tasks/{task.id}/answer", {"key": "q1", "result": {"action": "decline"}})
    assert (late.status, late.code) == (409, "answered")
    assert "from this site" in late.body["detail"]
    assert api("POST", f"tasks/{task.id}/answer", {"key": "q2", "result": {}}).status == 503  # nobody runs it
    body: Any
    for body in ({}, {"key": "q2"}, {"key": "q2", "result": 5}, {"key": "q2", "result": {}, "x": 1}, []):
        assert api("POST", f"tasks/{task.id}/answer", body).status == 400
    assert api("POST", f"tasks/{task.id}/answer", {"key": "q2", "result": {"x": "y" * 600_000}}).status == 413


def test_scopes(alice: User) -> None:
    task = make_task(alice)
    assert CheckedClient(token_of(alice, "deployments:read"))("GET", "tasks").status == 403
    reads = CheckedClient(token_of(alice, "tasks:read"))
    assert reads("GET", f"tasks/{task.id}").status == 200
    assert reads("POST", f"tasks/{task.id}/cancel").status == 403
    assert CheckedClient("")("GET", "tasks").status == 401


@pytest.mark.parametrize(
    ("state", "outcome"),
    [*((state, "") for state in State if state is not State.ENDED), *((State.ENDED, outcome) for outcome in Outcome)],
)
def test_every_state_and_outcome_is_as_described(api: ApiClient, alice: User, state: State, outcome: str) -> None:
    asked = {"q1": {"method": "elicitation/create"}} if state is State.INPUT_REQUIRED else {}
    at = clock.now()
    times: dict[str, Any] = {"started_at": at, "ended_at": at, "expires_at": at} if outcome else {}
    task = make_task(alice, state=state, outcome=outcome, questions=asked, **times)
    if outcome in (Outcome.RESULT, Outcome.TOOL_ERROR, Outcome.ERROR):
        TaskResult.objects.create(task=task, body=b'{"content":[],"message":"it"}')
        Task.objects.update(result_bytes=29)
    found = api("GET", f"tasks/{task.id}").body
    assert (found["state"], found["outcome"]) == (state, outcome or None)
    assert api("GET", "tasks").body["items"][0]["id"] == task.id
    assert api("POST", f"tasks/{task.id}/cancel").status == (409 if outcome else 200)
