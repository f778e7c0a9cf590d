"""A task's forms: answering, cancelling, running it again, and what they refuse."""

from __future__ import annotations

import json

import pytest

from accounts.models import User
from events.actors import OPERATOR
from hosting.access.members import member_add
from hosting.models import Deployment, DeploymentVersion, Task, Tool
from hosting.tasks.states import Outcome, State
from hosting.tools.records import tools_seen
from tests.hosting.consent import browser
from tests.hosting.task_pages.making import ASKED, make_task, path_of

pytestmark = pytest.mark.django_db


def test_a_wrong_answer_is_told_at_its_field(deployment: Deployment, alice: User) -> None:
    task = make_task(deployment, alice, questions={"q1": ASKED}, state=State.INPUT_REQUIRED)
    client = browser(alice)
    answer = client.post(path_of(task, "answer"), {"key": "q1", "action": "accept", "f0": "many"})
    assert answer.status_code == 400
    assert "Enter a whole number" in answer.content.decode()
    odd = client.post(path_of(task, "answer"), {"key": "q1", "action": "nonsense"}, follow=True)
    assert "nothing was sent" in odd.content.decode()
    task.refresh_from_db()
    assert list(task.questions) == ["q1"]


def test_a_late_answer_is_told_so(deployment: Deployment, alice: User) -> None:
    task = make_task(deployment, alice, questions={"q2": ASKED}, answered={"q1": "Inspector"})
    client = browser(alice)
    late = client.post(path_of(task, "answer"), {"key": "q1", "action": "accept", "f0": "5"}, follow=True)
    assert "answered already, from Inspector" in late.content.decode()
    done = make_task(deployment, alice, body={})
    over = client.post(path_of(done, "answer"), {"key": "q1", "action": "decline"}, follow=True)
    assert "has ended already" in over.content.decode()
    away = client.post(path_of(task, "answer"), {"key": "q2", "action": "decline"}, follow=True)
    assert "be reached now" in away.content.decode()


def test_cancel_once(deployment: Deployment, alice: User) -> None:
    task = make_task(deployment, alice)
    client = browser(alice)
    client.post(path_of(task, "cancel"))
    task.refresh_from_db()
    assert (task.state, task.outcome) == (State.ENDED, Outcome.CANCELLED)
    assert "ended already" in client.post(path_of(task, "cancel"), follow=True).content.decode()


def test_run_again_with_other_arguments_and_the_hidden_ones_kept(deployment: Deployment, alice: User) -> None:
    task = make_task(deployment, alice, body={})
    client = browser(alice)
    arguments = json.dumps({"path": "/other", "api_key": "[hidden]"})
    answer = client.post(path_of(task, "again"), {"arguments": arguments})
    again = Task.objects.exclude(pk=task.pk).get()
    assert answer["Location"] == path_of(again)
    assert json.loads(again.params) == {"name": "work", "arguments": {"path": "/other", "api_key": "hunter2"}}
    assert (again.origin, again.state, again.user, again.principal) == (
        Task.Origin.PAGE,
        State.ACCEPTED,
        alice,
        str(alice.pk),
    )


@pytest.mark.parametrize("text", ["{", "[]", "5", "null", '"x"', '{"a": ' + "[" * 5000, "{" + " " * 1_000_001 + "}"])
def test_bad_arguments_start_nothing(deployment: Deployment, alice: User, text: str) -> None:
    task = make_task(deployment, alice, body={})
    answer = browser(alice).post(path_of(task, "again"), {"arguments": text})
    assert answer.status_code == 400
    assert Task.objects.count() == 1


def test_a_form_that_is_too_large_is_refused(deployment: Deployment, alice: User) -> None:
    task = make_task(deployment, alice, body={})
    assert browser(alice).post(path_of(task, "again"), {"arguments": " " * 3_000_000}).status_code == 400


def test_run_again_takes_access_to_the_server_now(deployment: Deployment, alice: User, bob: User) -> None:
    member_add(actor=OPERATOR, deployment=deployment, user=bob)
    task = make_task(deployment, bob, body={})
    tools_seen(deployment.pk, [{"name": "work"}])
    DeploymentVersion.objects.update(tools=[{"name": "work"}])
    Tool.objects.update(task_support="forbidden")
    client = browser(bob)
    forbidden = client.post(path_of(task, "again"), {"arguments": "{}"})
    assert "does not let work run as a task" in forbidden.content.decode()
    Tool.objects.update(task_support="", is_enabled=False)
    off = client.post(path_of(task, "again"), {"arguments": "{}"})
    assert "switched off" in off.content.decode()
    Tool.objects.update(is_enabled=True)
    Deployment.objects.update(access="private")
    deployment.memberships.all().delete()
    lost = client.post(path_of(task, "again"), {"arguments": "{}"})
    assert lost.status_code == 400
    assert Task.objects.count() == 1
    page = client.get(path_of(task)).content.decode()
    assert "Run again" not in page
    assert 'href="/d/alice' not in page


@pytest.mark.parametrize("meta", [{}, {"slipway/asked-by": "one of 2 running calls"}])
def test_a_question_says_when_nobody_knows_which_call_asks(
    alice: User, deployment: Deployment, meta: dict[str, str]
) -> None:
    asked = {"method": "elicitation/create", "params": {"message": "Go on?", "_meta": meta}}
    task = make_task(deployment, alice, questions={"q1": asked}, state=State.INPUT_REQUIRED)
    page = browser(alice).get(path_of(task)).content.decode()
    assert ("which of them asks" in page) is bool(meta)
