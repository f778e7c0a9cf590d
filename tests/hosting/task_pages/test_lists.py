"""Lists of tasks: one's own, and those that a server ran."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from common import clock
from hosting.models import Deployment
from hosting.tasks.states import State
from tests.factories import make_deployment, make_user
from tests.hosting.consent import browser
from tests.hosting.task_pages.making import make_task, path_of

pytestmark = pytest.mark.django_db


def test_the_list_is_ones_own_newest_first_and_filtered(deployment: Deployment, alice: User, bob: User) -> None:
    make_task(deployment, bob, tool="his")
    other = make_deployment(alice, "other")
    make_task(deployment, alice, tool="first", state=State.INPUT_REQUIRED)
    make_task(other, alice, tool="second", body={"content": []})
    client = browser(alice)

    def tools(query: str = "") -> list[str]:
        return [shown.task.tool for shown in client.get(f"/tasks/{query}").context["tasks"]]

    assert tools() == ["second", "first"]
    assert tools("?state=input_required") == ["first"]
    assert tools("?state=done") == ["second"]
    assert tools("?state=working") == []
    assert tools(f"?server={other.pk}") == ["second"]
    for odd in ("?state=x", "?server=x", "?after=x", "?after=2020~x", "?after=%00", f"?after={'9' * 500}"):
        assert tools(odd) == ["second", "first"]


def test_the_list_has_pages(deployment: Deployment, alice: User) -> None:
    now = clock.now()
    for i in range(35):
        make_task(deployment, alice, created_at=now - timedelta(seconds=i), state=State.ACCEPTED)
    client = browser(alice)
    first = client.get("/tasks/?state=working")
    second = client.get(f"/tasks/?{first.context['older']}")
    assert (len(first.context["tasks"]), len(second.context["tasks"]), second.context["older"]) == (30, 5, "")


def test_an_empty_list_says_what_a_task_is(alice: User) -> None:
    assert "A task is a tool call that goes on by itself" in browser(alice).get("/tasks/").content.decode()
    assert Client().get("/tasks/").status_code == 302


def test_the_header_counts_what_waits_for_an_answer(deployment: Deployment, alice: User, bob: User) -> None:
    for user in (alice, alice, bob):
        make_task(deployment, user, state=State.INPUT_REQUIRED)
    page = browser(alice).get("/servers/").content.decode()
    assert "2 things wait for you" in page
    carol = browser(make_user("carol")).get("/servers/").content.decode()
    assert "data-waiting-count" in carol
    assert "0 things wait for you" in carol  # hidden until there is one


@pytest.mark.parametrize("path", ["/tasks/", "/d/alice/time/tasks", "TASK"])
def test_pages_need_few_queries(
    deployment: Deployment, alice: User, path: str, django_assert_max_num_queries: Any
) -> None:
    tasks = [make_task(deployment, alice) for _ in range(5)]
    client = browser(alice)
    with django_assert_max_num_queries(16):
        assert client.get(path_of(tasks[0]) if path == "TASK" else path).status_code == 200
