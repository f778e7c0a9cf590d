"""The first page: whose servers and figures it shows to whom, what needs the visitor, and what it costs."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from common import clock
from events.actors import OPERATOR
from hosting.access.members import member_add
from hosting.models import CallRecord, Deployment, Elicitation, Task
from hosting.states import State
from hosting.usage.running_well import DAYS, KEPT_SECONDS, SAMPLE, RunsWell, running_well
from tests.factories import make_deployment, make_user
from tests.registry.site import put

pytestmark = pytest.mark.django_db
MOST_QUERIES = 12


def calls(deployment: Deployment, microseconds: list[int], **fields: Any) -> None:
    made = {"method": "tools/call", "tool": "work", "status": "ok", **fields}
    CallRecord.objects.bulk_create(
        CallRecord(deployment=deployment, microseconds=each, **made) for each in microseconds
    )


def names(found: list[RunsWell]) -> list[str]:
    return [f"{row.owner}/{row.name}" for row in found]


def page(user: User | None) -> Any:
    client = Client()
    if user is not None:
        client.force_login(user)
    return client.get("/")


def task_of(user: User, deployment: Deployment, **fields: Any) -> Task:
    made: dict[str, Any] = {"tool": "dig", "state": "working", "revision": "2026-07-28", "params": "{}", **fields}
    return Task.objects.create(
        deployment=deployment, version=deployment.current_version, user=user, principal=str(user.pk), client="c",
        client_info="{}", origin=Task.Origin.MODERN, **made,
    )  # fmt: skip


# --- what runs well


def test_figures_are_those_of_the_call_records(alice: User) -> None:
    deployment = make_deployment(alice, access="public")
    calls(deployment, [1000 * number for number in range(1, 19)])
    calls(deployment, [100_000], status="tool_error")
    calls(deployment, [200_000], status="error")
    calls(deployment, [9_000_000], status="refused")  # answered by nobody
    calls(deployment, [9_000_000], status="cancelled")
    calls(deployment, [9_000_000], method="tools/list", tool="")
    calls(deployment, [9_000_000] * 5, at=clock.now() - timedelta(days=DAYS, hours=1))

    (row,) = running_well(alice, 5)

    assert (row.calls, row.errors, row.error_percent) == (20, 2, 10.0)
    assert row.p95_microseconds == pytest.approx(105_000)  # between the 19th and the 20th of twenty
    assert "105 ms" in page(alice).content.decode()


def test_who_errs_more_often_than_once_in_ten_calls_does_not_run_well(alice: User) -> None:
    deployment = make_deployment(alice, access="public")
    calls(deployment, [1000] * 8)
    calls(deployment, [1000], status="error")

    assert running_well(alice, 5) == []


def test_only_the_latest_requests_of_a_server_are_looked_at(alice: User) -> None:
    deployment = make_deployment(alice, access="public")
    calls(deployment, [1000] * SAMPLE, at=clock.now() - timedelta(hours=1))
    calls(deployment, [5000] * 50)

    (row,) = running_well(alice, 5)

    assert row.calls == SAMPLE and row.p95_microseconds == 5000


def test_what_was_counted_is_not_counted_again_until_there_is_something_new(alice: User) -> None:
    deployment = make_deployment(alice, access="public")
    calls(deployment, [1000] * 3)
    (row,) = running_well(alice, 5)
    with CaptureQueriesContext(connection) as captured:
        assert running_well(alice, 5) == [row] and len(captured) == 1

    calls(deployment, [1000])

    assert [row.calls for row in running_well(alice, 5)] == [4]


def test_what_is_called_all_the_time_is_counted_after_a_while(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    deployment = make_deployment(alice, access="public")
    calls(deployment, [1000] * SAMPLE)
    assert running_well(alice, 5)[0].p95_microseconds == 1000
    calls(deployment, [5000] * SAMPLE)
    assert running_well(alice, 5)[0].p95_microseconds == 1000

    later = time.monotonic() + KEPT_SECONDS
    monkeypatch.setattr(time, "monotonic", lambda: later)

    assert running_well(alice, 5)[0].p95_microseconds == 5000


def test_the_most_called_first_and_no_more_than_asked_for(alice: User) -> None:
    for number in range(4):
        calls(make_deployment(alice, f"time{number}", access="public"), [1000] * (number + 1))

    assert names(running_well(alice, 2)) == ["alice/time3", "alice/time2"]


@pytest.mark.parametrize("state", [State.STOPPED, State.FAILED, State.DELETING])
def test_what_does_not_run_is_not_listed(alice: User, state: State) -> None:
    calls(make_deployment(alice, access="public", state=state), [1000])

    assert running_well(alice, 5) == []


def test_each_visitor_sees_figures_of_what_they_may_see(alice: User, bob: User) -> None:
    own, shared, public, open_to_all = (
        make_deployment(alice, name, access=access)
        for name, access in [("own", "private"), ("shared", "private"), ("public", "public"), ("open", "public")]
    )
    for deployment in (own, shared, public, open_to_all):
        calls(deployment, [1000])
    Deployment.objects.filter(pk__in=[own.pk, open_to_all.pk]).update(is_anonymous=True)
    member_add(actor=OPERATOR, deployment=shared, user=bob)

    assert names(running_well(alice, 9)) == ["alice/open", "alice/own", "alice/public", "alice/shared"]
    assert names(running_well(bob, 9)) == ["alice/open", "alice/public", "alice/shared"]
    assert names(running_well(make_user("eve"), 9)) == ["alice/open", "alice/public"]
    assert names(running_well(None, 9)) == ["alice/open"]
    body = page(None).content.decode()
    assert "/d/alice/open/" in body
    assert not any(f"/d/alice/{name}/" in body for name in ("own", "shared", "public"))


# --- what needs the visitor


def test_what_waits_stands_first_with_its_number(alice: User, bob: User) -> None:
    deployment = make_deployment(alice, access="public")
    task_of(alice, deployment, state="input_required")
    task_of(bob, deployment, state="input_required", tool="secret_of_bob")
    Elicitation.objects.create(
        id="x" * 32, deployment=deployment, user=alice, client_id="c", expires_at=clock.now() + timedelta(hours=1)
    )

    answer = page(alice)

    body = answer.content.decode()
    assert len(answer.context["waiting"]) == answer.context["waiting_for_you"] == 2
    assert body.index("Action required") < body.index("Your servers")
    assert "The task dig of alice/time needs an answer" in body and "secret_of_bob" not in body
    assert 'data-waiting-count aria-hidden="true">2<' in body  # the header says the same


def test_nothing_waits(alice: User) -> None:
    assert "Action required" not in page(alice).content.decode()


def test_running_tasks_are_ones_own(alice: User, bob: User) -> None:
    deployment = make_deployment(alice, access="public")
    task_of(alice, deployment, tool="mine")
    task_of(alice, deployment, tool="finished", state="ended", outcome="result", ended_at=clock.now())
    task_of(bob, deployment, tool="of_bob")

    body = page(alice).content.decode()

    assert "mine" in body and "finished" not in body and "of_bob" not in body
    assert "Running tasks" not in page(make_user("eve")).content.decode()


def test_ones_servers_are_shown_the_last_changed_first(alice: User, bob: User) -> None:
    make_deployment(bob, "foreign", access="public")
    for number in range(7):
        made = make_deployment(alice, f"time{number}")
        Deployment.objects.filter(pk=made.pk).update(changed_at=clock.now() + timedelta(seconds=number))

    answer = page(alice)

    assert [one.name for one in answer.context["servers"]] == ["time6", "time5", "time4", "time3", "time2"]
    assert answer.context["has_more_servers"]


# --- what is new, and a site that has nothing


def test_what_was_published_last_is_new(alice: User) -> None:
    for number in range(7):
        put(f"org.example/server{number}", published_at=clock.now() - timedelta(days=7 - number))

    found = [row.name for row, _ in page(None).context["newest"]]

    assert found == [f"org.example/server{number}" for number in (6, 5, 4, 3, 2, 1)]


def test_a_new_site_tells_its_operator_what_to_do(alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(is_superuser=True)
    alice.refresh_from_db()

    assert "./manage.py import_registry" in page(alice).content.decode()
    put("org.example/weather")
    assert "./manage.py import_registry" not in page(alice).content.decode()


def test_a_new_site_tells_others_no_commands(alice: User) -> None:
    for user in (None, alice):
        body = page(user).content.decode()
        assert "manage.py" not in body and "No servers yet" in body


# --- what it costs


@pytest.mark.parametrize("is_signed_in", [True, False])
def test_the_page_asks_the_database_little(alice: User, bob: User, is_signed_in: bool) -> None:
    for number in range(MOST_QUERIES):
        put(f"org.example/server{number}")
        deployment = make_deployment(alice, f"time{number}", access="public")
        calls(deployment, [1000] * 3)
        task_of(alice, deployment)
        task_of(alice, deployment, state="input_required")
        theirs = make_deployment(bob, f"time{number}", access="public")
        Elicitation.objects.create(
            id=f"{number:032}",
            deployment=theirs,
            user=alice,
            client_id="c",
            expires_at=clock.now() + timedelta(hours=1),
        )
    client = Client()
    if is_signed_in:
        client.force_login(alice)

    with CaptureQueriesContext(connection) as captured:
        client.get("/")

    assert len(captured) <= MOST_QUERIES, [query["sql"][:120] for query in captured.captured_queries]
