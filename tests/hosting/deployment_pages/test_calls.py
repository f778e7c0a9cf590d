"""Who sees which calls of a deployment, and where it connected to."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from accounts.models import User
from common import clock
from hosting.models import CallRecord, Deployment, EgressRecord
from tests.hosting.consent import browser
from tests.hosting.deployment_pages.forms import EVIL

pytestmark = pytest.mark.django_db


def test_callers_see_their_own_calls_and_owners_all(client: Client, deployment: Deployment, bob: User) -> None:
    Deployment.objects.update(access="public")
    for user, tool in ((bob, "read"), (None, EVIL)):
        CallRecord.objects.create(deployment=deployment, method="tools/call", tool=tool, user=user, microseconds=1500)
    page = client.get("/d/alice/time/calls")
    assert len(page.context["calls"]) == 2
    assert [tool.calls for tool in page.context["stats"].tools] == [1, 1]
    assert EVIL not in page.content.decode()
    assert "1.5 ms" in page.content.decode()
    own = browser(bob).get("/d/alice/time/calls")
    assert ([call.tool for call in own.context["calls"]], own.context["stats"]) == (["read"], None)
    assert len(client.get("/d/alice/time/calls?tool=read&status=ok").context["calls"]) == 1
    for odd in ("after=x", "after=2020-01-01T00:00:00%2B00:00~1", "status=nope", "tool=%00", "tool=" + "x" * 3000):
        assert client.get(f"/d/alice/time/calls?{odd}").status_code == 200


def test_older_calls_are_on_further_pages(client: Client, deployment: Deployment) -> None:
    now = clock.now()
    CallRecord.objects.bulk_create(
        CallRecord(deployment=deployment, method="ping", at=now - timedelta(seconds=i)) for i in range(60)
    )
    first = client.get("/d/alice/time/calls")
    second = client.get(f"/d/alice/time/calls?{first.context['older']}")
    assert (len(first.context["calls"]), len(second.context["calls"]), second.context["older"]) == (50, 10, "")


def test_connections_are_added_up_by_host(client: Client, deployment: Deployment) -> None:
    today = clock.now().date()
    for days, host in ((0, "api.example.org"), (1, "api.example.org"), (2, EVIL), (30, "long.ago")):
        EgressRecord.objects.create(
            deployment=deployment,
            day=today - timedelta(days=days),
            host=host,
            port=443,
            connections=2,
            refused=1,
            octets=2048,
        )
    page = client.get("/d/alice/time/logs")
    found = [(row.host, row.connections, row.refused, row.octets) for row in page.context["connections"]]
    assert found == [("api.example.org", 4, 2, 4096), (EVIL, 2, 1, 2048)]
    assert EVIL not in page.content.decode()
