"""Another registry is read page by page, gone on with where it broke off, and asked for changes only from then on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import call_command

from common import clock
from common.errors import Conflict
from common.outbound import OutboundError
from events.actors import OPERATOR
from registry import jobs
from registry.api.database import conninfo
from registry.importing import following
from registry.models import Server, ServerVersion, Upstream
from registry.permissions import Permission
from registry.publishing import Publisher, version_publish
from registry.taking_down import server_take_down
from tests.registry.examples import based
from tests.registry.fakes.peers import Peers, peers_for
from tests.registry.fakes.registry import OFFICIAL, FakeRegistry
from tests.registry.fakes.web import Response

pytestmark = pytest.mark.django_db


@pytest.fixture
def peers(tmp_path: Path, settings: Any) -> Iterator[Peers]:
    with peers_for(tmp_path, settings) as made:
        yield made


@pytest.fixture
def other(peers: Peers) -> FakeRegistry:
    """Of five servers."""
    made = FakeRegistry()
    made.entries = [entry(f"org.example/s{number}") for number in range(5)]
    return made


@pytest.fixture
def upstream(peers: Peers, other: FakeRegistry) -> Upstream:
    url, _ = peers.serve("registry.test", other.answer)
    return following.upstream_add(actor=OPERATOR, url=f"{url}/v0.1/servers", label="registry.test")


def entry(name: str, version: str = "1.0.0", *, day: int = 1, status: str = "active", **more: Any) -> Any:
    at = f"2026-01-{day:02}T10:00:00Z"
    meta = {"status": status, "statusChangedAt": at, "publishedAt": at, "updatedAt": at, "isLatest": True}
    return {"server": based(name=name, version=version, **more), "_meta": {OFFICIAL: meta}}


def names() -> set[str]:
    return set(Server.objects.values_list("name", flat=True))


def test_all_of_it_first_and_then_what_changed(upstream: Upstream, other: FakeRegistry) -> None:
    assert following.upstream_follow(upstream.pk).changed == 5
    assert [(one.get("cursor"), one.get("updated_since")) for one in other.asked] == [
        (None, None),
        ("2", None),
        ("4", None),
    ]
    assert {one["include_deleted"] for one in other.asked} == {"true"}
    assert set(Server.objects.values_list("verified_by", flat=True)) == {"registry.test"}
    now = clock.now()
    later = now.isoformat().replace("+00:00", "Z")
    other.entries[1] = entry("org.example/s1", status="deleted")
    other.entries[1]["_meta"][OFFICIAL]["updatedAt"] = later
    other.asked.clear()
    assert following.upstream_follow(upstream.pk).changed == 1
    assert ServerVersion.objects.get(name="org.example/s1").status == "deleted"
    (query,) = other.asked
    # By the other side's clock, and a little earlier than its answer.
    assert abs(datetime.fromisoformat(query["updated_since"]) + following.OVERLAP - now) < timedelta(seconds=60)


@pytest.mark.parametrize("breaks_at", [0, 1, 2])
def test_a_run_that_broke_off_goes_on_where_it_was(upstream: Upstream, other: FakeRegistry, breaks_at: int) -> None:
    other.breaks_at = breaks_at
    with pytest.raises(OutboundError):
        following.upstream_follow(upstream.pk)
    upstream.refresh_from_db()
    assert "502" in upstream.error
    assert upstream.since is None
    assert len(names()) == 2 * breaks_at  # each page that came is kept
    began = upstream.run_started_at
    other.asked.clear()
    other.breaks_at = -1
    assert following.upstream_follow(upstream.pk).changed == 5 - 2 * breaks_at
    assert other.asked[0].get("cursor") == (str(2 * breaks_at) if breaks_at else None)
    upstream.refresh_from_db()
    assert (upstream.error, upstream.cursor, upstream.run_started_at, upstream.entries) == ("", "", None, 5)
    assert upstream.since is not None
    assert began is None or upstream.since == began - following.OVERLAP  # nothing falls between the two runs
    assert len(names()) == 5


def test_this_sites_own_word_counts_more(upstream: Upstream, other: FakeRegistry) -> None:
    alice = Publisher(OPERATOR, "dns:example.org", (Permission("publish", "*"),))
    version_publish(publisher=alice, document=based(name="org.example/s0", version="3.0.0", title="Ours"))
    following.upstream_follow(upstream.pk)
    server_take_down(actor=OPERATOR, name="org.example/s1", reason="Steals keys")
    for number in (0, 1, 2):
        other.entries.append(entry(f"org.example/s{number}", "9.0.0", day=2))
        other.entries[-1]["_meta"][OFFICIAL]["updatedAt"] = "2099-01-01T00:00:00Z"
    assert following.upstream_follow(upstream.pk).changed == 1
    found = dict(ServerVersion.objects.filter(is_latest=True).values_list("name", "version"))
    assert (found["org.example/s0"], found["org.example/s2"]) == ("3.0.0", "9.0.0")
    assert Server.objects.get(name="org.example/s0").verified_by == "dns:example.org"
    down = ServerVersion.objects.filter(name="org.example/s1")
    assert set(down.values_list("version", "status")) == {("1.0.0", "deleted")}


@pytest.mark.parametrize(
    "answer", [Response(200, b"<html>"), Response(200, b'{"servers": 1}'), Response(302, b"", {"Location": "/x"})]
)
def test_what_is_no_list_is_an_error_in_words(upstream: Upstream, other: FakeRegistry, answer: Response) -> None:
    other.answers = answer
    jobs.follow_upstream(upstream.pk)
    upstream.refresh_from_db()
    assert upstream.url in upstream.error or "registry.test" in upstream.error
    assert names() == set()


def test_a_list_that_goes_in_circles_ends(upstream: Upstream, other: FakeRegistry) -> None:
    other.answers = Response(200, b'{"servers": [], "metadata": {"count": 0, "nextCursor": "again"}}')
    with pytest.raises(OutboundError, match="same page again"):
        following.upstream_follow(upstream.pk)
    assert len(other.asked) == 2


def test_job_looks_again_when_its_time_has_come(upstream: Upstream, other: FakeRegistry) -> None:
    assert following.upstreams_due() == [upstream.pk]
    jobs.follow_upstream(upstream.pk)
    assert len(names()) == 5
    assert following.upstreams_due() == []
    Upstream.objects.update(last_run_at=clock.now() - timedelta(seconds=3601))
    assert following.upstreams_due() == [upstream.pk]
    following.upstream_stop(actor=OPERATOR, upstream=upstream)
    assert following.upstreams_due() == []


def test_one_run_at_a_time(upstream: Upstream, other: FakeRegistry) -> None:
    with psycopg.connect(conninfo(), autocommit=True) as elsewhere:
        elsewhere.execute("SELECT pg_advisory_lock(%s, %s)", [following._LOCK, upstream.pk])
        with pytest.raises(Conflict):
            following.upstream_follow(upstream.pk)
        jobs.follow_upstream(upstream.pk)  # says nothing: the other run does it
        assert other.asked == []
    with psycopg.connect(conninfo(), autocommit=True) as third:
        third.execute("SELECT pg_advisory_lock(%s, %s)", [following._LOCK, upstream.pk])  # waits until it is free
        third.execute("SELECT pg_advisory_unlock(%s, %s)", [following._LOCK, upstream.pk])
    assert following.upstream_follow(upstream.pk).changed == 5  # a run that was killed locks nobody out


def test_command(peers: Peers, other: FakeRegistry, capsys: pytest.CaptureFixture[str]) -> None:
    url, _ = peers.serve("registry.test", other.answer)
    call_command("import_registry", url, once=True)
    assert "5 entries read: 5 added or changed" in capsys.readouterr().out
    assert not Upstream.objects.get().is_enabled
    call_command("import_registry", url, label="again", interval=120)
    assert (Upstream.objects.get().is_enabled, Upstream.objects.get().interval_seconds) == (True, 120)
