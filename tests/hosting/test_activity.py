"""Activity of a deployment: its numbers are those of the rows, and only who manages it sees them."""

from __future__ import annotations

import importlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from common import clock
from hosting.models import CallHour, Deployment, Task, TaskHour
from hosting.store.cleaning import purge
from hosting.tasks.running import sweep
from hosting.usage.activity import PERIODS, Span, TaskGroup, activity_of
from hosting.usage.calls import CallRow
from hosting.usage.records import calls_write, stats_of
from hosting.usage.tallies import HOURLY_DAYS, calls_join_days
from tests.factories import make_deployment, make_user

pytestmark = pytest.mark.django_db
HOUR = 3600
NOW = datetime(2026, 11, 20, 15, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def half_past_three(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that no span ends between a row and its reading."""
    monkeypatch.setattr(clock, "now", lambda: NOW)


def row(deployment: Deployment, *, ago: float = 0, **changes: Any) -> CallRow:
    values: dict[str, Any] = {
        "deployment_id": str(deployment.pk), "version_id": "", "at": NOW.timestamp() - ago, "microseconds": 20_000,
        "method": "tools/call", "tool": "echo", "sub": "", "client": "", "era": "modern", "bytes_in": 1,
        "bytes_out": 1, "status": "ok", "was_cold": False,
    }  # fmt: skip
    return CallRow(**{**values, **changes})


def task(deployment: Deployment, outcome: str = "", *, ago: float = 0, **changes: Any) -> Task:
    made = Task.objects.create(
        deployment=deployment, principal="p", origin=Task.Origin.MODERN, revision="2026-07-28", tool="t", params="{}",
        state="ended" if outcome else "lacking", outcome=outcome, **changes,
    )  # fmt: skip
    Task.objects.filter(pk=made.pk).update(created_at=clock.now() - timedelta(seconds=ago))
    return made


def figures(span: Span) -> tuple[int, int, int]:
    return span.calls, span.errors, span.cold_starts


def test_numbers_are_those_of_the_rows() -> None:
    deployment, other = make_deployment(make_user()), make_deployment(make_user("bob"))
    calls_write([row(deployment, microseconds=1000 * n) for n in range(1, 101)])
    calls_write(
        [row(deployment, microseconds=5_000_000, status="tool_error", was_cold=True, ago=30 * HOUR)]
        + [row(deployment, status=status, ago=30 * HOUR) for status in ("error", "refused", "cancelled")]
        + [row(deployment, method="tools/list"), row(other), row(deployment, ago=40 * 24 * HOUR)]
    )
    day, week, month = (activity_of(deployment, key) for key in PERIODS)
    assert figures(day.total) == (100, 0, 0)
    assert figures(week.total) == figures(month.total) == (104, 2, 1)
    exact = stats_of(deployment, clock.now() - timedelta(days=7)).total
    assert (exact.calls, exact.errors, exact.cold_starts) == figures(week.total)
    assert week.total.p50 == pytest.approx(exact.p50_ms * 1000, rel=0.05)
    assert week.total.p95 == pytest.approx(exact.p95_ms * 1000, rel=0.05)
    assert [figures(span) for span in week.spans if span.calls] == [(4, 2, 1), (100, 0, 0)]
    assert figures(week.spans[-1]) == (100, 0, 0) and week.spans[0].p95 is None
    assert sum(activity_of(other, "7d").total.steps.values()) == 1


def test_spans_lie_side_by_side_and_the_last_is_now() -> None:
    deployment = make_deployment(make_user())
    for period in PERIODS.values():
        starts = [span.start for span in activity_of(deployment, period.key).spans]
        assert len(starts) == period.count and starts[-1] <= clock.now() < starts[-1] + timedelta(hours=period.hours)
        assert {later - one for one, later in zip(starts, starts[1:], strict=False)} == {timedelta(hours=period.hours)}
        assert starts[0].tzinfo is UTC and starts[0].hour % period.hours == 0
    assert activity_of(deployment, "fortnight").period.key == activity_of(deployment, "").period.key == "7d"


def test_tasks_are_counted_while_they_are_there_and_after() -> None:
    alice = make_user("alice")
    deployment, other = make_deployment(alice), make_deployment(make_user("bob"))
    past = clock.now() - timedelta(minutes=1)
    for outcome in ("result", "result", "tool_error", "error", "lost", "cancelled"):
        task(deployment, outcome, ago=60, expires_at=past, ended_at=past)
    task(deployment, ago=30 * HOUR, user=alice)
    task(deployment, "result", ago=30 * HOUR)
    task(other, "result", expires_at=past)
    before = activity_of(deployment, "7d").total.tasks
    assert before == {TaskGroup.COMPLETED: 3, TaskGroup.FAILED: 3, TaskGroup.CANCELLED: 1, TaskGroup.OPEN: 1}
    sweep()
    assert Task.objects.filter(deployment=deployment).count() == 2
    assert TaskHour.objects.filter(deployment=deployment).count() >= 5
    assert activity_of(deployment, "7d").total.tasks == before
    assert activity_of(deployment, "24h").total.tasks.total() == 6
    sweep()
    assert activity_of(deployment, "7d").total.tasks == before


def test_calls_recorded_before_there_were_counts_are_counted() -> None:
    deployment = make_deployment(make_user())
    lengths = [0, 1, 15, 16, 17, 31, 32, 33, 999, 1024, 123_456, 2**31, 2**49 + 1]
    calls_write([row(deployment, microseconds=length, ago=HOUR * (length % 3)) for length in lengths])
    calls_write([row(deployment, status="refused", method="ping"), row(deployment, status="tool_error", was_cold=True)])

    def counted() -> list[tuple[Any, ...]]:
        fields = ("hour", "step", "calls", "answered", "errors", "cold_starts")
        return list(CallHour.objects.order_by("hour", "step").values_list(*fields))

    written = counted()
    CallHour.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute(importlib.import_module("hosting.migrations.0031_count_calls_there_are").FORWARD)
    assert counted() == written


def test_old_counts_go(settings: Any, tmp_path: Any) -> None:
    settings.SLIPWAY_STORE = tmp_path / "none"
    settings.SLIPWAY_CALL_RECORD_DAYS = 3
    deployment = make_deployment(make_user())
    calls_write([row(deployment, ago=days * 24 * HOUR) for days in (1, 5)])
    TaskHour.objects.create(deployment=deployment, hour=datetime(2026, 1, 1, tzinfo=UTC), tasks=1)
    purge()
    assert CallHour.objects.count() == 1 and not TaskHour.objects.exists()


def test_old_days_are_put_together_and_no_plot_changes() -> None:
    deployment, other = make_deployment(make_user()), make_deployment(make_user("bob"))
    rows = [
        row(one, microseconds=1000 * (1 + hours % 3), status=("ok", "tool_error", "error")[hours % 3], ago=hours * HOUR)
        for hours in range(0, 29 * 24, 5)
        for one in (deployment, other)
    ]
    calls_write(rows)
    before = [[figures(span) + (span.p50, span.p95) for span in activity_of(deployment, key).spans] for key in PERIODS]
    count = CallHour.objects.count()

    calls_join_days()

    kept_since = NOW.replace(hour=0, minute=0) - timedelta(days=HOURLY_DAYS)
    old = CallHour.objects.filter(hour__lt=kept_since)
    assert old.exists() and not old.exclude(hour__hour=0).exists()
    assert CallHour.objects.exclude(hour__hour=0).earliest("hour").hour < kept_since + timedelta(hours=5)
    assert kept_since <= min(activity_of(deployment, key).spans[0].start for key in PERIODS if PERIODS[key].hours < 24)
    assert CallHour.objects.count() < count
    after = [[figures(span) + (span.p50, span.p95) for span in activity_of(deployment, key).spans] for key in PERIODS]
    assert after == before

    calls_write([row(deployment, microseconds=1000, ago=20 * 24 * HOUR)])  # that was held up
    calls_join_days()
    assert not old.exclude(hour__hour=0).exists()
    assert activity_of(deployment, "30d").total.calls == len(rows) // 2 + 1


# --- the page


def page(name: str, path: str = "/d/alice/time/") -> Any:
    client = Client()
    client.force_login(make_user(name))
    return client.get(path)


def test_the_page_draws_what_there_was(django_assert_max_num_queries: Any) -> None:
    alice = make_user("alice")
    deployment = make_deployment(alice)
    client = Client()
    client.force_login(alice)
    assert "Nothing in the last 7 days" in client.get("/d/alice/time/").text
    calls_write([row(deployment, was_cold=True), row(deployment, status="error"), row(deployment, ago=50 * HOUR)])
    task(deployment, "result")
    with django_assert_max_num_queries(12):
        answer = client.get("/d/alice/time/?period=24h")
    assert [plot.key for plot in answer.context["activity"].plots] == ["calls", "durations", "cold", "tasks"]
    assert 'aria-label="Calls and errors in the last 24 hours: 2 calls, 1 error."' in answer.text
    assert "Tasks by when they began in the last 24 hours: 1 task (1 completed)." in answer.text
    assert answer.text.count('<svg class="plot-area"') == 4 and 'fill="url(#plot-hatch)"' in answer.text
    assert [r.span.calls for r in answer.context["activity"].rows] == [2]
    odd = client.get("/d/alice/time/?period=%00'")
    assert odd.status_code == 200 and sum(r.span.calls for r in odd.context["activity"].rows) == 3


def test_only_who_manages_it_sees_how_it_is_used() -> None:
    deployment = make_deployment(make_user("alice"))
    calls_write([row(deployment)])
    assert page("eve").status_code == 404
    Deployment.objects.update(access="public")
    seen = page("bob", "/d/alice/time/?period=30d")
    assert seen.status_code == 200 and seen.context["activity"] is None and "plot" not in seen.text
