"""Tasks that wait for a page, as rows: how they begin to wait, go on, and end, alone and a thousand at once."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from common import clock
from common.errors import NotFound
from hosting.credentials import waiting
from hosting.credentials.eliciting import (
    credentials_put,
    elicitation_decline,
    elicitation_done,
    elicitation_open,
    elicitations_expire,
    elicitations_purge,
)
from hosting.credentials.personal import personal_set
from hosting.credentials.refusals import DECLINED, DISMISSED, LATE
from hosting.models import Deployment, DeploymentMember, Elicitation, Task, TaskResult
from hosting.tasks import services
from hosting.tasks.accepting import Lacking, task_create, task_create_lacking
from hosting.tasks.answers import task_answer
from hosting.tasks.lacking import AT_ONCE, tasks_stranded
from hosting.waiting.selectors import waiting_count, waiting_of
from tests.factories import actor_of, make_user
from tests.hosting.consent import browser
from tests.hosting.waiting import KEY, make_asking, wait, wanted
from vault.models import Secret

pytestmark = pytest.mark.django_db


@pytest.fixture
def deployment(alice: User, bob: User) -> Deployment:
    return make_asking(alice, bob)


def page_of(task: Task) -> Elicitation:
    return Elicitation.objects.get(pk=task.elicitation_id)


def bring(deployment: Deployment, user: User) -> None:
    assert credentials_put(actor=actor_of(user), deployment=deployment, values={KEY: "hunter2-hunter2"}) == {}


def states(*tasks: Task) -> list[str]:
    return [Task.objects.get(pk=task.pk).state for task in tasks]


def test_one_page_starts_all_that_its_user_waits_for(deployment: Deployment, alice: User, bob: User) -> None:
    first, same, other = wait(deployment, bob), wait(deployment, bob), wait(deployment, bob, "another")
    hers = wait(deployment, alice)
    assert first.elicitation_id == same.elicitation_id != other.elicitation_id
    assert states(first, same, other, hers) == ["lacking"] * 4
    assert waiting_count(bob.pk) == len(waiting_of(bob.pk)) == 2, "pages; what waits for them is nothing more to do"
    bring(deployment, bob)
    elicitation_done(actor=actor_of(bob), elicitation=page_of(first))
    assert states(first, same, other, hers) == ["accepted", "accepted", "accepted", "lacking"]
    assert page_of(first).state == page_of(other).state == "done", "both asked the same"
    assert page_of(hers).state == "open"
    first.refresh_from_db()
    assert (first.questions, first.elicitation_id, first.attempts) == ({}, None, 0)


def test_a_start_waits_where_something_is_missing_by_then(deployment: Deployment, bob: User) -> None:
    task = task_create(wanted(deployment, bob))
    assert waiting.task_waits(task) and states(task) == ["lacking"]
    task.refresh_from_db()
    assert task.questions == {} and f"/elicit/{task.elicitation_id}" in task.reason
    bring(deployment, bob)
    elicitation_done(actor=actor_of(bob), elicitation=page_of(task))
    task.refresh_from_db()
    assert not waiting.task_waits(task) and states(task) == ["accepted"]


def test_what_is_needed_no_more_keeps_nobody_waiting(deployment: Deployment, alice: User, bob: User) -> None:
    task, other = wait(deployment, bob), wait(deployment, bob, "another")
    waiting.waiting_settle(deployment.pk)
    assert states(task, other) == ["lacking", "lacking"]
    personal_set(actor=actor_of(alice), deployment=deployment, keys=[])
    waiting.waiting_settle(deployment.pk)
    assert states(task, other) == ["accepted", "accepted"]
    assert set(Elicitation.objects.values_list("state", flat=True)) == {"done"}


def test_what_waits_is_cancelled_like_any_task(deployment: Deployment, bob: User) -> None:
    task = wait(deployment, bob)
    services.task_cancel(task)
    bring(deployment, bob)
    elicitation_done(actor=actor_of(bob), elicitation=Elicitation.objects.get())
    task.refresh_from_db()
    assert (task.state, task.outcome) == ("ended", "cancelled")


def test_a_declined_page_ends_only_what_waits_for_it(deployment: Deployment, bob: User) -> None:
    task, other = wait(deployment, bob), wait(deployment, bob, "another")
    elicitation_decline(actor=actor_of(bob), elicitation=page_of(task))
    task.refresh_from_db()
    assert (task.state, task.outcome, task.reason) == ("ended", "tool_error", DECLINED)
    body = json.loads(bytes(TaskResult.objects.get().body))
    assert body == {"content": [{"type": "text", "text": DECLINED}], "isError": True}
    assert states(other) == ["lacking"]


def test_a_page_that_is_put_off_ends_what_waits_and_the_next_call_asks_anew(deployment: Deployment, bob: User) -> None:
    task, other = wait(deployment, bob), wait(deployment, bob, "another")
    page = page_of(task)
    path = f"/elicit/{page.pk}"
    assert browser(make_user("eve")).post(path, {"action": "cancel"}).status_code == 404
    assert states(task, other) == ["lacking", "lacking"]
    shown = browser(bob).post(path, {"action": "cancel"}, follow=True).content.decode()
    assert "The next one asks you again" in shown and page_of(other).state == "open"
    task.refresh_from_db()
    assert (task.state, task.outcome, task.reason) == ("ended", "tool_error", DISMISSED) and states(other) == [
        "lacking"
    ]
    for again in ({"action": "cancel"}, {"action": "decline"}, {"v0": "hunter2-hunter2"}):
        assert browser(bob).post(path, again).status_code == 410
    page.refresh_from_db()
    assert page.state == "cancelled" and not Secret.objects.exists()
    assert wait(deployment, bob).elicitation_id != page.pk


def test_an_answer_from_the_site_counts_like_the_clients(deployment: Deployment, alice: User, bob: User) -> None:
    task = wait(deployment, bob)
    (key,) = task.questions
    task_answer(task, key, result={"action": "accept"})
    assert task.state == "lacking" and not task.questions, "to agree is to open the page, no more"
    second = wait(deployment, bob)
    task_answer(second, key, result={"action": "decline"})
    assert states(task, second) == ["ended", "ended"]
    hers = wait(deployment, alice)
    DeploymentMember.objects.all().delete()
    Deployment.objects.update(owner=bob.name)
    with pytest.raises(NotFound):
        waiting.question_answer(hers, "decline")


def test_what_waits_for_no_page_is_started(deployment: Deployment, bob: User) -> None:
    lost, kept = wait(deployment, bob), wait(deployment, bob, "another")
    Elicitation.objects.filter(pk=lost.elicitation_id).delete()
    assert tasks_stranded() == 1
    assert states(lost, kept) == ["accepted", "lacking"]


def test_asking_after_an_hour_ends_what_waited_till_then(deployment: Deployment, bob: User) -> None:
    task = wait(deployment, bob)
    Elicitation.objects.update(expires_at=clock.now() - timedelta(seconds=1))
    fresh = elicitation_open(user_id=bob.pk, client_id="cli", deployment_id=deployment.pk)
    assert fresh.pk != task.elicitation_id and states(task) == ["ended"]


def test_a_thousand_late_pages_end_with_what_waits_in_a_few_statements(
    deployment: Deployment, bob: User, django_assert_max_num_queries: Any
) -> None:
    now = clock.now()
    whose: dict[str, Any] = {"user": bob, "deployment": deployment}
    pages = [Elicitation(client_id=f"c{n}", expires_at=now - timedelta(seconds=1), **whose) for n in range(1000)]
    Elicitation.objects.bulk_create(pages)
    late = [
        task_create_lacking(wanted(deployment, bob, page.client_id, ttl_ms=60_000), Lacking(page.pk, "waits"))
        for page in pages[:40]
    ]
    Task.objects.bulk_create(
        [
            Task(deployment=deployment, user=bob, principal=str(bob.pk), tool="echo", params="{}", state="lacking",
                 revision="2026-07-28", origin=Task.Origin.MODERN, elicitation=page)
            for page in pages
        ]
    )  # fmt: skip
    open_still = wait(deployment, bob)
    Task.objects.filter(pk__in=[task.pk for task in late]).update(expires_at=now)
    with django_assert_max_num_queries(30), CaptureQueriesContext(connection) as seen:
        assert elicitations_expire() == 1000 <= AT_ONCE
    assert len(seen) < 30
    assert states(open_still) == ["lacking"] and page_of(open_still).state == "open"
    ended = Task.objects.exclude(pk=open_still.pk)
    assert ended.count() == 1040 == TaskResult.objects.count()
    assert set(ended.values_list("state", "outcome", "reason")) == {("ended", "tool_error", LATE)}
    assert not ended.filter(expires_at__lt=clock.now()).exists(), "somebody may still read the words"
    assert elicitations_expire() == 0
    Elicitation.objects.exclude(pk=open_still.elicitation_id).update(expires_at=now - timedelta(days=2))
    elicitations_purge()
    assert Elicitation.objects.get().pk == open_still.elicitation_id
