"""Call records in the database: written in batches, read by who may, counted by tool, deleted with age."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from common import clock
from common.errors import NotFound
from hosting.models import CallRecord, Deployment
from hosting.store.cleaning import purge
from hosting.usage.calls import CallRow
from hosting.usage.records import calls_of, calls_write, stats_of
from tests.factories import actor_of, make_deployment, make_user

pytestmark = pytest.mark.django_db


def row(deployment: Deployment, sub: Any = "", **changes: Any) -> CallRow:
    values: dict[str, Any] = {
        "deployment_id": str(deployment.pk), "version_id": str(deployment.current_version_id), "at": time.time(),
        "microseconds": 1000, "method": "tools/call", "tool": "echo", "sub": str(sub), "client": "cli",
        "era": "modern", "bytes_in": 10, "bytes_out": 20, "status": "ok", "was_cold": False,
    }  # fmt: skip
    return CallRow(**{**values, **changes})


def test_rows_are_written_as_they_were() -> None:
    alice = make_user()
    deployment = make_deployment(alice)
    at = 1_800_000_000.654321
    calls_write(
        [row(deployment, alice.pk, at=at, microseconds=7, tool='a\tb\\n"\n', was_cold=True, status="tool_error")]
    )
    [record] = CallRecord.objects.all()
    assert (record.deployment, record.version_id, record.user) == (deployment, deployment.current_version_id, alice)
    assert (record.tool, record.client, record.era, record.method) == ('a\tb\\n"\n', "cli", "modern", "tools/call")
    assert abs(record.at.timestamp() - at) < 1e-5
    assert (record.microseconds, record.bytes_in, record.bytes_out) == (7, 10, 20)
    assert (record.status, record.was_cold) == ("tool_error", True)


def test_rows_of_what_is_gone() -> None:
    """A deleted deployment's rows go; a deleted user's and a version's stay without them."""
    deployment = make_deployment(make_user())
    calls_write(
        [
            row(deployment, deployment_id=str(uuid4())),
            row(deployment, "anonymous", client="s1", tool="\ud800\0x"),
            row(deployment, uuid4(), version_id="", tool="x" * 256, client="c" * 300),
        ]
    )
    first, second = CallRecord.objects.order_by("pk")
    assert (first.user, first.client, first.tool) == (None, "s1", "?x")
    assert (second.user, second.version, second.client) == (None, None, "c" * 200)


def test_statistics_by_tool() -> None:
    deployment, other = make_deployment(make_user()), make_deployment(make_user("bob"))
    calls_write(
        [row(deployment, microseconds=1000 * n) for n in range(1, 101)]
        + [row(deployment, tool="slow", microseconds=5_000_000, status="tool_error", was_cold=True)]
        + [row(deployment, tool="slow", status="error"), row(deployment, tool="slow", status="refused")]
        + [row(deployment, method="tools/list", tool=""), row(other, tool="theirs")]
        + [row(deployment, tool="old", at=time.time() - 7200)]
    )
    stats = stats_of(deployment, clock.now() - timedelta(hours=1))
    echo, slow = stats.tools
    assert (echo.tool, echo.calls, echo.errors, echo.cold_starts) == ("echo", 100, 0, 0)
    assert (echo.p50_ms, round(echo.p95_ms, 2)) == (50.5, 95.05)
    assert (slow.tool, slow.calls, slow.errors, slow.cold_starts, slow.p50_ms) == ("slow", 3, 2, 1, 5000.0)
    assert (stats.total.calls, stats.total.errors, stats.total.cold_starts) == (103, 2, 1)
    nothing = stats_of(other, clock.now() + timedelta(hours=1))
    assert (nothing.total.calls, nothing.total.p95_ms, nothing.tools) == (0, 0.0, [])


def test_the_owner_sees_all_and_a_caller_their_own() -> None:
    alice, bob, eve = make_user("alice"), make_user("bob"), make_user("eve")
    deployment = make_deployment(alice)
    deployment.members.add(bob)
    calls_write([row(deployment, alice.pk), row(deployment, bob.pk, tool="b"), row(deployment, "anonymous")])
    assert len(calls_of(actor_of(alice), deployment).calls) == 3
    assert [call.tool for call in calls_of(actor_of(bob), deployment).calls] == ["b"]
    assert calls_of(actor_of(bob), deployment, tool="echo").calls == []
    with pytest.raises(NotFound):
        calls_of(actor_of(eve), deployment)


def test_pages_of_calls() -> None:
    alice = make_user()
    deployment = make_deployment(alice)
    at = time.time()
    calls_write([row(deployment, tool=str(n), at=at - n // 2, status="error" if n == 4 else "ok") for n in range(7)])
    seen: list[str] = []
    after = ""
    while True:
        page = calls_of(actor_of(alice), deployment, after=after, limit=3)
        seen += [call.tool for call in page.calls]
        after = page.next
        if not after:
            break
    assert sorted(seen) == list("0123456") and seen[-1] == "6"
    assert len(calls_of(actor_of(alice), deployment, after="rubbish~1", limit=3).calls) == 3
    assert [call.tool for call in calls_of(actor_of(alice), deployment, status="error").calls] == ["4"]


def test_old_records_go(settings: Any, tmp_path: Any) -> None:
    settings.SLIPWAY_STORE = tmp_path / "none"
    settings.SLIPWAY_CALL_RECORD_DAYS = 3
    deployment = make_deployment(make_user())
    day = 86_400
    calls_write([row(deployment, at=time.time() - 3 * day - 60), row(deployment, tool="new", at=time.time() - 2 * day)])
    purge()
    assert [call.tool for call in CallRecord.objects.all()] == ["new"]
