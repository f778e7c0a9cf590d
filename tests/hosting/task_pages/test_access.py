"""Whose page a task has: its caller's, and nobody else's."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import User
from hosting.models import Deployment, Task
from hosting.tasks.states import State
from tests.hosting.consent import browser
from tests.hosting.task_pages.making import ASKED, make_task, path_of
from tests.nonces import without_nonces

pytestmark = pytest.mark.django_db
ACTIONS = ["cancel", "answer", "again"]


@pytest.mark.parametrize("action", ["", "result", "content/0"])
def test_anothers_task_is_no_task(deployment: Deployment, alice: User, bob: User, action: str) -> None:
    """The deployment's owner is another, too."""
    task = make_task(deployment, bob, body={"content": [{"type": "text", "text": "x"}]})
    assert browser(bob).get(path_of(task, "result")).status_code == 200
    foreign, unknown = [browser(alice).get(f"/tasks/{each}/{action}") for each in (task.id, "x" * len(task.id))]
    assert (foreign.status_code, unknown.status_code) == (404, 404)
    assert without_nonces(foreign.content) == without_nonces(unknown.content)


@pytest.mark.parametrize("action", ACTIONS)
def test_nobody_else_acts_on_it(deployment: Deployment, alice: User, bob: User, action: str) -> None:
    task = make_task(deployment, bob, questions={"q1": ASKED}, state=State.INPUT_REQUIRED)
    assert browser(alice).post(path_of(task, action), {"key": "q1", "action": "decline"}).status_code == 404
    assert Client().post(path_of(task, action)).status_code == 302
    assert browser(bob).get(path_of(task, action)).status_code == 405
    task.refresh_from_db()
    assert (task.state, Task.objects.count()) == (State.INPUT_REQUIRED, 1)


@pytest.mark.parametrize("odd", ["x", "%00", "x" * 300, "..", "%2e%2e", "⟦"])
def test_odd_ids_are_no_tasks(alice: User, odd: str) -> None:
    assert browser(alice).get(f"/tasks/{odd}/").status_code == 404


def test_an_anonymous_callers_task_has_no_page(deployment: Deployment, alice: User) -> None:
    task = make_task(deployment, None)
    assert browser(alice).get(path_of(task)).status_code == 404


def test_an_owner_sees_that_others_tasks_ran_and_nothing_of_them(
    deployment: Deployment, alice: User, bob: User
) -> None:
    make_task(deployment, bob, tool="dig", reason="SAID", progress={"message": "SAID"}, questions={"q": "SAID"})
    make_task(deployment, None, tool="dig", params="SAID", body={"content": [{"type": "text", "text": "SAID"}]})
    make_task(deployment, alice, tool="mine")
    page = browser(alice).get("/d/alice/time/tasks")
    assert [(row["head"].tool, row["head"].who) for row in page.context["heads"]] == [
        ("mine", "alice"),
        ("dig", ""),
        ("dig", "bob"),
    ]
    for secret in ("SAID", "hunter2", "/srv/"):
        assert secret not in page.content.decode()
    assert len(browser(alice).get("/d/alice/time/tasks?state=done").context["heads"]) == 1
    own = browser(bob).get("/d/alice/time/tasks")
    assert [shown.task.tool for shown in own.context["tasks"]] == ["dig"]
